import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { startTestPostgres, type TestPostgres } from '../../../test/postgres.ts';
import {
  contextOf,
  idempotencyOf,
  makePrincipal,
  makeWriteSide,
  readChanges,
  type WriteSide,
} from '../../../test/write-side.ts';
import { hashKey } from '../../domain/key-text.ts';
import type { Principal } from '../../domain/principal.ts';
import { RecordReader } from '../../store/record-reader.ts';
import type { UpdateApiInput } from './types.ts';

vi.setConfig({ testTimeout: 30_000, hookTimeout: 30_000 });

// Each test makes an API of its own, so that one database does for all.
let postgres: TestPostgres;
let side: WriteSide;
beforeAll(async () => {
  postgres = await startTestPostgres();
  side = await makeWriteSide(await postgres.createDatabase());
});
afterAll(async () => {
  await side.end();
  await postgres.stop();
});

async function makeApi(name = 'payments'): Promise<string> {
  return (await side.manage.apis.createApi(contextOf(side.principal), { name })).data.apiId;
}

async function makeKey(apiId: string) {
  return (await side.manage.keys.createKey(contextOf(side.principal), { apiId })).data;
}

async function update(input: UpdateApiInput) {
  return await side.manage.apis.updateApi(contextOf(side.principal), input);
}

/** The same workspace, another root key. */
function allowed(...permissions: readonly string[]): Principal {
  return { ...side.principal, permissions: new Set(permissions) };
}

async function apiRow(apiId: string) {
  const { rows } = await side.pool.query('select * from apis where id = $1', [apiId]);
  return rows[0] as unknown;
}

/** Change rows and audit lines that name the API, oldest first. */
async function traces(apiId: string) {
  const changes = (await readChanges(side.pool)).filter(({ id }) => id === apiId);
  const { rows } = await side.pool.query<{ xid: string; action: string; detail: unknown }>(
    'select xid::text, action, detail from audit_log where target_id = $1 order by xid',
    [apiId],
  );
  return { changes, audit: rows };
}

const FORBIDDEN = { code: 'insufficient_permissions', status: 403 };
const NO_API = { code: 'api_not_found', status: 404 };
const NO_KEY = { code: 'key_not_found', status: 404 };

test('names of APIs need not be unique', async () => {
  expect(await makeApi('twins')).not.toBe(await makeApi('twins'));
});

test('a deleted API is gone for every call that names it or a key of it', async () => {
  const { manage, principal } = side;
  const apiId = await makeApi();
  const { keyId, key } = await makeKey(apiId);
  await manage.apis.deleteApi(contextOf(principal), { apiId });

  await expect(manage.apis.getApi(principal, { apiId })).rejects.toMatchObject(NO_API);
  await expect(manage.apis.listKeys(principal, { apiId })).rejects.toMatchObject(NO_API);
  await expect(update({ apiId, name: 'again' })).rejects.toMatchObject(NO_API);
  await expect(manage.apis.deleteApi(contextOf(principal), { apiId })).rejects.toMatchObject(NO_API);
  await expect(makeKey(apiId)).rejects.toMatchObject(NO_API);
  await expect(manage.keys.getKey(principal, { keyId })).rejects.toMatchObject(NO_KEY);
  await expect(manage.keys.whoami(principal, { key })).rejects.toMatchObject(NO_KEY);
  const context = contextOf(principal);
  await expect(manage.keys.updateKey(context, { keyId, enabled: false })).rejects.toMatchObject(NO_KEY);
  await expect(manage.keys.deleteKey(context, { keyId })).rejects.toMatchObject(NO_KEY);
});

test('verification finds neither a deleted API nor its keys, and those of other APIs as before', async () => {
  const [gone, stays] = [await makeApi(), await makeApi()];
  const [lost, kept] = [hashKey((await makeKey(gone)).key), hashKey((await makeKey(stays)).key)];
  await side.manage.apis.deleteApi(contextOf(side.principal), { apiId: gone });
  const reader = new RecordReader(side.pool);
  const { keys } = await reader.readRecords([lost, kept]);
  expect([...keys.keys()]).toEqual([kept]);
  const shared = await reader.readShared([
    { kind: 'api', id: gone },
    { kind: 'api', id: stays },
  ]);
  expect(shared.map(({ id }) => id)).toEqual([stays]);
});

test('deleting revokes, with its change row and audit line in its transaction', async () => {
  const apiId = await makeApi();
  const { keyId } = await makeKey(apiId);
  const { revokes, revision } = await side.manage.apis.deleteApi(contextOf(side.principal), { apiId });
  expect(revokes).toBe(true);
  const { changes, audit } = await traces(apiId);
  expect(changes.at(-1)).toMatchObject({ kind: 'api', hash: null, xid: revision.xid.toString() });
  expect(audit.at(-1)).toMatchObject({ action: 'api.delete', xid: revision.xid.toString() });
  // The keys' own rows stay, untouched.
  const { rows } = await side.pool.query('select deleted_at from keys where id = $1', [keyId]);
  expect(rows).toEqual([{ deleted_at: null }]);
});

test('an API is read with all that can be set of it', async () => {
  const { manage, principal } = side;
  const apiId = await makeApi();
  const made = { id: apiId, name: 'payments', ipAllowlist: [], recoverableKeys: false };
  expect(await manage.apis.getApi(principal, { apiId })).toEqual(made);
  const set = { name: 'billing', ipAllowlist: ['192.0.2.0/24', '2001:db8::1'], recoverableKeys: true };
  await update({ apiId, ...set });
  expect(await manage.apis.getApi(principal, { apiId })).toEqual({ id: apiId, ...set });
});

test('of two deletions at once, one finds nothing to delete', async () => {
  const apiId = await makeApi();
  const both = await Promise.allSettled(
    [1, 2].map(() => side.manage.apis.deleteApi(contextOf(side.principal), { apiId })),
  );
  expect(both.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
  expect(both.find(({ status }) => status === 'rejected')).toMatchObject({ reason: NO_API });
});

test('a repeated deletion with the same Idempotency-Key is answered as the first one was', async () => {
  const apiId = await makeApi();
  const context = contextOf(side.principal, idempotencyOf('delete-api', 'hash'));
  const first = await side.manage.apis.deleteApi(context, { apiId });
  const second = await side.manage.apis.deleteApi(context, { apiId });
  expect(second).toEqual({ ...first, replayed: true });
});

test('an update keeps what is absent and sets what is given', async () => {
  const apiId = await makeApi('first');
  await update({ apiId, ipAllowlist: ['192.0.2.0/24', '2001:db8::1'], recoverableKeys: true });
  expect(await apiRow(apiId)).toMatchObject({
    name: 'first',
    ip_allowlist: ['192.0.2.0/24', '2001:db8::1'],
    recoverable_keys: true,
    updated_at: expect.any(Date),
  });
  await update({ apiId, name: 'second' });
  expect(await apiRow(apiId)).toMatchObject({
    name: 'second',
    ip_allowlist: ['192.0.2.0/24', '2001:db8::1'],
    recoverable_keys: true,
  });
  await update({ apiId, ipAllowlist: [], recoverableKeys: false });
  expect(await apiRow(apiId)).toMatchObject({ name: 'second', ip_allowlist: [], recoverable_keys: false });
});

test('an update leaves a change row and an audit line that does not tell the name', async () => {
  const apiId = await makeApi();
  const { revision } = await update({ apiId, name: 'confidential', ipAllowlist: ['192.0.2.1'] });
  const { changes, audit } = await traces(apiId);
  expect(changes.at(-1)).toMatchObject({ kind: 'api', xid: revision.xid.toString() });
  expect(audit.at(-1)).toEqual({
    xid: revision.xid.toString(),
    action: 'api.update',
    detail: { name: 'changed', ipAllowlist: ['192.0.2.1'] },
  });
});

test('an update revokes exactly when the allow list may let fewer addresses in', async () => {
  const apiId = await makeApi();
  const revokes = async (input: Omit<UpdateApiInput, 'apiId'>) => (await update({ apiId, ...input })).revokes;
  expect(await revokes({ name: 'renamed' })).toBe(false);
  expect(await revokes({ recoverableKeys: true })).toBe(false);
  expect(await revokes({ recoverableKeys: false })).toBe(false);
  expect(await revokes({ ipAllowlist: [] })).toBe(false);
  expect(await revokes({ ipAllowlist: ['192.0.2.1', '192.0.2.2'] })).toBe(true);
  expect(await revokes({ ipAllowlist: ['192.0.2.2', '192.0.2.1'] })).toBe(false);
  expect(await revokes({ ipAllowlist: ['192.0.2.1', '192.0.2.2', '192.0.2.3'] })).toBe(false);
  expect(await revokes({ ipAllowlist: ['192.0.2.1'] })).toBe(true);
  expect(await revokes({ ipAllowlist: ['192.0.2.0/24'] })).toBe(true);
  expect(await revokes({ name: 'again' })).toBe(false);
  expect(await revokes({ ipAllowlist: [] })).toBe(false);
});

test('403 without the permission; that for all APIs, and that for this one, suffice', async () => {
  const apiId = await makeApi();
  const { apis } = side.manage;
  for (const other of [allowed(), allowed('api.api_other.update_api', 'api.api_other.delete_api')]) {
    await expect(apis.updateApi(contextOf(other), { apiId, name: 'mine' })).rejects.toMatchObject(FORBIDDEN);
    await expect(apis.deleteApi(contextOf(other), { apiId })).rejects.toMatchObject(FORBIDDEN);
  }
  expect(await apiRow(apiId)).toMatchObject({ name: 'payments', deleted_at: null });
  await apis.updateApi(contextOf(allowed('api.*.update_api')), { apiId, name: 'mine' });
  await apis.updateApi(contextOf(allowed(`api.${apiId}.update_api`)), { apiId, name: 'mine' });
  await apis.deleteApi(contextOf(allowed(`api.${apiId}.delete_api`)), { apiId });
  const another = await makeApi();
  await apis.deleteApi(contextOf(allowed('api.*.delete_api')), { apiId: another });
});

test("another workspace's API does not exist, with or without the permission", async () => {
  const apiId = await makeApi();
  const { apis } = side.manage;
  for (const permissions of [undefined, [], [`api.${apiId}.update_api`, `api.${apiId}.delete_api`]]) {
    const stranger = await makePrincipal(side.pool, permissions);
    await expect(apis.updateApi(contextOf(stranger), { apiId, name: 'mine' })).rejects.toMatchObject(NO_API);
    await expect(apis.deleteApi(contextOf(stranger), { apiId })).rejects.toMatchObject(NO_API);
    await expect(apis.listKeys(stranger, { apiId })).rejects.toMatchObject(NO_API);
  }
  expect(await apiRow(apiId)).toMatchObject({ name: 'payments', deleted_at: null });
});
