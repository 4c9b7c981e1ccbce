import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { startTestPostgres, type TestPostgres } from '../../test/postgres.ts';
import { makePrincipal, makeWriteSide, type WriteSide } from '../../test/write-side.ts';
import { namespaceHash } from '../domain/held-under.ts';
import type { Principal } from '../domain/principal.ts';
import type { SharedObject } from '../domain/records.ts';
import { asHash } from '../../test/records.ts';
import { RecordReader } from './record-reader.ts';

vi.setConfig({ testTimeout: 30_000, hookTimeout: 30_000 });

let postgres: TestPostgres;
let side: WriteSide;
let reader: RecordReader;
beforeAll(async () => {
  postgres = await startTestPostgres();
  side = await makeWriteSide(await postgres.createDatabase());
  reader = new RecordReader(side.pool);
});
afterAll(async () => {
  await side.end();
  await postgres.stop();
});

/** A workspace with an API, an identity of two limits, an account, a role with a permission, and a key that has them all. */
async function makeKey() {
  const principal = await makePrincipal(side.pool);
  const hash = asHash(randomBytes(32).toString('hex'));
  const of = (name: string): string => `${name}_${hash.slice(0, 8)}`;
  const ids = {
    api: of('api'),
    identity: of('id'),
    account: of('credits'),
    role: of('role'),
    permission: of('perm'),
    key: of('key'),
  };
  const ws = principal.workspaceId;
  const run = async (text: string, ...values: readonly unknown[]) => await side.pool.query(text, [...values]);
  await run(`insert into apis (id, workspace_id, name) values ($1, $2, 'payments')`, ids.api, ws);
  await run('insert into identities (id, workspace_id, external_id) values ($1, $2, $1)', ids.identity, ws);
  await run(
    'insert into credit_accounts (id, workspace_id, generation, granted, free, spent) values ($1, $2, 3, 10, 7, 3)',
    ids.account,
    ws,
  );
  await run(`insert into roles (id, workspace_id, name) values ($1, $2, 'reader')`, ids.role, ws);
  await run(
    `insert into permissions (id, workspace_id, slug, name) values ($1, $2, 'docs.read', 'Read')`,
    ids.permission,
    ws,
  );
  await run('insert into role_permissions values ($1, $2)', ids.role, ids.permission);
  await run(
    `insert into keys (id, workspace_id, api_id, identity_id, credit_account_id, hash, start)
     values ($1, $2, $3, $4, $5, decode($6, 'hex'), 'kh')`,
    ids.key,
    ws,
    ids.api,
    ids.identity,
    ids.account,
    hash,
  );
  await run('insert into key_roles values ($1, $2)', ids.key, ids.role);
  await run('insert into key_permissions values ($1, $2)', ids.key, ids.permission);
  await run(
    `insert into rate_limits
       (id, workspace_id, key_id, identity_id, name, limit_units, duration_ms, auto_apply, exact, on_unavailable)
     values ($1 || 'b', $2, $3, null, 'writes', 5, 60000, true, false, 'deny'),
       ($1 || 'a', $2, $3, null, 'reads', 9, 1000, false, true, 'local'),
       ($1 || 'c', $2, null, $4, 'shared', 1, 86400000, true, true, 'deny')`,
    of('rl'),
    ws,
    ids.key,
    ids.identity,
  );
  return { principal, hash, ids, run };
}

function find<Kind extends SharedObject['kind']>(
  shared: readonly SharedObject[] | undefined,
  kind: Kind,
): Extract<SharedObject, { kind: Kind }> | undefined {
  return shared?.find((object): object is Extract<SharedObject, { kind: Kind }> => object.kind === kind);
}

test('a key is read with its rate limits by name, its account of credits and the limits of its identity', async () => {
  const { hash, ids } = await makeKey();
  const read = (await reader.readRecords([hash])).keys.get(hash);
  expect(read?.row.creditAccountId).toBe(ids.account);
  expect(read?.row.ratelimits).toEqual([
    {
      id: expect.stringMatching(/a$/),
      name: 'reads',
      limit: 9,
      durationMs: 1000,
      autoApply: false,
      exact: 'local',
    },
    { id: expect.stringMatching(/b$/), name: 'writes', limit: 5, durationMs: 60_000, autoApply: true },
  ]);
  const account = { kind: 'credits', id: ids.account, generation: 3, free: 7 };
  expect(find(read?.shared, 'credits')).toEqual(account);
  expect(find(read?.shared, 'identity')?.ratelimits).toEqual([
    {
      id: expect.stringMatching(/c$/),
      name: 'shared',
      limit: 1,
      durationMs: 86_400_000,
      autoApply: true,
      exact: 'deny',
    },
  ]);
  expect(await reader.readShared([{ kind: 'credits', id: ids.account }])).toEqual([account]);
});

test('a key without an account is read with its identity’s, also where that was deleted; its own comes first', async () => {
  const { principal, hash, ids, run } = await makeKey();
  const shared = `shared_${ids.account}`;
  await run(
    'insert into credit_accounts (id, workspace_id, granted, free) values ($1, $2, 4, 4)',
    shared,
    principal.workspaceId,
  );
  await run('update identities set credit_account_id = $2 where id = $1', ids.identity, shared);
  const spent = async () => {
    const read = (await reader.readRecords([hash])).keys.get(hash);
    return [read?.row.creditAccountId, find(read?.shared, 'credits')?.id];
  };
  expect(await spent()).toEqual([ids.account, ids.account]);
  await run('update keys set credit_account_id = null where id = $1', ids.key);
  expect(await spent()).toEqual([shared, shared]);
  await run('update identities set deleted_at = now() where id = $1', ids.identity);
  expect(await spent()).toEqual([shared, shared]);
  await run('update identities set credit_account_id = null where id = $1', ids.identity);
  expect(await spent()).toEqual([null, undefined]);
});

test('deleted roles, permissions and identities are not there, neither with a key nor alone', async () => {
  const { hash, ids, run } = await makeKey();
  for (const table of ['identities', 'permissions']) {
    await run(
      `update ${table} set deleted_at = now() where workspace_id = (select workspace_id from keys where id = $1)`,
      ids.key,
    );
  }
  const shared = (await reader.readRecords([hash])).keys.get(hash)?.shared;
  expect(find(shared, 'identity')).toBeUndefined();
  expect(find(shared, 'permission')).toBeUndefined();
  expect(find(shared, 'role')?.permissions).toEqual([]);
  await run('update roles set deleted_at = now() where id = $1', ids.role);
  expect(find((await reader.readRecords([hash])).keys.get(hash)?.shared, 'role')).toBeUndefined();
  const alone = await reader.readShared([
    { kind: 'identity', id: ids.identity },
    { kind: 'permission', id: ids.permission },
    { kind: 'role', id: ids.role },
  ]);
  expect(alone).toEqual([]);
});

test('a workspace is read with its own limit', async () => {
  const { principal, run } = await makeKey();
  await run(
    'update workspaces set rate_limit_units = 100, rate_limit_duration_ms = 60000 where id = $1',
    principal.workspaceId,
  );
  expect(await reader.readShared([{ kind: 'workspace', id: principal.workspaceId }])).toEqual([
    {
      kind: 'workspace',
      id: principal.workspaceId,
      enabled: true,
      rateLimit: { limit: 100, durationMs: 60_000 },
    },
  ]);
});

async function makeNamespace(principal: Principal, name: string) {
  const hash = namespaceHash(principal.workspaceId, name);
  const id = `rlns_${hash.slice(0, 8)}`;
  await side.pool.query(
    `insert into ratelimit_namespaces (id, workspace_id, name, hash) values ($1, $2, $3, decode($4, 'hex'))`,
    [id, principal.workspaceId, name, hash],
  );
  return { id, hash };
}

test('a namespace is read under the hash of its workspace and name, with its overrides and whether it was deleted', async () => {
  const principal = await makePrincipal(side.pool);
  const { id, hash } = await makeNamespace(principal, 'logins');
  await side.pool.query(
    `insert into ratelimit_overrides (id, namespace_id, identifier, limit_units, duration_ms)
     values ('rlor_2' || $1, $1, 'user_*', 0, 1000), ('rlor_1' || $1, $1, 'vip', 50, 2000)`,
    [id],
  );
  const row = {
    hash,
    namespaceId: id,
    workspaceId: principal.workspaceId,
    name: 'logins',
    deleted: false,
    overrides: [
      { id: `rlor_1${id}`, identifier: 'vip', limit: 50, durationMs: 2000 },
      { id: `rlor_2${id}`, identifier: 'user_*', limit: 0, durationMs: 1000 },
    ],
  };
  const read = await reader.readRecords([hash]);
  expect(read.namespaces.get(hash)?.row).toEqual(row);
  expect(read.keys.size + read.rootKeys.size).toBe(0);
  await side.pool.query('update ratelimit_namespaces set deleted_at = now() where id = $1', [id]);
  expect((await reader.readRecords([hash])).namespaces.get(hash)?.row).toEqual({ ...row, deleted: true });
});

test('the same name in another workspace is another namespace', async () => {
  const [one, other] = [await makePrincipal(side.pool), await makePrincipal(side.pool)];
  const made = [await makeNamespace(one, 'same'), await makeNamespace(other, 'same')];
  const { namespaces } = await reader.readRecords(made.map(({ hash }) => hash));
  expect([...namespaces.values()].map(({ row }) => row.workspaceId).toSorted()).toEqual(
    [one.workspaceId, other.workspaceId].toSorted(),
  );
  expect(namespaces.size).toBe(2);
});
