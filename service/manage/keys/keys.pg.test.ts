import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { startTestPostgres, type TestPostgres } from '../../../test/postgres.ts';
import {
  contextOf,
  makePrincipal,
  makeWriteSide,
  readChanges,
  type WriteSide,
} from '../../../test/write-side.ts';
import { importedHash } from '../../domain/held-under.ts';
import { hashKey } from '../../domain/key-text.ts';
import type { Principal } from '../../domain/principal.ts';
import type { CreateKeyInput, UpdateKeyInput } from './types.ts';

vi.setConfig({ testTimeout: 30_000, hookTimeout: 30_000 });

let postgres: TestPostgres;
let side: WriteSide;
let apiId: string;
beforeAll(async () => {
  postgres = await startTestPostgres();
});
afterAll(() => postgres.stop());
beforeEach(async () => {
  side = await makeWriteSide(await postgres.createDatabase());
  apiId = (await side.manage.apis.createApi(contextOf(side.principal), { name: 'payments' })).data.apiId;
});
afterEach(() => side.end());

async function makeKey(input: Partial<CreateKeyInput> = {}) {
  return (await side.manage.keys.createKey(contextOf(side.principal), { apiId, ...input })).data;
}

async function update(input: UpdateKeyInput) {
  return await side.manage.keys.updateKey(contextOf(side.principal), input);
}

/** The same workspace, another root key. */
function allowed(...permissions: readonly string[]): Principal {
  return { ...side.principal, permissions: new Set(permissions) };
}

async function makeRole(name: string, slug: string): Promise<void> {
  const { workspaceId } = side.principal;
  await side.pool.query('insert into roles (id, workspace_id, name) values ($1, $2, $1)', [
    name,
    workspaceId,
  ]);
  await side.pool.query('insert into permissions (id, workspace_id, slug, name) values ($1, $2, $1, $1)', [
    slug,
    workspaceId,
  ]);
  await side.pool.query('insert into role_permissions (role_id, permission_id) values ($1, $2)', [
    name,
    slug,
  ]);
}

test('a created key can be read by its id and by its text, with all that it was given', async () => {
  await makeRole('reader', 'docs.read');
  const { keyId, key } = await makeKey({
    prefix: 'pay',
    name: 'one',
    externalId: 'user.1',
    meta: { plan: 'pro' },
    roles: ['reader'],
    permissions: ['docs.write', 'docs.list'],
    expires: 4_000_000_000_123,
    byteLength: 32,
  });
  expect(key).toMatch(/^pay_/);
  const view = await side.manage.keys.getKey(side.principal, { keyId });
  expect(view).toMatchObject({
    keyId,
    start: key.slice(0, 8),
    enabled: true,
    name: 'one',
    meta: { plan: 'pro' },
    expires: 4_000_000_000_123,
    roles: ['reader'],
    permissions: ['docs.list', 'docs.read', 'docs.write'],
    identity: { externalId: 'user.1' },
  });
  expect(view).not.toHaveProperty('updatedAt');
  expect(await side.manage.keys.whoami(side.principal, { key })).toEqual(view);
});

test('empty fields of a key are left out of its view', async () => {
  const { keyId, key } = await makeKey();
  const view = await side.manage.keys.getKey(side.principal, { keyId });
  expect(Object.keys(view).toSorted()).toEqual(['createdAt', 'enabled', 'keyId', 'start']);
  expect(view.start).toBe(key.slice(0, 4));
});

test("a key's text is stored nowhere", async () => {
  const { key } = await makeKey({ prefix: 'pay' });
  const { rows } = await side.pool.query<{ text: string }>(
    `select coalesce(string_agg(t::text, ' '), '') as text from (
       select to_json(k) as t from keys k union all select to_json(a) from audit_log a
       union all select to_json(c) from changes c union all select to_json(i) from idempotency_keys i) all_rows`,
  );
  expect(rows[0]?.text).toContain(hashKey(key));
  expect(rows[0]?.text).not.toContain(key);
  expect(rows[0]?.text).not.toContain(key.slice(8, 20));
});

test('every write leaves a change row with the hash and an audit line', async () => {
  const { keyId, key } = await makeKey();
  const { revision } = await update({ keyId, enabled: false });
  const deletion = await side.manage.keys.deleteKey(contextOf(side.principal), { keyId });
  const rows = (await readChanges(side.pool)).filter((change) => change.kind === 'key');
  expect(rows).toHaveLength(3);
  for (const row of rows) expect(row).toMatchObject({ id: keyId, hash: hashKey(key) });
  expect(rows[1]?.xid).toBe(revision.xid.toString());
  expect(rows[2]?.xid).toBe(deletion.revision.xid.toString());
  const { rows: audit } = await side.pool.query(
    'select action, actor_id, workspace_id, request_id, client_address from audit_log order by xid',
  );
  expect(audit.map((line: { action: string }) => line.action)).toEqual([
    'api.create',
    'key.create',
    'key.update',
    'key.delete',
  ]);
  expect(audit[3]).toMatchObject({
    actor_id: side.principal.rootKeyId,
    workspace_id: side.principal.workspaceId,
    request_id: 'req_test',
    client_address: '192.0.2.1',
  });
});

test('keys with the same externalId share one identity, also when they are made at once', async () => {
  const made = await Promise.all(Array.from({ length: 20 }, () => makeKey({ externalId: 'user.1' })));
  const views = await Promise.all(
    made.map(({ keyId }) => side.manage.keys.getKey(side.principal, { keyId })),
  );
  expect(new Set(views.map((view) => view.identity?.id)).size).toBe(1);
  expect((await side.pool.query('select from identities')).rowCount).toBe(1);
});

test('an identity that a key brings has an audit line, once', async () => {
  const { keyId } = await makeKey({ externalId: 'user.1' });
  await makeKey({ externalId: 'user.1' });
  await update({ keyId, externalId: 'user.2' });
  const made = await side.pool.query('select id as target_id from identities order by created_at');
  expect(made.rowCount).toBe(2);
  const audited = await side.pool.query(
    `select target_id, detail from audit_log where action = 'identity.create' order by xid`,
  );
  const detail = { meta: false, ratelimits: 0 };
  expect(audited.rows).toEqual(made.rows.map((row: object) => ({ ...row, detail })));
});

test('the length of a key is stored with it, as it was asked for or as it is without asking', async () => {
  const long = await makeKey({ byteLength: 200 });
  const usual = await makeKey();
  const { rows } = await side.pool.query<{ id: string; byte_length: number }>(
    'select id, byte_length from keys',
  );
  expect(new Map(rows.map((row) => [row.id, row.byte_length]))).toEqual(
    new Map([
      [long.keyId, 200],
      [usual.keyId, 16],
    ]),
  );
  expect(long.key.length).toBeGreaterThan(200);
});

test('an identity is shown with its metadata and rate limits, until it is deleted', async () => {
  const { keyId } = await makeKey({ externalId: 'user.1' });
  const { identity } = await side.manage.keys.getKey(side.principal, { keyId });
  await side.pool.query(`update identities set meta = '{"plan":"pro"}'`);
  await side.pool.query(
    `insert into rate_limits (id, workspace_id, identity_id, name, limit_units, duration_ms)
     select 'rl_' || name, $1, $2, name, 5, 1000 from unnest(array['b', 'a']) name`,
    [side.principal.workspaceId, identity?.id],
  );
  const limit = { limit: 5, duration: 1000, autoApply: false };
  expect((await side.manage.keys.getKey(side.principal, { keyId })).identity).toEqual({
    id: identity?.id,
    externalId: 'user.1',
    meta: { plan: 'pro' },
    ratelimits: [
      { id: 'rl_a', name: 'a', ...limit },
      { id: 'rl_b', name: 'b', ...limit },
    ],
  });
  await side.pool.query(`update identities set deleted_at = now(), external_id = 'deleted ' || id`);
  expect(await side.manage.keys.getKey(side.principal, { keyId })).not.toHaveProperty('identity');
  // Its name is free again.
  await update({ keyId, externalId: 'user.1' });
  const anew = await side.manage.keys.getKey(side.principal, { keyId });
  expect(anew.identity).toEqual({ id: expect.not.stringMatching(`^${identity?.id}$`), externalId: 'user.1' });
});

test('roles and permissions that were deleted are not shown, nor what a deleted role gave', async () => {
  await makeRole('reader', 'docs.read');
  await makeRole('writer', 'docs.write');
  const { keyId } = await makeKey({ roles: ['reader', 'writer'], permissions: ['docs.list', 'docs.drop'] });
  await side.pool.query(`update roles set deleted_at = now() where name = 'writer'`);
  await side.pool.query(`update permissions set deleted_at = now() where slug = 'docs.drop'`);
  expect(await side.manage.keys.getKey(side.principal, { keyId })).toMatchObject({
    roles: ['reader'],
    permissions: ['docs.list', 'docs.read'],
  });
});

test('whoami finds an imported key by its text, and a text without the marker under no plain hash', async () => {
  const { keyId } = await makeKey();
  const text = 'sk_live_brought_along';
  const hold = async (hash: string) =>
    await side.pool.query(`update keys set hash = decode($2, 'hex') where id = $1`, [keyId, hash]);
  const { workspaceId } = side.principal;
  await hold(importedHash(workspaceId, 'sha256', '', hashKey(text)));
  expect(await side.manage.keys.whoami(side.principal, { key: text })).toMatchObject({ keyId });
  const missing = { code: 'key_not_found' };
  const stranger = await makePrincipal(side.pool);
  await expect(side.manage.keys.whoami(stranger, { key: text })).rejects.toMatchObject(missing);
  await hold(hashKey(text));
  await expect(side.manage.keys.whoami(side.principal, { key: text })).rejects.toMatchObject(missing);
});

test('the same new permissions made at once neither fail nor double', async () => {
  const slugs = ['a.1', 'a.2', 'a.3', 'a.4'];
  const orders = [slugs, slugs.toReversed(), ['a.3', 'a.1', 'a.4', 'a.2'], slugs];
  await Promise.all(orders.map((permissions) => makeKey({ permissions })));
  expect((await side.pool.query('select from permissions')).rowCount).toBe(4);
});

test('unknown permissions are made only by who may; the refusal leaves nothing', async () => {
  const principal = allowed('api.*.create_key');
  const refused = side.manage.keys.createKey(contextOf(principal), { apiId, permissions: ['docs.read'] });
  await expect(refused).rejects.toMatchObject({ code: 'insufficient_permissions', status: 403 });
  expect((await side.pool.query('select from keys')).rowCount).toBe(0);
  await makeKey({ permissions: ['docs.read'] });
  await side.manage.keys.createKey(contextOf(principal), { apiId, permissions: ['docs.read'] });
  expect((await side.pool.query('select from permissions')).rowCount).toBe(1);
});

test('an unknown role is refused by its name, and nothing is made', async () => {
  await expect(makeKey({ roles: ['nobody'], permissions: ['docs.read'] })).rejects.toMatchObject({
    code: 'role_not_found',
    message: expect.stringContaining('nobody'),
  });
  expect((await side.pool.query('select from permissions')).rowCount).toBe(0);
});

test('createKey and whoami tell a root key without the permission as much as if nothing were there', async () => {
  const { key } = await makeKey();
  const none = allowed();
  const create = (principal: Principal, id: string) =>
    side.manage.keys.createKey(contextOf(principal), { apiId: id });
  await expect(create(none, apiId)).rejects.toMatchObject({ code: 'api_not_found', status: 404 });
  await expect(create(side.principal, 'api_none')).rejects.toMatchObject({ code: 'api_not_found' });
  await expect(side.manage.keys.whoami(none, { key })).rejects.toMatchObject({
    code: 'key_not_found',
    status: 404,
  });
  await expect(side.manage.keys.whoami(side.principal, { key: 'none' })).rejects.toMatchObject({
    code: 'key_not_found',
  });
});

test('getKey, updateKey, deleteKey and getApi answer 403 without the permission', async () => {
  const { keyId } = await makeKey();
  const other = allowed('api.api_other.read_key', 'api.api_other.update_key', 'api.api_other.delete_key');
  const forbidden = { code: 'insufficient_permissions', status: 403 };
  await expect(side.manage.keys.getKey(other, { keyId })).rejects.toMatchObject(forbidden);
  await expect(side.manage.keys.updateKey(contextOf(other), { keyId, enabled: false })).rejects.toMatchObject(
    forbidden,
  );
  await expect(side.manage.keys.deleteKey(contextOf(other), { keyId })).rejects.toMatchObject(forbidden);
  await expect(side.manage.apis.getApi(other, { apiId })).rejects.toMatchObject(forbidden);
  await expect(side.manage.apis.createApi(contextOf(other), { name: 'another' })).rejects.toMatchObject(
    forbidden,
  );
});

test("another workspace's keys and APIs do not exist, whatever the root key may do", async () => {
  const { keyId, key } = await makeKey();
  const stranger = await makePrincipal(side.pool);
  const missing = { code: 'key_not_found', status: 404 };
  await expect(side.manage.keys.getKey(stranger, { keyId })).rejects.toMatchObject(missing);
  await expect(side.manage.keys.whoami(stranger, { key })).rejects.toMatchObject(missing);
  await expect(
    side.manage.keys.updateKey(contextOf(stranger), { keyId, enabled: false }),
  ).rejects.toMatchObject(missing);
  await expect(side.manage.keys.deleteKey(contextOf(stranger), { keyId })).rejects.toMatchObject(missing);
  await expect(side.manage.apis.getApi(stranger, { apiId })).rejects.toMatchObject({ code: 'api_not_found' });
  const create = side.manage.keys.createKey(contextOf(stranger), { apiId });
  await expect(create).rejects.toMatchObject({ code: 'api_not_found' });
});

test('permissions for one API suffice for its keys', async () => {
  const calls = ['create_key', 'read_key', 'update_key', 'delete_key', 'read_api'];
  const one = allowed(...calls.map((call) => `api.${apiId}.${call}`));
  const { data } = await side.manage.keys.createKey(contextOf(one), { apiId });
  await side.manage.keys.updateKey(contextOf(one), { keyId: data.keyId, name: 'one' });
  expect(await side.manage.keys.getKey(one, { keyId: data.keyId })).toMatchObject({ name: 'one' });
  expect(await side.manage.apis.getApi(one, { apiId })).toMatchObject({ id: apiId, name: 'payments' });
  await side.manage.keys.deleteKey(contextOf(one), { keyId: data.keyId });
});

test('an update keeps what is absent, clears what is null and sets what is given', async () => {
  const { keyId } = await makeKey({
    name: 'one',
    externalId: 'user.1',
    meta: { a: 1 },
    expires: 4_000_000_000_000,
  });
  await update({ keyId, name: 'two' });
  expect(await side.manage.keys.getKey(side.principal, { keyId })).toMatchObject({
    name: 'two',
    meta: { a: 1 },
    expires: 4_000_000_000_000,
    identity: { externalId: 'user.1' },
    updatedAt: expect.any(Number),
  });
  await update({ keyId, name: null, externalId: null, meta: null, expires: null });
  const cleared = await side.manage.keys.getKey(side.principal, { keyId });
  for (const field of ['name', 'meta', 'expires', 'identity']) expect(cleared).not.toHaveProperty(field);
  await update({ keyId, externalId: 'user.2', meta: { b: 2 }, permissions: ['docs.read'] });
  expect(await side.manage.keys.getKey(side.principal, { keyId })).toMatchObject({
    meta: { b: 2 },
    identity: { externalId: 'user.2' },
    permissions: ['docs.read'],
  });
});

test('an update says that it revokes exactly when it takes something away', async () => {
  await makeRole('reader', 'docs.read');
  const { keyId } = await makeKey({ permissions: ['docs.write'] });
  const revokes = async (input: Omit<UpdateKeyInput, 'keyId'>) => (await update({ keyId, ...input })).revokes;
  expect(await revokes({ name: 'one' })).toBe(false);
  expect(await revokes({ enabled: true })).toBe(false);
  expect(await revokes({ enabled: false })).toBe(true);
  expect(await revokes({ enabled: false })).toBe(false);
  expect(await revokes({ enabled: true })).toBe(false);
  expect(await revokes({ expires: 4_000_000_000_000 })).toBe(true);
  expect(await revokes({ expires: 4_000_000_000_000 })).toBe(false);
  expect(await revokes({ expires: 3_999_999_999_999 })).toBe(true);
  expect(await revokes({ expires: 4_000_000_000_001 })).toBe(false);
  expect(await revokes({ expires: null })).toBe(false);
  expect(await revokes({ permissions: ['docs.write', 'docs.list'] })).toBe(false);
  expect(await revokes({ permissions: ['docs.list'] })).toBe(true);
  expect(await revokes({ roles: ['reader'] })).toBe(false);
  // The role gives it as well, so that nothing is lost.
  expect(await revokes({ permissions: ['docs.list', 'docs.read'] })).toBe(false);
  expect(await revokes({ permissions: ['docs.list'] })).toBe(false);
  expect(await revokes({ roles: [] })).toBe(true);
  expect(await revokes({ roles: [], permissions: ['docs.list'] })).toBe(false);
});

test.each([{ permanent: true }, { permanent: false }, {}])(
  'a deleted key is gone for every call (%o)',
  async (how) => {
    const { keyId, key } = await makeKey();
    const { revokes } = await side.manage.keys.deleteKey(contextOf(side.principal), { keyId, ...how });
    expect(revokes).toBe(true);
    const missing = { code: 'key_not_found' };
    await expect(side.manage.keys.getKey(side.principal, { keyId })).rejects.toMatchObject(missing);
    await expect(side.manage.keys.whoami(side.principal, { key })).rejects.toMatchObject(missing);
    await expect(update({ keyId, enabled: true })).rejects.toMatchObject(missing);
    await expect(side.manage.keys.deleteKey(contextOf(side.principal), { keyId })).rejects.toMatchObject(
      missing,
    );
    expect((await side.pool.query('select from keys')).rowCount).toBe(how.permanent === true ? 0 : 1);
  },
);

test('a key that is marked deleted is removed for good by who may delete it, and by nobody else', async () => {
  const { keyId } = await makeKey({ credits: { remaining: 5 } });
  const remove = async (principal: Principal, permanent: boolean) =>
    await side.manage.keys.deleteKey(contextOf(principal), { keyId, permanent });
  await remove(side.principal, false);
  const missing = { code: 'key_not_found' };
  await expect(remove(side.principal, false)).rejects.toMatchObject(missing);
  await expect(remove(await makePrincipal(side.pool), true)).rejects.toMatchObject(missing);
  await expect(remove(allowed('api.*.read_key'), true)).rejects.toMatchObject({
    code: 'insufficient_permissions',
  });
  await remove(allowed(`api.${apiId}.delete_key`), true);
  expect((await side.pool.query('select from keys')).rowCount).toBe(0);
  expect((await side.pool.query('select from credit_accounts')).rowCount).toBe(0);
  await expect(remove(side.principal, true)).rejects.toMatchObject(missing);
});

test('a text that Postgres cannot store is the caller’s mistake', async () => {
  const invalid = { code: 'invalid_input', status: 400 };
  await expect(makeKey({ name: 'a\0b' })).rejects.toMatchObject(invalid);
  await expect(makeKey({ roles: ['a\0b'] })).rejects.toMatchObject(invalid);
  const create = side.manage.apis.createApi(contextOf(side.principal), { name: 'a\0b' });
  await expect(create).rejects.toMatchObject(invalid);
});

test('away from home reads are refused too', async () => {
  const { keyId } = await makeKey();
  side.epoch = null;
  await expect(side.manage.keys.getKey(side.principal, { keyId })).rejects.toMatchObject({ code: 'no_home' });
});
