import { expect, test } from 'vitest';
import { FakeClock } from '../../test/fake-clock.ts';
import {
  asHash,
  asWorkspaceId,
  buildApi,
  buildKeyRow,
  buildRootKeyRow,
  FakeSource,
  keyChange,
} from '../../test/records.ts';
import { NO_FLOOR } from '../domain/feed.ts';
import type { HotKey } from '../domain/hot-records.ts';
import { HotCache, type HotCacheOptions } from './hot-cache.ts';

const HASH = asHash('aa');

function setUp(change: Partial<HotCacheOptions> = {}): {
  cache: HotCache;
  source: FakeSource;
  clock: FakeClock;
  errors: unknown[];
} {
  const source = new FakeSource();
  const clock = new FakeClock();
  const errors: unknown[] = [];
  const cache = new HotCache({
    source,
    floor: () => NO_FLOOR,
    clock,
    maxKeys: 100,
    maxBytes: 1_000_000,
    maxRootKeys: 10,
    maxNamespaces: 10,
    maxAbsent: 10,
    maxAgeMs: 60_000,
    loadConcurrency: 2,
    loadBatchSize: 10,
    maxWaitingLoads: 50,
    onBackgroundError: (error) => errors.push(error),
    ...change,
  });
  cache.onEpoch();
  return { cache, source, clock, errors };
}

function peek(cache: HotCache, hash = HASH): HotKey | null | undefined {
  return cache.peekKey(hash, 1000);
}

test('a key is read once and held from then on', async () => {
  const { cache, source } = setUp();
  source.putKey(buildKeyRow(HASH));
  expect(peek(cache)).toBeUndefined();
  const loaded = await cache.loadKey(HASH);
  expect(loaded?.row.keyId).toBe('key_aa');
  expect(peek(cache)).toBe(loaded);
  expect(source.asked).toHaveLength(1);
});

test('misses of the same key share one read, misses of one turn share one statement', async () => {
  const { cache, source } = setUp();
  for (const hash of ['aa', 'bb', 'cc']) source.putKey(buildKeyRow(hash));
  const loads = ['aa', 'aa', 'bb', 'cc', 'aa'].map(async (hash) => await cache.loadKey(asHash(hash)));
  const keys = await Promise.all(loads);
  expect(keys.map((key) => key?.row.keyId)).toEqual(['key_aa', 'key_aa', 'key_bb', 'key_cc', 'key_aa']);
  expect(source.asked).toEqual([['aa', 'bb', 'cc']]);
});

test('a change that arrives while the record is read discards the read', async () => {
  const { cache, source } = setUp();
  source.putKey(buildKeyRow(HASH));
  source.hold();
  const load = cache.loadKey(HASH);
  await Promise.resolve();
  source.keys.delete(HASH);
  cache.onChanges([keyChange(HASH)]);
  source.release();
  expect(await load).toBeNull();
  expect(cache.loader.counters.discarded).toBe(1);
});

test('a change just before the read needs no second read, one just after it drops the record', async () => {
  const { cache, source } = setUp();
  source.putKey(buildKeyRow(HASH, { enabled: false }));
  cache.onChanges([keyChange(HASH, 1n)]);
  const first = await cache.loadKey(HASH);
  expect(first?.row.enabled).toBe(false);
  expect(source.asked).toHaveLength(1);
  cache.onChanges([keyChange(HASH, 2n)]);
  expect(peek(cache)).toBeUndefined();
});

test('a change of what the record depends on, arriving while it is read, discards the read too', async () => {
  const { cache, source } = setUp();
  source.putKey(buildKeyRow(HASH));
  source.hold();
  const load = cache.loadKey(HASH);
  await Promise.resolve();
  source.put(buildApi({ name: 'renamed' }));
  cache.onChanges([{ seq: 1n, xid: 1n, kind: 'api', id: 'api_1', hash: null }]);
  source.release();
  expect((await load)?.view.api?.name).toBe('renamed');
  expect(source.asked).toHaveLength(2);
});

test('a read that is overtaken without end is given up', async () => {
  const { cache, source } = setUp();
  source.putKey(buildKeyRow(HASH));
  const read = source.readRecords.bind(source);
  source.readRecords = async (hashes) => {
    const reads = await read(hashes);
    cache.onChanges([keyChange(HASH)]);
    return reads;
  };
  await expect(cache.loadKey(HASH)).rejects.toMatchObject({ code: 'database_unavailable' });
});

test('a changed shared object is replaced once for all records; meanwhile none of them is usable', async () => {
  const { cache, source } = setUp();
  for (const hash of ['aa', 'bb']) source.putKey(buildKeyRow(hash));
  await Promise.all([cache.loadKey(HASH), cache.loadKey(asHash('bb'))]);
  const reads = source.asked.length;
  source.put({ kind: 'workspace', id: asWorkspaceId('ws_1'), enabled: false, rateLimit: null });
  source.hold();
  cache.onChanges([{ seq: 1n, xid: 1n, kind: 'workspace', id: 'ws_1', hash: null }]);
  expect(peek(cache)).toBeUndefined();
  const load = cache.loadKey(HASH);
  await Promise.resolve();
  source.release();
  expect((await load)?.view.workspace?.enabled).toBe(false);
  expect(peek(cache, asHash('bb'))?.view.workspace?.enabled).toBe(false);
  expect(source.asked).toHaveLength(reads);
});

test('a deleted API makes its keys’ view empty', async () => {
  const { cache, source } = setUp();
  source.putKey(buildKeyRow(HASH));
  await cache.loadKey(HASH);
  source.shared.delete('api:api_1');
  cache.onChanges([{ seq: 1n, xid: 1n, kind: 'api', id: 'api_1', hash: null }]);
  expect((await cache.loadKey(HASH))?.view.api).toBeNull();
});

test('while a changed shared object can’t be read, its keys fail rather than answer by the old one', async () => {
  const { cache, source, errors } = setUp();
  source.putKey(buildKeyRow(HASH));
  await cache.loadKey(HASH);
  source.failure = new Error('the database is gone');
  cache.onChanges([{ seq: 1n, xid: 1n, kind: 'api', id: 'api_1', hash: null }]);
  await expect(cache.loadKey(HASH)).rejects.toThrow('the database is gone');
  expect(peek(cache)).toBeUndefined();
  expect(errors).toHaveLength(1);
  source.failure = null;
  expect(await cache.loadKey(HASH)).not.toBeNull();
});

test('absence is remembered and ends with the key’s creation', async () => {
  const { cache, source } = setUp();
  expect(await cache.loadKey(HASH)).toBeNull();
  expect(peek(cache)).toBeNull();
  source.putKey(buildKeyRow(HASH));
  cache.onChanges([keyChange(HASH)]);
  expect((await cache.loadKey(HASH))?.row.keyId).toBe('key_aa');
});

test('a key created while its absence was being read is not taken for absent', async () => {
  const { cache, source } = setUp();
  source.hold();
  const load = cache.loadKey(HASH);
  await Promise.resolve();
  source.putKey(buildKeyRow(HASH));
  cache.onChanges([keyChange(HASH)]);
  source.release();
  expect((await load)?.row.keyId).toBe('key_aa');
});

test('made-up keys fill the space for absence only, and never push a real key out', async () => {
  const { cache, source } = setUp({ maxKeys: 3, maxAbsent: 5 });
  for (const hash of ['aa', 'bb', 'cc']) {
    source.putKey(buildKeyRow(hash));
    await cache.loadKey(asHash(hash));
  }
  for (let i = 0; i < 500; i += 1) expect(await cache.loadKey(asHash(`made-up ${i}`))).toBeNull();
  expect(cache.sizes).toMatchObject({ keys: 3, absent: 5 });
  for (const hash of ['aa', 'bb', 'cc']) expect(peek(cache, asHash(hash))).toBeDefined();
});

test('a flood of misses is bounded: beyond it a look-up is refused', async () => {
  const { cache, source } = setUp({ maxWaitingLoads: 3 });
  source.hold();
  const loads = ['1', '2', '3', '4'].map(async (hash) => await cache.loadKey(asHash(hash)));
  await expect(loads[3]).rejects.toMatchObject({ code: 'database_unavailable' });
  source.release();
  expect(await Promise.all(loads.slice(0, 3))).toEqual([null, null, null]);
});

test('a root key presented as a key is nobody’s key, and the other way round', async () => {
  const { cache, source } = setUp();
  source.rootKeys.set(HASH, buildRootKeyRow(HASH));
  source.putKey(buildKeyRow('bb'));
  expect(await cache.loadKey(HASH)).toBeNull();
  expect((await cache.loadRootKey(HASH))?.principal.workspaceId).toBe('ws_1');
  expect(peek(cache)).toBeNull();
  expect(await cache.loadRootKey(asHash('bb'))).toBeNull();
});

test('bounds hold in entries and in bytes, and what records referred to goes with them', async () => {
  const { cache, source } = setUp({ maxKeys: 50, maxBytes: 20_000 });
  for (let i = 0; i < 40; i += 1) {
    source.put({ kind: 'identity', id: `id_${i}`, externalId: `user-${i}`, meta: null, ratelimits: [] });
    source.putKey(buildKeyRow(`k${i}`, { identityId: `id_${i}`, meta: 'x'.repeat(1000) }));
    await cache.loadKey(asHash(`k${i}`));
  }
  expect(cache.sizes.bytes).toBeLessThanOrEqual(20_000);
  expect(cache.sizes.keys).toBeLessThan(10);
  expect(cache.sizes.shared).toBe(2 + cache.sizes.keys);
});

test('another writer makes every record unverified; read again, it says what the new writer knows', async () => {
  const { cache, source } = setUp();
  source.putKey(buildKeyRow(HASH));
  source.putKey(buildKeyRow('bb'));
  await Promise.all([cache.loadKey(HASH), cache.loadKey(asHash('bb'))]);
  // The failover lost the creation of one key, and a change of the API.
  source.keys.delete(HASH);
  source.put(buildApi({ name: 'before' }));
  cache.onEpoch();
  expect(cache.unverified()).toEqual(['bb', 'aa']);
  const held = peek(cache);
  if (held === null || held === undefined) throw new Error('the record is held');
  expect(cache.isVerified(held)).toBe(false);
  expect(await cache.loadKey(HASH)).toBeNull();
  expect((await cache.loadKey(asHash('bb')))?.view.api?.name).toBe('before');
  expect(cache.unverified()).toEqual([]);
});

test('a record read while the writer changed is read again', async () => {
  const { cache, source } = setUp();
  source.putKey(buildKeyRow(HASH));
  source.hold();
  const load = cache.loadKey(HASH);
  await Promise.resolve();
  source.putKey(buildKeyRow(HASH, { enabled: false }));
  cache.onEpoch();
  source.release();
  expect((await load)?.row.enabled).toBe(false);
});

test('a feed that can’t vouch for its delivery drops everything', async () => {
  const { cache, source } = setUp();
  source.putKey(buildKeyRow(HASH));
  await cache.loadKey(HASH);
  cache.onDistrust();
  expect(cache.sizes).toEqual({ keys: 0, bytes: 0, rootKeys: 0, namespaces: 0, absent: 0, shared: 0 });
});

test('an aged record is read again in the background and stays while it can’t be', async () => {
  const { cache, source, errors } = setUp({ maxAgeMs: 1000 });
  source.putKey(buildKeyRow(HASH));
  await cache.loadKey(HASH);
  source.failure = new Error('the database is gone');
  expect(cache.peekKey(HASH, 5000)).not.toBeNull();
  await expect.poll(() => errors.length).toBe(1);
  expect(cache.peekKey(HASH, 5000)).not.toBeNull();
});

test('a record that alone is larger than all the space is answered and not held', async () => {
  const { cache, source } = setUp({ maxBytes: 2000 });
  source.putKey(buildKeyRow(HASH, { meta: 'x'.repeat(5000) }));
  expect((await cache.loadKey(HASH))?.row.keyId).toBe('key_aa');
  expect(cache.sizes).toMatchObject({ keys: 0, shared: 0 });
});
