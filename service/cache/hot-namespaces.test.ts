import { expect, test } from 'vitest';
import { FakeClock } from '../../test/fake-clock.ts';
import { asWorkspaceId, buildKeyRow, FakeSource } from '../../test/records.ts';
import type { NamespaceId } from '../domain/brands.ts';
import { NO_FLOOR } from '../domain/feed.ts';
import { namespaceHash } from '../domain/held-under.ts';
import type { NamespaceRow, RateLimitOverride } from '../domain/records.ts';
import { HotCache } from './hot-cache.ts';

const HASH = namespaceHash('ws_1', 'logins');

function setUp(maxBytes = 1_000_000) {
  const source = new FakeSource();
  const cache = new HotCache({
    source,
    floor: () => NO_FLOOR,
    clock: new FakeClock(),
    maxKeys: 100,
    maxBytes,
    maxRootKeys: 10,
    maxNamespaces: 2,
    maxAbsent: 10,
    maxAgeMs: 60_000,
    loadConcurrency: 1,
    loadBatchSize: 10,
    maxWaitingLoads: 50,
    onBackgroundError: () => {},
  });
  cache.onEpoch();
  return { source, cache };
}

function row(overrides: readonly RateLimitOverride[] = [], hash = HASH): NamespaceRow {
  return {
    hash,
    // Made here, so the brand is given here.
    namespaceId: 'rlns_1' as NamespaceId,
    workspaceId: asWorkspaceId('ws_1'),
    name: 'logins',
    deleted: false,
    overrides,
  };
}

test('a namespace is read once; a changed override drops it, and it is read again', async () => {
  const { source, cache } = setUp();
  source.namespaces.set(HASH, row());
  expect((await cache.loadNamespace(HASH))?.overrideOf('user')).toBeNull();
  expect(cache.peekNamespace(HASH, 0)).toBe(await cache.loadNamespace(HASH));
  expect(source.asked).toHaveLength(1);
  source.namespaces.set(HASH, row([{ id: 'rlor_1', identifier: 'us*', limit: 3, durationMs: 1000 }]));
  cache.onChanges([{ seq: 1n, xid: 1n, kind: 'namespace', id: 'rlns_1', hash: HASH }]);
  expect(cache.peekNamespace(HASH, 0)).toBeUndefined();
  expect((await cache.loadNamespace(HASH))?.overrideOf('user')?.limit).toBe(3);
});

test('a namespace that isn’t there is known to be absent until it is made', async () => {
  const { source, cache } = setUp();
  expect(await cache.loadNamespace(HASH)).toBeNull();
  expect(cache.peekNamespace(HASH, 0)).toBeNull();
  source.namespaces.set(HASH, row());
  cache.onChanges([{ seq: 1n, xid: 1n, kind: 'namespace', id: 'rlns_1', hash: HASH }]);
  expect((await cache.loadNamespace(HASH))?.row.name).toBe('logins');
});

test('a namespace is no key, and has bounds of its own', async () => {
  const { source, cache } = setUp();
  for (const name of ['logins', 'b', 'c']) {
    const hash = namespaceHash('ws_1', name);
    source.namespaces.set(hash, row([], hash));
    await cache.loadNamespace(hash);
    expect(cache.peekKey(hash, 0)).toBeNull();
  }
  expect(cache.sizes.namespaces).toBe(2);
});

test('under another writer a namespace is unverified until it is read again', async () => {
  const { source, cache } = setUp();
  source.namespaces.set(HASH, row());
  await cache.loadNamespace(HASH);
  cache.onEpoch();
  expect(cache.unverified()).toEqual([HASH]);
  await cache.loadNamespace(HASH);
  expect(cache.unverified()).toEqual([]);
});

test('large metadata of identities counts against the bytes that keys may take', async () => {
  const { source, cache } = setUp(100_000);
  for (let i = 0; i < 20; i += 1) {
    const meta = JSON.stringify({ text: 'x'.repeat(20_000) });
    source.put({ kind: 'identity', id: `id_${i}`, externalId: `user-${i}`, meta, ratelimits: [] });
    const key = buildKeyRow(`k${i}`, { identityId: `id_${i}` });
    source.putKey(key);
    await cache.loadKey(key.hash);
  }
  expect(cache.sizes.keys).toBeLessThan(5);
});
