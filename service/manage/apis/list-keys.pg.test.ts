import pg from 'pg';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { databaseUrl, startTestPostgres, type TestPostgres } from '../../../test/postgres.ts';
import { explain } from '../../../test/query-plan.ts';
import { contextOf, makeWriteSide, type WriteSide } from '../../../test/write-side.ts';
import type { Principal } from '../../domain/principal.ts';
import { rowsOf } from '../../store/rows.ts';
import type { CreateKeyInput } from '../keys/types.ts';
import { LIST_KEYS, LIST_KEYS_OF_IDENTITY } from './list-keys.ts';
import type { ListKeysInput } from './types.ts';

vi.setConfig({ testTimeout: 30_000, hookTimeout: 60_000 });

// Each test makes APIs of its own, so that one database does for all.
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

async function makeApi(): Promise<string> {
  return (await side.manage.apis.createApi(contextOf(side.principal), { name: 'payments' })).data.apiId;
}

async function makeKey(apiId: string, input: Partial<CreateKeyInput> = {}) {
  return (await side.manage.keys.createKey(contextOf(side.principal), { apiId, ...input })).data;
}

/** Puts keys with ids of the test's choice into an API. */
async function putKeys(apiId: string, ...names: readonly string[]): Promise<void> {
  await side.pool.query(
    `insert into keys (id, workspace_id, api_id, hash, start)
     select $2 || '_' || name, $1, $2, sha256(($2 || name)::bytea), 'x' from unnest($3::text[]) as name`,
    [side.principal.workspaceId, apiId, names],
  );
}

async function list(input: ListKeysInput, principal = side.principal) {
  return await side.manage.apis.listKeys(principal, input);
}

/** All pages, and what the test does after each of them. */
async function readAll(input: ListKeysInput, afterPage: () => Promise<void> = async () => {}) {
  const pages: string[][] = [];
  let cursor: string | undefined;
  do {
    const page = await list({ ...input, ...(cursor === undefined ? {} : { cursor }) });
    pages.push(page.items.map(({ keyId }) => keyId.slice(input.apiId.length + 1)));
    cursor = page.cursor ?? undefined;
    if (cursor !== undefined) await afterPage();
  } while (cursor !== undefined);
  return pages;
}

function allowed(...permissions: readonly string[]): Principal {
  return { ...side.principal, permissions: new Set(permissions) };
}

test('lists each key of the API as getKey shows it, and none of another API', async () => {
  const [apiId, another] = [await makeApi(), await makeApi()];
  const made = [
    await makeKey(apiId, { name: 'one', externalId: 'user.1', meta: { a: 1 }, permissions: ['docs.read'] }),
    await makeKey(apiId),
  ];
  await makeKey(another);
  const deleted = await makeKey(apiId);
  await side.manage.keys.deleteKey(contextOf(side.principal), { keyId: deleted.keyId });
  const page = await list({ apiId });
  expect(page.cursor).toBeNull();
  const views = made.map(({ keyId }) => side.manage.keys.getKey(side.principal, { keyId }));
  expect(page.items).toHaveLength(2);
  expect(page.items).toEqual(expect.arrayContaining(await Promise.all(views)));
});

test('pages follow one another and end; a full last page has none behind it', async () => {
  const apiId = await makeApi();
  expect(await readAll({ apiId })).toEqual([[]]);
  await putKeys(apiId, 'a', 'b', 'c', 'd', 'e');
  expect(await readAll({ apiId })).toEqual([['a', 'b', 'c', 'd', 'e']]);
  expect(await readAll({ apiId, limit: 2 })).toEqual([['a', 'b'], ['c', 'd'], ['e']]);
  expect(await readAll({ apiId, limit: 3, cursor: '' })).toEqual([
    ['a', 'b', 'c'],
    ['d', 'e'],
  ]);
  expect(await readAll({ apiId, limit: 5 })).toEqual([['a', 'b', 'c', 'd', 'e']]);
});

test('a page has 100 keys where the call does not say', async () => {
  const apiId = await makeApi();
  await putKeys(apiId, ...Array.from({ length: 101 }, (_, n) => String(n).padStart(3, '0')));
  expect((await readAll({ apiId })).map((page) => page.length)).toEqual([100, 1]);
});

test('keys made and deleted between pages neither repeat nor hide one that was there all along', async () => {
  const apiId = await makeApi();
  const existing = Array.from({ length: 12 }, (_, n) => `${n + 10}_`);
  const doomed = ['11_x', '15_x', '18_x'];
  await putKeys(apiId, ...existing, ...doomed);
  let round = 0;
  const pages = await readAll({ apiId, limit: 3 }, async () => {
    round += 1;
    // Before, amidst and behind wherever the list may stand.
    await putKeys(apiId, ...['05', ...existing].map((name) => `${name}new${round}`));
    const gone = `${apiId}_${doomed[round - 1]}`;
    await side.pool.query('update keys set deleted_at = now() where id = $1', [gone]);
  });
  const seen = pages.flat();
  expect(round).toBeGreaterThan(3);
  expect(new Set(seen).size).toBe(seen.length);
  expect(seen.filter((name) => existing.includes(name))).toEqual(existing);
});

test('the cursor stays good when the key that it names is deleted for good', async () => {
  const apiId = await makeApi();
  await putKeys(apiId, 'a', 'b', 'c');
  const pages = await readAll({ apiId, limit: 1 }, async () => {
    await side.pool.query('delete from keys where id = $1', [`${apiId}_a`]);
  });
  expect(pages).toEqual([['a'], ['b'], ['c']]);
});

test('a page ends early where metadata is large, and the next one goes on behind it', async () => {
  const apiId = await makeApi();
  await putKeys(apiId, ...Array.from({ length: 20 }, (_, n) => String(n + 10)));
  const { data } = await side.manage.identities.createIdentity(contextOf(side.principal), {
    externalId: 'large',
    meta: { text: 'x'.repeat(1024 * 1024 - 20) },
  });
  await side.pool.query('update keys set identity_id = $2 where api_id = $1', [apiId, data.identityId]);
  const pages = await readAll({ apiId });
  expect(pages.map((page) => page.length)).toEqual([9, 9, 2]);
  expect(pages.flat()).toEqual(Array.from({ length: 20 }, (_, n) => String(n + 10)));
  expect((await readAll({ apiId, limit: 9, externalId: 'large' })).map((page) => page.length)).toEqual([
    9, 9, 2,
  ]);
});

test('externalId lists the keys of one identity; of nobody there are none', async () => {
  const apiId = await makeApi();
  const mine = [await makeKey(apiId, { externalId: 'mine' }), await makeKey(apiId, { externalId: 'mine' })];
  await makeKey(apiId, { externalId: 'theirs' });
  await makeKey(await makeApi(), { externalId: 'mine' });
  const keyIds = mine.map(({ keyId }) => keyId).toSorted();
  const { items } = await list({ apiId, externalId: 'mine' });
  expect(items.map(({ keyId }) => keyId).toSorted()).toEqual(keyIds);
  const first = await list({ apiId, externalId: 'mine', limit: 1 });
  const second = await list({ apiId, externalId: 'mine', limit: 1, cursor: first.cursor ?? '' });
  expect([...first.items, ...second.items].map(({ keyId }) => keyId).toSorted()).toEqual(keyIds);
  expect(second.cursor).toBeNull();
  expect(await list({ apiId, externalId: 'nobody' })).toEqual({ items: [], cursor: null });
});

test('keys of a deleted identity are listed without it, and belong to nobody of its externalId', async () => {
  const apiId = await makeApi();
  await makeKey(apiId, { externalId: 'leaving' });
  await side.manage.identities.deleteIdentity(contextOf(side.principal), { identity: 'leaving' });
  expect((await list({ apiId, externalId: 'leaving' })).items).toEqual([]);
  const { keyId } = await makeKey(apiId, { externalId: 'leaving' });
  expect((await list({ apiId, externalId: 'leaving' })).items.map((key) => key.keyId)).toEqual([keyId]);
  expect((await list({ apiId })).items.filter(({ identity }) => identity === undefined)).toHaveLength(1);
});

test('403 unless the root key may read the API and its keys, and their texts where it asks for them', async () => {
  const apiId = await makeApi();
  const forbidden = { code: 'insufficient_permissions', status: 403 };
  const refused: [ListKeysInput, Principal][] = [
    [{ apiId }, allowed()],
    [{ apiId }, allowed('api.*.read_key')],
    [{ apiId }, allowed('api.*.read_api')],
    [{ apiId }, allowed('api.*.read_key', 'api.api_other.read_api')],
    [{ apiId, decrypt: true }, allowed('api.*.read_key', 'api.*.read_api')],
    [{ apiId, externalId: 'nobody', decrypt: true }, allowed('api.*.read_key', 'api.*.read_api')],
  ];
  for (const [input, principal] of refused) {
    await expect(list(input, principal)).rejects.toMatchObject(forbidden);
  }
  const empty = { items: [], cursor: null };
  expect(await list({ apiId }, allowed('api.*.read_key', `api.${apiId}.read_api`))).toEqual(empty);
  const one = allowed(...['read_key', 'read_api', 'decrypt_key'].map((call) => `api.${apiId}.${call}`));
  expect(await list({ apiId, decrypt: true }, one)).toEqual(empty);
});

test('decrypt answers the texts that are kept, also after the API stopped keeping new ones', async () => {
  const apiId = await makeApi();
  await side.manage.apis.updateApi(contextOf(side.principal), { apiId, recoverableKeys: true });
  const kept = await makeKey(apiId, { recoverable: true });
  const unkept = await makeKey(apiId);
  await side.manage.apis.updateApi(contextOf(side.principal), { apiId, recoverableKeys: false });
  const { items } = await list({ apiId, decrypt: true });
  const texts = new Map(items.map(({ keyId, plaintext }) => [keyId, plaintext]));
  expect(texts).toEqual(
    new Map([
      [kept.keyId, kept.key],
      [unkept.keyId, undefined],
    ]),
  );
  for (const item of (await list({ apiId })).items) expect(item).not.toHaveProperty('plaintext');
});

test.each([
  ['the first page', LIST_KEYS, `'api_1', null, 101, 8388608`],
  ['a later page', LIST_KEYS, `'api_1', 'key_15000', 101, 8388608`],
  ['a page of an identity with few keys', LIST_KEYS_OF_IDENTITY, `'api_1', null, 101, 8388608, 'id_77'`],
  ['a page of an identity with many keys', LIST_KEYS_OF_IDENTITY, `'api_1', 'key_9', 101, 8388608, 'id_0'`],
])('%s of many keys is read by indexes, with whatever plan is kept for it', async (_what, text, values) => {
  const client = await manyKeys();
  for (const mode of ['force_custom_plan', 'force_generic_plan']) {
    await client.query(`set plan_cache_mode = ${mode}`);
    await client.query('deallocate all');
    await client.query(`prepare reads as ${text}`);
    const reads = await explain(rowsOf(client), `execute reads (${values})`);
    const large = reads.scanned.filter((table) => table === 'keys' || table === 'identities');
    expect({ mode, large, within: reads.rowsMax <= 101 }).toEqual({ mode, large: [], within: true });
  }
});

let many: Promise<pg.Client> | undefined;
afterAll(async () => {
  await (await many)?.end();
});

/** A database with 20,000 keys in each of two APIs: every other one of identity 0, and two of each other identity. */
function manyKeys(): Promise<pg.Client> {
  many ??= (async () => {
    const database = new URL(await postgres.createDatabase()).pathname.slice(1);
    const client = new pg.Client({ connectionString: databaseUrl(postgres.primary.adminUrl, database) });
    await client.connect();
    // What refers to what is right as it is made here; checking it row by row takes most of the time.
    await client.query('set session_replication_role = replica');
    await client.query(`
      insert into workspaces (id, name) values ('ws_1', 'one');
      insert into apis (id, workspace_id, name) values ('api_1', 'ws_1', 'one'), ('api_2', 'ws_1', 'two');
      insert into identities (id, workspace_id, external_id)
        select 'id_' || i, 'ws_1', 'user_' || i from generate_series(0, 10000) i;
      insert into keys (id, workspace_id, api_id, identity_id, hash, start)
        select 'key_' || i, 'ws_1', 'api_' || (1 + i % 2), 'id_' || case when i % 4 < 2 then 0 else i / 4 end,
          sha256(i::text::bytea), 'x'
        from generate_series(1, 40000) i`);
    await client.query('vacuum analyze');
    return client;
  })();
  return many;
}
