import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { startTestPostgres, type TestPostgres } from '../test/postgres.ts';
import { hashKey } from './domain/key-text.ts';
import { ROOT_PERMISSIONS } from './domain/root-permissions.ts';
import { RecordReader } from './store/record-reader.ts';

vi.setConfig({ testTimeout: 30_000, hookTimeout: 30_000 });

let postgres: TestPostgres;
beforeAll(async () => {
  postgres = await startTestPostgres();
});
afterAll(() => postgres.stop());

function run(
  entry: 'migrate' | 'bootstrap' | 'root-key',
  url: string | undefined,
  ...args: readonly string[]
) {
  const settings = { KEYHEARTH_WRITER_URL: url, KEYHEARTH_ZONE: 'global', KEYHEARTH_REGION: 'us-east-1' };
  const script = fileURLToPath(new URL(`./${entry}.ts`, import.meta.url));
  return spawnSync(process.execPath, [script, ...args], {
    env: { ...process.env, ...settings },
    encoding: 'utf8',
  });
}

test('an empty database becomes one with a workspace and a root key that has every permission', async () => {
  const url = await postgres.createDatabase('empty');
  expect(run('migrate', url)).toMatchObject({
    status: 0,
    stdout:
      '{"applied":["0101_base","0102_key-api","0103_credit-leases","0104_identity-credits"],"schema":104}\n',
  });
  expect(run('migrate', url)).toMatchObject({ status: 0, stdout: '{"applied":[],"schema":104}\n' });
  const { status, stdout, stderr } = run('bootstrap', url, '--workspace', 'payments');
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  // The entry's documented answer.
  const made = JSON.parse(stdout) as { workspaceId: string; rootKeyId: string; rootKey: string };
  const pool = new pg.Pool({ connectionString: url });
  const { rootKeys } = await new RecordReader(pool).readRecords([hashKey(made.rootKey)]);
  const row = rootKeys.get(hashKey(made.rootKey))?.row;
  expect(row).toMatchObject({ rootKeyId: made.rootKeyId, workspaceId: made.workspaceId, enabled: true });
  expect(row?.permissions).toEqual([...ROOT_PERMISSIONS].toSorted());
  const { rows } = await pool.query(
    `select (select count(*) from changes)::integer as changes, (select count(*) from audit_log)::integer as audit,
       (select region from epochs) as region, (select name from workspaces) as name`,
  );
  expect(rows).toEqual([{ changes: 2, audit: 1, region: 'us-east-1', name: 'payments' }]);
  await pool.end();
});

test('a workspace that is there gets one more root key, which may do what is named and no more', async () => {
  const url = await postgres.createDatabase('empty');
  expect(run('migrate', url).status).toBe(0);
  const { workspaceId } = JSON.parse(run('bootstrap', url).stdout) as { workspaceId: string };
  const permissions = 'api.*.verify_key,api.api_123.read_key, api.*.verify_key';
  const ran = run('bootstrap', url, '--workspace-id', workspaceId, '--permissions', permissions);
  expect(ran).toMatchObject({ status: 0, stderr: '' });
  // The entry's documented answer.
  const made = JSON.parse(ran.stdout) as { workspaceId: string; rootKey: string };
  expect(made.workspaceId).toBe(workspaceId);
  const pool = new pg.Pool({ connectionString: url });
  const hash = hashKey(made.rootKey);
  const { rootKeys } = await new RecordReader(pool).readRecords([hash]);
  expect(rootKeys.get(hash)?.row).toMatchObject({
    workspaceId,
    permissions: ['api.*.verify_key', 'api.api_123.read_key'],
  });
  expect(run('bootstrap', url, '--workspace-id', 'ws_none')).toMatchObject({
    status: 1,
    stdout: '',
    stderr:
      'No root key was made: there is no workspace ws_none here: without --workspace-id a new one is made.\n',
  });
  const { rows } = await pool.query(
    `select (select count(*) from workspaces)::integer as workspaces, (select count(*) from root_keys)::integer as keys,
       (select count(*) from audit_log where action = 'rootKey.create')::integer as audit`,
  );
  expect(rows).toEqual([{ workspaces: 1, keys: 2, audit: 1 }]);
  await pool.end();
});

test('an unmigrated database, a missing setting and a missing server are one sentence and exit code 1', async () => {
  const empty = await postgres.createDatabase('empty');
  for (const [entry, url] of [
    ['bootstrap', empty],
    ['bootstrap', ''],
    ['migrate', ''],
    ['migrate', 'postgres://keyhearth:secret@127.0.0.1:1/keyhearth'],
  ] as const) {
    const { status, stdout, stderr } = run(entry, url);
    expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
    expect(stderr.trim().split('\n')).toHaveLength(1);
    expect(stderr).not.toContain('secret');
  }
});

test('a root key that was made elsewhere is known by its hash, and its text never comes here', async () => {
  const url = await postgres.createDatabase('empty');
  expect(run('migrate', url).status).toBe(0);
  const key = JSON.parse(run('root-key', undefined, '--zone', 'global').stdout) as Record<
    'rootKey' | 'hash' | 'start',
    string
  >;
  expect(hashKey(key.rootKey)).toBe(key.hash);
  expect(key.rootKey.startsWith(key.start)).toBe(true);
  const { stdout, stderr } = run(
    'bootstrap',
    url,
    '--root-key-hash',
    key.hash,
    '--root-key-start',
    key.start,
  );
  expect(stderr).toBe('');
  expect(stdout).not.toContain(key.rootKey);
  const made = JSON.parse(stdout) as { rootKeyId: string };
  const pool = new pg.Pool({ connectionString: url });
  const hash = hashKey(key.rootKey);
  const { rootKeys } = await new RecordReader(pool).readRecords([hash]);
  expect(rootKeys.get(hash)?.row).toMatchObject({ rootKeyId: made.rootKeyId });
  await pool.end();
});

test('where output is kept in a log no root key is printed, and a hash or start of another form is refused', () => {
  const url = 'postgres://keyhearth_app@db.example.com:5432/keyhearth';
  const refusal = (env: Record<string, string>, ...args: readonly string[]): string => {
    const settings = { KEYHEARTH_WRITER_URL: url, KEYHEARTH_ZONE: 'global', KEYHEARTH_REGION: 'us-east-1' };
    const script = fileURLToPath(new URL('./bootstrap.ts', import.meta.url));
    const { status, stderr } = spawnSync(process.execPath, [script, ...args], {
      env: { ...process.env, ...settings, ...env },
      encoding: 'utf8',
    });
    expect(status).toBe(1);
    return stderr;
  };
  const aws = { KEYHEARTH_DATABASE_AUTH: 'iam', KEYHEARTH_DATABASE_TLS: 'rds' };
  expect(refusal(aws)).toContain("the root key's text would be kept in a log: make it where you are");
  expect(refusal({}, '--root-key-hash', 'abc', '--root-key-start', 'kh_root_aaaa')).toContain(
    '--root-key-hash must be',
  );
  expect(refusal({}, '--root-key-hash', 'a'.repeat(64))).toContain('--root-key-start must be');
});
