import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest';
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
import type { CreateKeyInput } from './types.ts';

vi.setConfig({ testTimeout: 30_000, hookTimeout: 30_000 });

const NOW = Date.UTC(2026, 5, 1);
const HOUR = 3_600_000;

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

// One database; each test has a workspace of its own, and starts at the same moment.
let principal: Principal;
let apiId: string;
beforeEach(async () => {
  side.nowMs = () => NOW;
  principal = await makePrincipal(side.pool);
  apiId = (await side.manage.apis.createApi(contextOf(principal), { name: 'payments' })).data.apiId;
  await side.pool.query('update apis set recoverable_keys = true where id = $1', [apiId]);
});

async function makeKey(input: Partial<CreateKeyInput> = {}) {
  return (await side.manage.keys.createKey(contextOf(principal), { apiId, ...input })).data;
}

async function reroll(keyId: string, expiration = HOUR, by = principal) {
  return await side.manage.keys.rerollKey(contextOf(by), { keyId, expiration });
}

async function view(keyId: string, decrypt = false) {
  return await side.manage.keys.getKey(principal, { keyId, decrypt });
}

function allowed(...permissions: readonly string[]): Principal {
  return { ...principal, permissions: new Set(permissions) };
}

async function keysOf({ workspaceId }: Principal): Promise<unknown> {
  const { rows } = await side.pool.query('select * from keys where workspace_id = $1 order by id', [
    workspaceId,
  ]);
  return rows;
}

test('the new key has all that the old one has, with limits of its own and the very same credits', async () => {
  await side.pool.query(`insert into roles (id, workspace_id, name) values ($1, $2, 'reader')`, [
    `role_${apiId}`,
    principal.workspaceId,
  ]);
  const limit = { name: 'requests', limit: 10, duration: 60_000, autoApply: true };
  const old = await makeKey({
    prefix: 'pay',
    byteLength: 40,
    name: 'one',
    externalId: 'user.1',
    meta: { plan: 'pro', '': [1e20] },
    roles: ['reader'],
    permissions: ['docs.read', 'docs.write'],
    expires: NOW + 5 * HOUR,
    credits: { remaining: 7, refill: { interval: 'daily', amount: 9 } },
    ratelimits: [limit, { ...limit, name: 'others', autoApply: false }],
  });
  const before = await view(old.keyId);
  const { data } = await reroll(old.keyId);
  expect(data.keyId).not.toBe(old.keyId);
  expect(data.key).toMatch(/^pay_[^_]+$/);
  // As long as the old one: base58 of as many bytes differs by a character at most.
  expect(Math.abs(data.key.length - old.key.length)).toBeLessThanOrEqual(2);
  const after = await view(data.keyId);
  expect(after).toEqual({
    ...before,
    keyId: data.keyId,
    start: data.key.slice(0, 8),
    createdAt: expect.any(Number),
    ratelimits: before.ratelimits?.map((own) => ({ ...own, id: expect.stringMatching(/^rl_/) })),
  });
  const ids = [...(before.ratelimits ?? []), ...(after.ratelimits ?? [])].map(({ id }) => id);
  expect(new Set(ids).size).toBe(4);
  const { rows } = await side.pool.query(
    'select count(distinct credit_account_id)::int as accounts, count(*)::int as keys, min(byte_length) as bytes from keys where api_id = $1',
    [apiId],
  );
  expect(rows).toEqual([{ accounts: 1, keys: 2, bytes: 40 }]);
  // What one of them is given, the other one has, too.
  await side.manage.keys.updateCredits(contextOf(principal), {
    keyId: data.keyId,
    operation: 'set',
    value: 3,
  });
  expect((await view(old.keyId)).credits?.remaining).toBe(3);
});

test.each([
  ['no prefix', undefined],
  ['a prefix', 'pay'],
  ['a prefix with underscores', 'my_pay'],
  ['a prefix that ends with one', 'pay_'],
  ['a prefix that begins with one', '_pay'],
  ['a prefix of one character', 'p'],
  ['the longest prefix', 'p'.repeat(16)],
])('a key with %s is rerolled to one with the same', async (_name, prefix) => {
  const old = await makeKey(prefix === undefined ? {} : { prefix });
  const { data } = await reroll(old.keyId);
  const head = prefix === undefined ? '' : `${prefix}_`;
  expect(data.key.startsWith(head)).toBe(true);
  expect(data.key.slice(head.length)).not.toContain('_');
  expect(await side.manage.keys.whoami(principal, { key: data.key })).toMatchObject({
    keyId: data.keyId,
    start: data.key.slice(0, head.length + 4),
  });
  // And so once more.
  const again = await reroll(data.keyId);
  expect(again.data.key.startsWith(head)).toBe(true);
  expect(again.data.key.slice(head.length)).not.toContain('_');
});

test.each<[name: string, before: number | undefined, expiration: number, end: number, revokes: boolean]>([
  ['one without an end ends after the time given', undefined, HOUR, NOW + HOUR, true],
  ['a later end moves to it', NOW + 2 * HOUR, HOUR, NOW + HOUR, true],
  ['an earlier end stays', NOW + HOUR, 2 * HOUR, NOW + HOUR, false],
  ['the same end stays', NOW + HOUR, HOUR, NOW + HOUR, false],
  ['0 ends it, for clocks that are a little behind as well', undefined, 0, NOW - 1000, true],
  ['0 ends it, also where it was about to', NOW + 1, 0, NOW - 1000, true],
  ['the longest time is taken as it is', undefined, 4_102_444_800_000, NOW + 4_102_444_800_000, true],
])('the old key: %s', async (_name, before, expiration, end, revokes) => {
  const old = await makeKey(before === undefined ? {} : { expires: before });
  const written = await reroll(old.keyId, expiration);
  expect((await view(old.keyId)).expires).toBe(end);
  expect(written.revokes).toBe(revokes);
  // The new key ends when the old one would have ended.
  expect((await view(written.data.keyId)).expires).toBe(before);
});

test('a key that has expired is not rerolled until it has a later end', async () => {
  const old = await makeKey({ expires: NOW + HOUR });
  side.nowMs = () => NOW + HOUR;
  const keys = await keysOf(principal);
  await expect(reroll(old.keyId)).rejects.toMatchObject({
    code: 'precondition_failed',
    message: expect.stringContaining('updateKey'),
  });
  expect(await keysOf(principal)).toEqual(keys);
  await side.manage.keys.updateKey(contextOf(principal), { keyId: old.keyId, expires: null });
  expect((await view((await reroll(old.keyId)).data.keyId)).expires).toBeUndefined();
});

test('a disabled key is rerolled to a disabled one', async () => {
  const old = await makeKey({ enabled: false });
  const { data } = await reroll(old.keyId, 0);
  expect((await view(data.keyId)).enabled).toBe(false);
});

test('a recoverable key is rerolled to a recoverable one, by who may make such keys', async () => {
  const old = await makeKey({ recoverable: true });
  const creator = allowed('api.*.create_key');
  await expect(reroll(old.keyId, 0, creator)).rejects.toMatchObject({
    code: 'insufficient_permissions',
    message: expect.stringContaining('api.*.encrypt_key'),
  });
  expect(await keysOf(principal)).toMatchObject({ length: 1 });
  const { data } = await reroll(old.keyId, 0, allowed('api.*.create_key', `api.${apiId}.encrypt_key`));
  expect((await view(data.keyId, true)).plaintext).toBe(data.key);
  expect((await view(old.keyId, true)).plaintext).toBe(old.key);
  // Of other keys nothing is kept, so that nothing more is needed.
  const plain = await makeKey();
  const next = await reroll(plain.keyId, 0, creator);
  expect(await view(next.data.keyId, true)).not.toHaveProperty('plaintext');
});

test('a recoverable key of an API that keeps no texts any more is not rerolled', async () => {
  const old = await makeKey({ recoverable: true });
  await side.pool.query('update apis set recoverable_keys = false where id = $1', [apiId]);
  await expect(reroll(old.keyId)).rejects.toMatchObject({ code: 'precondition_failed' });
  expect(await keysOf(principal)).toMatchObject({ length: 1 });
});

test('an imported key is rerolled to a generated one', async () => {
  const { data: imported } = await side.manage.keys.migrateKeys(contextOf(principal), {
    migrationId: 'mig_1',
    apiId,
    keys: [{ hash: hashKey('sk_live_abcdefgh'), name: 'one' }],
  });
  const { data } = await reroll(imported.migrated[0]?.keyId ?? '', 0);
  expect(data.key).not.toContain('_');
  expect(await side.manage.keys.whoami(principal, { key: data.key })).toMatchObject({ name: 'one' });
  const { rows } = await side.pool.query('select byte_length, migration_id from keys where id = $1', [
    data.keyId,
  ]);
  expect(rows).toEqual([{ byte_length: 16, migration_id: null }]);
});

test("404 for another workspace's key, a deleted one and none; then 403; and nothing changes", async () => {
  const { keyId } = await makeKey();
  const { keyId: deleted } = await makeKey();
  await side.manage.keys.deleteKey(contextOf(principal), { keyId: deleted });
  const stranger = await makePrincipal(side.pool);
  const before = await keysOf(principal);
  const answer = { code: 'key_not_found', message: 'There is no such key.' };
  await expect(reroll(keyId, 0, stranger)).rejects.toMatchObject(answer);
  await expect(reroll(deleted, 0)).rejects.toMatchObject(answer);
  await expect(reroll('key_none', 0)).rejects.toMatchObject(answer);
  await expect(reroll('key_none', 0, allowed())).rejects.toMatchObject(answer);
  await expect(reroll(keyId, 0, allowed('api.*.update_key', 'api.api_x.create_key'))).rejects.toMatchObject({
    code: 'insufficient_permissions',
    message: expect.stringContaining(`api.${apiId}.create_key`),
  });
  expect(await keysOf(principal)).toEqual(before);
  await reroll(keyId, 0, allowed(`api.${apiId}.create_key`));
  expect(await keysOf(stranger)).toEqual([]);
});

test('both keys have a change row, and one audit line names them', async () => {
  const old = await makeKey({ name: 'secret name', expires: NOW + 2 * HOUR });
  const { data, revision } = await reroll(old.keyId);
  const xid = revision.xid.toString();
  const changes = (await readChanges(side.pool)).filter((change) => change.xid === xid);
  expect(changes.map(({ kind, id, hash }) => [kind, id, hash])).toEqual([
    ['key', data.keyId, hashKey(data.key)],
    ['key', old.keyId, hashKey(old.key)],
  ]);
  const { rows } = await side.pool.query('select action, target_id, detail from audit_log where xid = $1', [
    xid,
  ]);
  expect(rows).toEqual([
    {
      action: 'key.reroll',
      target_id: old.keyId,
      detail: { apiId, newKeyId: data.keyId, expiresBefore: NOW + 2 * HOUR, expires: NOW + HOUR },
    },
  ]);
});

test('a repeat with the same idempotency key answers the same new key, whose text is stored nowhere', async () => {
  const old = await makeKey({ prefix: 'a_b', byteLength: 24 });
  const context = contextOf(principal, idempotencyOf('once', 'hash'));
  const first = await side.manage.keys.rerollKey(context, { keyId: old.keyId, expiration: 0 });
  const again = await side.manage.keys.rerollKey(context, { keyId: old.keyId, expiration: 0 });
  expect(again).toEqual({ ...first, replayed: true });
  expect(await side.manage.keys.whoami(principal, { key: again.data.key })).toMatchObject({
    keyId: first.data.keyId,
  });
  expect(await keysOf(principal)).toMatchObject({ length: 2 });
  const { rows } = await side.pool.query<{ text: string }>(
    `select string_agg(t::text, ' ') as text from (select to_json(k) as t from keys k union all select to_json(a) from audit_log a
       union all select to_json(i) from idempotency_keys i) all_rows`,
  );
  expect(rows[0]?.text).toContain(first.data.keyId);
  expect(rows[0]?.text).not.toContain(first.data.key);
});

test('two rerolls at the same time make two keys, and end the old one once', async () => {
  const old = await makeKey();
  const answers = await Promise.all([reroll(old.keyId, HOUR), reroll(old.keyId, 2 * HOUR)]);
  expect(new Set(answers.map(({ data }) => data.key)).size).toBe(2);
  expect((await view(old.keyId)).expires).toBe(NOW + HOUR);
});

test('a reroll that is sent again in the time that the old key has left makes a key that doesn’t end with it', async () => {
  const { keyId } = await makeKey({ expires: NOW + 100 * HOUR });
  await reroll(keyId);
  const again = await reroll(keyId);
  expect((await view(keyId)).expires).toBe(NOW + HOUR);
  expect((await view(again.data.keyId)).expires).toBe(NOW + 100 * HOUR);
  const endless = await makeKey();
  await reroll(endless.keyId);
  expect(await view((await reroll(endless.keyId)).data.keyId)).not.toHaveProperty('expires');
});

test('an end that is set after a reroll is the key’s own', async () => {
  const { keyId } = await makeKey();
  await reroll(keyId);
  await side.manage.keys.updateKey(contextOf(principal), { keyId, expires: NOW + 5 * HOUR });
  expect((await view((await reroll(keyId)).data.keyId)).expires).toBe(NOW + 5 * HOUR);
});
