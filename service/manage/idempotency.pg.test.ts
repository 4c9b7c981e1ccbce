import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { startTestPostgres, type TestPostgres } from '../../test/postgres.ts';
import {
  contextOf,
  idempotencyOf,
  makeWriteSide,
  readChanges,
  type WriteSide,
} from '../../test/write-side.ts';

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

function createOnce(key: string, requestHash = 'hash') {
  return side.manage.keys.createKey(contextOf(side.principal, idempotencyOf(key, requestHash)), {
    apiId,
    prefix: 'pay',
  });
}

async function countKeys(): Promise<number> {
  return (await side.pool.query('select from keys')).rowCount ?? 0;
}

test('a repeat answers the same key, text and revision, and makes nothing', async () => {
  const first = await createOnce('once');
  const again = await createOnce('once');
  expect(first.replayed).toBe(false);
  expect(again).toEqual({ ...first, replayed: true });
  expect(await countKeys()).toBe(1);
  expect((await readChanges(side.pool)).filter((change) => change.kind === 'key')).toHaveLength(1);
  const view = await side.manage.keys.whoami(side.principal, { key: again.data.key });
  expect(view.keyId).toBe(first.data.keyId);
});

test('ten at once with one key make one key, and all ten get it', async () => {
  const all = await Promise.all(Array.from({ length: 10 }, () => createOnce('race')));
  expect(new Set(all.map(({ data }) => data.key)).size).toBe(1);
  expect(new Set(all.map(({ revision }) => revision.xid)).size).toBe(1);
  expect(all.filter(({ replayed }) => !replayed)).toHaveLength(1);
  expect(await countKeys()).toBe(1);
});

test('another request under the same key is refused', async () => {
  await createOnce('once', 'hash');
  await expect(createOnce('once', 'other')).rejects.toMatchObject({
    code: 'idempotency_key_reused',
    status: 422,
  });
});

test('the same key of another root key is another one', async () => {
  await createOnce('once');
  const { rows } = await side.pool.query<{ id: string }>(
    `insert into root_keys (id, workspace_id, hash, start)
     select 'rootkey_2', workspace_id, decode(repeat('ab', 32), 'hex'), 'kh' from root_keys returning id`,
  );
  // The brand of a test's own id is given here.
  const rootKeyId = rows[0]?.id as typeof side.principal.rootKeyId;
  const context = contextOf({ ...side.principal, rootKeyId }, idempotencyOf('once', 'hash'));
  const other = await side.manage.keys.createKey(context, { apiId });
  expect(other.replayed).toBe(false);
  expect(await countKeys()).toBe(2);
});

test('a refused write leaves no row, so trying again is a new try', async () => {
  const context = contextOf(side.principal, idempotencyOf('later', 'hash'));
  const refused = side.manage.keys.createKey(context, { apiId, roles: ['reader'] });
  await expect(refused).rejects.toMatchObject({ code: 'role_not_found' });
  await side.pool.query(`insert into roles (id, workspace_id, name) values ('role_1', $1, 'reader')`, [
    side.principal.workspaceId,
  ]);
  const done = await side.manage.keys.createKey(context, { apiId, roles: ['reader'] });
  expect(done.replayed).toBe(false);
});

test('a repeated delete answers as the first did, and remembers that it revokes', async () => {
  const { data } = await createOnce('make');
  const remove = () =>
    side.manage.keys.deleteKey(contextOf(side.principal, idempotencyOf('remove', 'hash')), {
      keyId: data.keyId,
    });
  const first = await remove();
  expect(await remove()).toEqual({ ...first, replayed: true });
  expect(first.revokes).toBe(true);
});

test('after a day the key may be used again', async () => {
  const first = await createOnce('once');
  await side.pool.query(`update idempotency_keys set created_at = now() - interval '25 hours'`);
  const second = await createOnce('once', 'other');
  expect(second.replayed).toBe(false);
  expect(second.data.key).not.toBe(first.data.key);
  expect(await createOnce('once', 'other')).toEqual({ ...second, replayed: true });
});
