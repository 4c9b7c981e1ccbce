import { expect, test } from 'vitest';
import { FakeClock } from '../../test/fake-clock.ts';
import { asHash, asWorkspaceId, buildKeyRow, FakeSource } from '../../test/records.ts';
import type { NamespaceId } from '../domain/brands.ts';
import { NO_FLOOR } from '../domain/feed.ts';
import { namespaceHash } from '../domain/held-under.ts';
import type { KeyRow, SharedObject } from '../domain/records.ts';
import { HotCache } from './hot-cache.ts';

const MAX_BYTES = 200_000;

function setUp() {
  const source = new FakeSource();
  const cache = new HotCache({
    source,
    floor: () => NO_FLOOR,
    clock: new FakeClock(),
    maxKeys: 100,
    maxBytes: MAX_BYTES,
    maxRootKeys: 10,
    maxNamespaces: 10,
    maxAbsent: 10,
    maxAgeMs: 60_000,
    loadConcurrency: 1,
    loadBatchSize: 10,
    maxWaitingLoads: 50,
    onBackgroundError: () => {},
  });
  cache.onEpoch();

  async function load(hash: string, row: Partial<KeyRow> = {}): Promise<void> {
    source.putKey(buildKeyRow(hash, row));
    await cache.loadKey(asHash(hash));
  }
  function change(object: SharedObject): void {
    source.put(object);
    cache.onChanges([{ seq: 1n, xid: 1n, kind: object.kind, id: object.id, hash: null }]);
  }
  const holds = (hash: string): boolean => cache.peekKey(asHash(hash), 0) !== undefined;
  return { source, cache, load, change, holds };
}

function identity(length: number): SharedObject {
  return { kind: 'identity', id: 'id_1', externalId: 'user', meta: 'x'.repeat(length), ratelimits: [] };
}

function role(size: number): SharedObject {
  const permissions = Array.from({ length: size }, (_, at) => `docs.read.${at}`);
  return { kind: 'role', id: 'role_1', name: 'editor', permissions };
}

test('an identity that grows pushes the least recently used keys out, and makes room again where it shrinks', async () => {
  const { source, cache, load, change, holds } = setUp();
  source.put(identity(10));
  for (let at = 0; at < 60; at += 1) await load(`k${at}`, { identityId: 'id_1' });
  const before = cache.sizes.bytes;
  change(identity(150_000));
  await expect.poll(() => holds('k59')).toBe(true);
  expect(cache.sizes.bytes).toBeLessThanOrEqual(MAX_BYTES);
  expect(cache.sizes.bytes).toBeGreaterThan(150_000);
  expect(cache.counters.evicted).toBe(60 - cache.sizes.keys);
  expect(holds('k0')).toBe(false);
  change(identity(10));
  await expect.poll(() => holds('k59')).toBe(true);
  expect(cache.sizes.bytes).toBeLessThan(before);
});

test('a role of many permissions counts once, however many keys have it, and no more once they are gone', async () => {
  const { source, cache, load } = setUp();
  source.put(role(1000));
  await load('k0', { roleIds: ['role_1'] });
  const one = cache.sizes.bytes;
  expect(one).toBeGreaterThan(50_000);
  for (let at = 1; at < 20; at += 1) await load(`k${at}`, { roleIds: ['role_1'] });
  expect(cache.sizes.keys).toBe(20);
  expect(cache.sizes.bytes).toBeLessThan(one + 19 * 6000);
  cache.onDistrust();
  expect(cache.sizes.bytes).toBe(0);
});

test('an identity that is let go while it is read again counts nothing', async () => {
  const { source, cache, load, change } = setUp();
  source.put(identity(10));
  await load('k0', { identityId: 'id_1' });
  source.hold();
  change(identity(50_000));
  await Promise.resolve();
  cache.onChanges([{ seq: 2n, xid: 2n, kind: 'key', id: 'key_k0', hash: asHash('k0') }]);
  source.release();
  await new Promise(setImmediate);
  expect(cache.sizes).toMatchObject({ keys: 0, shared: 0, bytes: 0 });
});

test('a key whose identity alone is larger than all the space is answered, not held, and pushes nothing out', async () => {
  const { source, cache, load, holds } = setUp();
  await load('k0');
  source.put(identity(MAX_BYTES));
  source.putKey(buildKeyRow('large', { identityId: 'id_1' }));
  expect((await cache.loadKey(asHash('large')))?.view.identity?.id).toBe('id_1');
  expect(holds('large')).toBe(false);
  expect(holds('k0')).toBe(true);
});

test('namespaces are bounded in bytes as well, and the largest that there may be is held', async () => {
  const { source, cache } = setUp();
  const override = { id: 'rlor_1', identifier: 'x'.repeat(512), limit: 1, durationMs: 1000 };
  const overrides = Array.from({ length: 10_000 }, () => override);
  for (const name of ['a', 'b']) {
    const hash = namespaceHash('ws_1', name);
    source.namespaces.set(hash, {
      hash,
      // Made here, so the brand is given here.
      namespaceId: `rlns_${name}` as NamespaceId,
      workspaceId: asWorkspaceId('ws_1'),
      name,
      deleted: false,
      overrides,
    });
    await cache.loadNamespace(hash);
    expect(cache.sizes.namespaces).toBe(1);
    expect(cache.peekNamespace(hash, 0)?.row.name).toBe(name);
  }
});
