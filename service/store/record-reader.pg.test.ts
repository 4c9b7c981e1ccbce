import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { startTestPostgres, type TestPostgres } from '../../test/postgres.ts';
import { contextOf, makePrincipal, makeWriteSide, type WriteSide } from '../../test/write-side.ts';
import type { KeyHash } from '../domain/brands.ts';
import { hashKey } from '../domain/key-text.ts';
import type { SharedObject } from '../domain/records.ts';
import type { CreateKeyInput } from '../manage/keys/types.ts';
import { RecordReader, type WarmCursor } from './record-reader.ts';

vi.setConfig({ testTimeout: 30_000, hookTimeout: 30_000 });

let postgres: TestPostgres;
let side: WriteSide;
let reader: RecordReader;
beforeAll(async () => {
  postgres = await startTestPostgres();
});
afterAll(() => postgres.stop());
beforeEach(async () => {
  side = await makeWriteSide(await postgres.createDatabase());
  reader = new RecordReader(side.pool);
});
afterEach(() => side.end());

async function makeApi(): Promise<string> {
  const { data } = await side.manage.apis.createApi(contextOf(side.principal), { name: 'payments' });
  return data.apiId;
}

async function makeKey(apiId: string, input: Partial<CreateKeyInput> = {}) {
  const { data } = await side.manage.keys.createKey(contextOf(side.principal), { apiId, ...input });
  return { keyId: data.keyId, hash: hashKey(data.key) };
}

async function makeRole(name: string, ...slugs: readonly string[]): Promise<void> {
  const workspace = side.principal.workspaceId;
  await side.pool.query('insert into roles (id, workspace_id, name) values ($1, $2, $1)', [name, workspace]);
  for (const slug of slugs) {
    await side.pool.query(
      'insert into permissions (id, workspace_id, slug, name) values ($1, $2, $1, $1) on conflict do nothing',
      [slug, workspace],
    );
    await side.pool.query('insert into role_permissions (role_id, permission_id) values ($1, $2)', [
      name,
      slug,
    ]);
  }
}

function kinds(shared: readonly SharedObject[]): string[] {
  return shared.map((object) => object.kind).toSorted();
}

test('a key is read with everything that it refers to', async () => {
  await makeRole('reader', 'docs.read', 'docs.list');
  const apiId = await makeApi();
  await side.pool.query(`update apis set ip_allowlist = '{10.0.0.0/8}' where id = $1`, [apiId]);
  const meta = { tags: ['a\u0000b', '\ud800'], n: 1.5 };
  const { keyId, hash } = await makeKey(apiId, {
    name: 'one',
    externalId: 'user.1',
    meta,
    expires: 4_102_444_800_000,
    roles: ['reader'],
    permissions: ['docs.write'],
  });
  const { keys, rootKeys } = await reader.readRecords([hash]);
  expect(rootKeys.size).toBe(0);
  const read = keys.get(hash);
  expect(read?.row).toMatchObject({
    hash,
    keyId,
    apiId,
    name: 'one',
    enabled: true,
    expiresAtMs: 4_102_444_800_000,
  });
  expect(read?.row.meta).toBe(JSON.stringify(meta));
  expect(kinds(read?.shared ?? [])).toEqual(['api', 'identity', 'permission', 'role', 'workspace']);
  expect(read?.shared).toContainEqual({
    kind: 'api',
    id: apiId,
    workspaceId: side.principal.workspaceId,
    name: 'payments',
    ipAllowlist: ['10.0.0.0/8'],
  });
  expect(read?.shared).toContainEqual({
    kind: 'role',
    id: 'reader',
    name: 'reader',
    permissions: ['docs.list', 'docs.read'],
  });
  expect(read?.shared).toContainEqual({
    kind: 'identity',
    id: read?.row.identityId,
    externalId: 'user.1',
    meta: null,
    ratelimits: [],
  });
  expect(read?.shared).toContainEqual({
    kind: 'permission',
    id: read?.row.permissionIds[0],
    slug: 'docs.write',
  });
});

test('objects that several keys share are read once', async () => {
  const apiId = await makeApi();
  const [a, b] = [await makeKey(apiId), await makeKey(apiId)];
  const { keys } = await reader.readRecords([a.hash, b.hash]);
  const apiOf = (hash: KeyHash) => keys.get(hash)?.shared.find((object) => object.kind === 'api');
  expect(apiOf(a.hash)).toBeDefined();
  expect(apiOf(a.hash)).toBe(apiOf(b.hash));
});

test('root keys are read with their permissions and their workspace', async () => {
  const { rows } = await side.pool.query<{ hash: KeyHash }>(
    `select encode(hash, 'hex') as hash from root_keys`,
  );
  const hash = rows[0]?.hash;
  if (hash === undefined) throw new Error('the side has a root key');
  await side.pool.query(
    `insert into root_key_permissions values ($1, 'api.*.read_key'), ($1, 'api.*.create_key')`,
    [side.principal.rootKeyId],
  );
  const { rootKeys } = await reader.readRecords([hash]);
  expect(rootKeys.get(hash)).toEqual({
    row: {
      hash,
      rootKeyId: side.principal.rootKeyId,
      workspaceId: side.principal.workspaceId,
      enabled: true,
      expiresAtMs: null,
      permissions: ['api.*.create_key', 'api.*.read_key'],
    },
    shared: [{ kind: 'workspace', id: side.principal.workspaceId, enabled: true, rateLimit: null }],
  });
});

test('unknown keys, deleted keys and keys of deleted APIs are not there', async () => {
  const [apiId, goneApiId] = [await makeApi(), await makeApi()];
  const [marked, removed, orphan] = [await makeKey(apiId), await makeKey(apiId), await makeKey(goneApiId)];
  await side.manage.keys.deleteKey(contextOf(side.principal), { keyId: marked.keyId });
  await side.manage.keys.deleteKey(contextOf(side.principal), { keyId: removed.keyId, permanent: true });
  await side.pool.query('update apis set deleted_at = now() where id = $1', [goneApiId]);
  const { keys } = await reader.readRecords([hashKey('no such'), marked.hash, removed.hash, orphan.hash]);
  expect(keys.size).toBe(0);
  expect(await reader.readShared([{ kind: 'api', id: goneApiId }])).toEqual([]);
  expect((await reader.readRecords([])).keys.size).toBe(0);
});

test('shared objects are read by kind and id; what does not exist is left out', async () => {
  await makeRole('reader', 'docs.read');
  const apiId = await makeApi();
  const { workspaceId } = side.principal;
  const shared = await reader.readShared([
    { kind: 'workspace', id: workspaceId },
    { kind: 'api', id: apiId },
    { kind: 'api', id: 'api_none' },
    // An id of another kind.
    { kind: 'identity', id: apiId },
    { kind: 'role', id: 'reader' },
    { kind: 'permission', id: 'docs.read' },
  ]);
  expect(kinds(shared)).toEqual(['api', 'permission', 'role', 'workspace']);
});

test('warm pages bring every key once, newest first, and root keys with the first page', async () => {
  const apiId = await makeApi();
  const made: KeyHash[] = [];
  for (let count = 0; count < 7; count += 1) made.push((await makeKey(apiId)).hash);
  // Two of the same moment must not be lost or doubled at a page's edge.
  await side.pool.query(
    'update keys set created_at = (select min(created_at) from keys) where id in (select id from keys order by created_at limit 4)',
  );
  const seen: KeyHash[] = [];
  let rootKeys = 0;
  let pages = 0;
  let after: WarmCursor | null = null;
  do {
    const { reads, next } = await reader.readWarmPage(after, 2);
    seen.push(...reads.keys.keys());
    rootKeys += reads.rootKeys.size;
    pages += 1;
    after = next;
  } while (after !== null);
  expect(pages).toBe(4);
  expect(rootKeys).toBe(1);
  expect(seen).toHaveLength(7);
  expect(new Set(seen)).toEqual(new Set(made));
  expect(new Set(seen.slice(0, 3))).toEqual(new Set(made.slice(4)));
});

test('a statement of a reader is prepared once and runs on', async () => {
  const other = await makePrincipal(side.pool);
  expect(other.workspaceId).not.toBe(side.principal.workspaceId);
  const { hash } = await makeKey(await makeApi());
  for (let count = 0; count < 20; count += 1) expect((await reader.readRecords([hash])).keys.size).toBe(1);
});
