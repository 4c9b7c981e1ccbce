import { afterEach, beforeEach, expect, test } from 'vitest';
import { startVerifyApp, type VerifyApp } from '../../test/http/verify-app.ts';
import { asWorkspaceId, buildApi, buildKeyRow } from '../../test/records.ts';
import { KEY, OTHER_KEY } from '../../test/verify-side.ts';
import type { ApiId } from '../domain/brands.ts';
import { importedHashOf, type ImportFormat } from '../domain/held-under.ts';
import { hashKey } from '../domain/key-text.ts';
import type { KeyRow } from '../domain/records.ts';

let running: VerifyApp;

beforeEach(async () => {
  running = await startVerifyApp();
  const { source } = running.side;
  source.put({ kind: 'workspace', id: asWorkspaceId('ws_2'), enabled: true, rateLimit: null });
  source.put(buildApi({ id: 'api_2' as ApiId, workspaceId: asWorkspaceId('ws_2') }));
});

afterEach(async () => await running.app.close());

const OF_OTHERS: Partial<KeyRow> = { workspaceId: asWorkspaceId('ws_2'), apiId: 'api_2' as ApiId };
const NOT_FOUND = { valid: false, code: 'NOT_FOUND' };

function givenImported(
  text: string,
  format: ImportFormat,
  migrationId = '',
  row: Partial<KeyRow> = {},
): void {
  const hash = importedHashOf(row.workspaceId ?? 'ws_1', format, migrationId, text);
  if (hash === null) throw new Error('the text has no such format');
  for (const source of [running.side.source, running.side.home]) {
    source.putKey(buildKeyRow(hash, { name: 'imported', ...row }));
  }
}

async function verify(key: string, more: object = {}): Promise<object | undefined> {
  return (await running.verify({ key, ...more })).data;
}

/** Hashes that each read asked for. */
async function readsOf(key: string, more: object = {}): Promise<readonly number[]> {
  const { asked } = running.side.source;
  asked.length = 0;
  await verify(key, more);
  return asked.map((hashes) => hashes.length);
}

test.each(['sk_live_51Habc', 'no-underscore', OTHER_KEY])(
  'an imported key is found by its whole text: %s',
  async (text) => {
    givenImported(text, 'sha256');
    expect(await verify(text)).toMatchObject({ code: 'VALID', name: 'imported' });
    expect(await readsOf(text)).toEqual([]);
  },
);

test('one of a migration is found by what follows its last underscore, only where the request names the migration', async () => {
  givenImported('acme_live_secret', 'prefixedApiKey', 'from-acme');
  expect(await verify('acme_live_secret')).toEqual(NOT_FOUND);
  expect(await verify('acme_live_secret', { migrationId: 'from-others' })).toEqual(NOT_FOUND);
  expect(await verify('acme_live_secret', { migrationId: 'from-acme' })).toMatchObject({ code: 'VALID' });
  expect(await readsOf('acme_live_secret', { migrationId: 'from-acme' })).toEqual([]);
});

test('a key that another workspace imported is unknown; both may import the same text', async () => {
  givenImported('sk_shared', 'sha256', '', { ...OF_OTHERS, name: 'theirs' });
  expect(await verify('sk_shared')).toEqual(NOT_FOUND);
  givenImported('sk_shared', 'sha256', '', { name: 'ours' });
  running.side.cache.onDistrust();
  expect(await verify('sk_shared')).toMatchObject({ code: 'VALID', name: 'ours' });
});

test('a key that this zone made for another workspace doesn’t hide an imported one of the same text', async () => {
  running.given(OF_OTHERS);
  givenImported(KEY, 'sha256');
  expect(await verify(KEY)).toMatchObject({ code: 'VALID', name: 'imported' });
  expect(await readsOf(KEY)).toEqual([]);
});

test('a text that spells what an imported key is held under finds nothing', async () => {
  givenImported('sk_theirs', 'sha256', '', OF_OTHERS);
  givenImported('sk_ours', 'sha256');
  for (const [workspace, text] of [
    ['ws_2', 'sk_theirs'],
    ['ws_1', 'sk_ours'],
  ] as const) {
    await verify(text);
    expect(await verify(`imported sha256\n${workspace}\n\n${hashKey(text)}`)).toEqual(NOT_FOUND);
  }
});

test.each([
  ['without a migration', {}],
  ['with one', { migrationId: 'm' }],
])(
  'an unknown key and one of another workspace cost the same reads, cold and hot: %s',
  async (_case, more) => {
    // So that the root key is held.
    await verify('anything');
    running.given(OF_OTHERS);
    const unknown = await readsOf(OTHER_KEY, more);
    expect(await readsOf(KEY, more)).toEqual(unknown);
    expect(unknown).toHaveLength(1);
    expect([await readsOf(KEY, more), await readsOf(OTHER_KEY, more)]).toEqual([[], []]);
    expect([await verify(KEY, more), await verify(OTHER_KEY, more)]).toEqual([NOT_FOUND, NOT_FOUND]);
  },
);

test('a key that is held because its own workspace uses it costs others a read as an unknown one does', async () => {
  await verify('anything');
  running.given(OF_OTHERS);
  await running.side.cache.loadKey(hashKey(KEY));
  expect(await readsOf(KEY)).toHaveLength(1);
  expect(await readsOf(OTHER_KEY)).toHaveLength(1);
});

test('a key of ours that is held is found with one look, and nothing is read', async () => {
  expect(await verify(KEY)).toMatchObject({ code: 'VALID' });
  const { counters } = running.side.cache;
  const before = counters.hits + counters.misses;
  expect(await readsOf(KEY, { migrationId: 'm' })).toEqual([]);
  // One look for the root key and one for the key.
  expect(counters.hits + counters.misses - before).toBe(2);
});

test('a root key is never looked for among the imported keys, marked or not', async () => {
  givenImported('sk_root', 'sha256');
  expect((await running.verify({ key: KEY }, { authorization: 'Bearer sk_root' })).status).toBe(401);
});

test('where home is asked, it is asked for all that the key may be held under, at once', async () => {
  const { side } = running;
  side.source.keys.clear();
  side.freshness.reaches = false;
  const headers = { 'keyhearth-min-revision': '1.abcd1234.77' };
  givenImported('acme_secret', 'prefixedApiKey', 'from-acme');
  givenImported(OTHER_KEY, 'sha256');
  const ask = async (body: object) => (await running.verify(body, headers)).data;
  expect(await ask({ key: KEY })).toMatchObject({ code: 'VALID' });
  expect(await ask({ key: 'acme_secret', migrationId: 'from-acme' })).toMatchObject({ code: 'VALID' });
  expect(await ask({ key: 'acme_secret' })).toEqual(NOT_FOUND);
  expect(await ask({ key: OTHER_KEY })).toMatchObject({ code: 'VALID', name: 'imported' });
  // Before each, the root key is asked for.
  const keys = side.home.asked.filter((_, index) => index % 2 === 1);
  expect(keys.map((hashes) => hashes.length)).toEqual([2, 2, 1, 2]);
});
