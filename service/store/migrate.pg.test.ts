import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from 'vitest';
import { startTestPostgres, type TestPostgres } from '../../test/postgres.ts';
import { ADVISORY_LOCKS } from '../domain/advisory-locks.ts';
import type { DatabaseAccess } from './access.ts';
import { TokenFailure } from './iam-tokens.ts';
import { migrate } from './migrate.ts';
import { rowsOf } from './rows.ts';
import { isSupportedSchema, readSchemaVersion } from './schema-version.ts';

vi.setConfig({ testTimeout: 30_000, hookTimeout: 30_000 });

let postgres: TestPostgres;
beforeAll(async () => {
  postgres = await startTestPostgres();
});
afterAll(() => postgres.stop());

const onWarning = (message: string): void => expect.unreachable(message);

async function versionOf(url: string): Promise<number> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return await readSchemaVersion(rowsOf(client));
  } finally {
    await client.end();
  }
}

test('an empty database has schema 0, which no service works with', async () => {
  const version = await versionOf(await postgres.createDatabase('empty'));
  expect(version).toBe(0);
  expect(isSupportedSchema(version)).toBe(false);
});

test('migrating brings an empty database to a supported schema, and does nothing the second time', async () => {
  const url = await postgres.createDatabase('empty');
  const first = await migrate({ url, onWarning });
  expect(first.applied).toContain('0101_base');
  expect(isSupportedSchema(first.schema)).toBe(true);
  expect(await migrate({ url, onWarning })).toEqual({ applied: [], schema: first.schema });
  expect(await versionOf(url)).toBe(first.schema);
});

test('of several that migrate at once, one does the work and the others find it done', async () => {
  const url = await postgres.createDatabase('empty');
  const all = await Promise.all([1, 2, 3, 4].map(() => migrate({ url, onWarning })));
  expect(all.filter(({ applied }) => applied.length > 0)).toHaveLength(1);
  expect(new Set(all.map(({ schema }) => schema)).size).toBe(1);
});

async function withClient<T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

/** A folder with these migrations, gone when the test ends. */
function migrations(files: Readonly<Record<string, string>>): string {
  const directory = mkdtempSync(join(tmpdir(), 'keyhearth-migrations-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  for (const [name, sql] of Object.entries(files)) {
    writeFileSync(join(directory, name), `-- Up Migration\n${sql}\n-- Down Migration\n`);
  }
  return directory;
}

test('a migration that can not get a table in time fails with nothing of it applied, and can be run again', async () => {
  const url = await postgres.createDatabase('empty');
  await withClient(url, async (client) => {
    await client.query('create table used (id integer)');
    await client.query('begin; lock table used in access share mode');
    const directory = migrations({
      '0101_first.sql': 'create table first (id integer);',
      '0102_change.sql': 'create table made (id integer); alter table used add column name text;',
    });
    const options = { url, directory, lockTimeoutMs: 100, onWarning: () => {} };
    await expect(migrate(options)).rejects.toThrow('lock timeout');
    await client.query('commit');
    const { rows } = await client.query(
      `select to_regclass('first')::text as first, to_regclass('made') as made`,
    );
    expect(rows).toEqual([{ first: 'first', made: null }]);
    expect(await migrate(options)).toEqual({ applied: ['0102_change'], schema: 102 });
  });
});

test('a migration runs without a limit on its statements, and with limits on waiting and on doing nothing', async () => {
  const url = await postgres.createDatabase('empty');
  const directory = migrations({
    '0101_change.sql': `-- One by one.
      create table if not exists used (id integer);
      create index concurrently if not exists used_id on used (id);`,
    '0102_look.sql': `create table seen as select current_setting('statement_timeout') as statement,
      current_setting('lock_timeout') as lock, current_setting('idle_in_transaction_session_timeout') as idle;`,
  });
  await withClient(url, async (client) => {
    // What administrators like to set.
    await client.query(
      `alter role keyhearth in database ${new URL(url).pathname.slice(1)} set statement_timeout = 7000`,
    );
  });
  await migrate({ url, directory, onWarning });
  const { rows } = await withClient(url, async (client) => await client.query('select * from seen'));
  expect(rows).toEqual([{ statement: '0', lock: '5s', idle: '1min' }]);
});

test('waiting for another migration is not waiting for a table', async () => {
  const url = await postgres.createDatabase('empty');
  await withClient(url, async (client) => {
    await client.query('select pg_advisory_lock($1)', [ADVISORY_LOCKS.migration]);
    const waiting = migrate({ url, lockTimeoutMs: 1, onWarning });
    await expect
      .poll(async () => {
        const { rowCount } = await client.query(
          `select from pg_stat_activity where datname = current_database() and query like 'select pg_try_advisory_lock%'`,
        );
        return rowCount;
      })
      .toBe(1);
    await client.query('select pg_sleep(0.05)');
    await client.query('select pg_advisory_unlock($1)', [ADVISORY_LOCKS.migration]);
    expect((await waiting).applied).toContain('0101_base');
  });
});

test('where no password is to be had, the socket is gone at once', async () => {
  const { port } = new URL(postgres.primary.url);
  const relay = createServer((socket) => {
    const onward = connect(Number(port), '127.0.0.1');
    socket
      .on('error', () => {})
      .pipe(onward.on('error', () => {}))
      .pipe(socket);
    socket.on('close', () => void relay.emit('left'));
  }).listen(0, '127.0.0.1');
  await once(relay, 'listening');
  onTestFinished(() => void relay.close());
  const address = relay.address();
  const place = { host: '127.0.0.1', port: typeof address === 'object' ? (address?.port ?? 0) : 0 };
  const access: DatabaseAccess = {
    clientConfig: () => ({
      ...place,
      user: 'keyhearth',
      database: 'keyhearth',
      ssl: false,
      password: () => Promise.reject(new TokenFailure('no token')),
    }),
  };
  const left = once(relay, 'left', { signal: AbortSignal.timeout(5000) });
  await expect(migrate({ url: postgres.primary.url, access, onWarning: () => {} })).rejects.toThrow(
    'no token',
  );
  await left;
});
