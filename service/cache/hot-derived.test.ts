import { expect, test } from 'vitest';
import { FakeClock } from '../../test/fake-clock.ts';
import { asHash, asWorkspaceId, buildKeyRow, buildRootKeyRow, FakeSource } from '../../test/records.ts';
import type { NamespaceId } from '../domain/brands.ts';
import { NO_FLOOR } from '../domain/feed.ts';
import { namespaceHash } from '../domain/held-under.ts';
import type { HotKey } from '../domain/hot-records.ts';
import type { SharedObject } from '../domain/records.ts';
import { HotCache } from './hot-cache.ts';

const HASH = asHash('aa');
const ROLE: SharedObject = { kind: 'role', id: 'role_1', name: 'editor', permissions: ['docs.read'] };
const OTHER_ROLE: SharedObject = { kind: 'role', id: 'role_2', name: 'other', permissions: [] };
const IDENTITY: SharedObject = {
  kind: 'identity',
  id: 'id_1',
  externalId: 'user',
  meta: null,
  ratelimits: [{ id: 'rl_1', name: 'calls', limit: 9, durationMs: 1000, autoApply: true }],
};
const ACCOUNT: SharedObject = { kind: 'credits', id: 'cr_1', generation: 1, free: 3 };

/** Holds the key `aa` with a role, an identity and an account, and the key `bb` with another role. */
async function setUp() {
  const source = new FakeSource();
  const cache = new HotCache({
    source,
    floor: () => NO_FLOOR,
    clock: new FakeClock(),
    maxKeys: 10,
    maxBytes: 1_000_000,
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
  for (const object of [ROLE, OTHER_ROLE, IDENTITY, ACCOUNT]) source.put(object);
  source.putKey(buildKeyRow('aa', { roleIds: ['role_1'], identityId: 'id_1', creditAccountId: 'cr_1' }));
  source.putKey(buildKeyRow('bb', { roleIds: ['role_2'] }));
  await Promise.all([cache.loadKey(HASH), cache.loadKey(asHash('bb'))]);

  async function change(object: SharedObject): Promise<void> {
    announce(object);
    await cache.loadKey(HASH);
    await cache.loadKey(asHash('bb'));
  }
  function announce(object: SharedObject): void {
    source.put(object);
    cache.onChanges([{ seq: 1n, xid: 1n, kind: object.kind, id: object.id, hash: null }]);
  }
  function peek(): HotKey {
    const key = cache.peekKey(HASH, 0);
    if (key === null || key === undefined) throw new Error('the key is held');
    return key;
  }
  return { source, cache, change, announce, peek };
}

/** Derives all that a verification does, and marks the kept answer. */
function derive(key: HotKey) {
  key.answerTail = 'kept';
  return { view: key.view, limits: key.autoLimits };
}

test('a change of what another record refers to leaves what this one derived', async () => {
  const { change, peek } = await setUp();
  const { view, limits } = derive(peek());
  await change({ ...OTHER_ROLE, name: 'renamed' });
  expect(peek().answerTail).toBe('kept');
  expect(peek().view).toBe(view);
  expect(peek().autoLimits).toBe(limits);
});

test.each<SharedObject>([
  { ...ROLE, name: 'renamed' },
  { ...IDENTITY, ratelimits: [] },
])('a change of its own $kind renews it, also where other changes came after it', async (object) => {
  const { change, announce, peek, cache } = await setUp();
  const { view, limits } = derive(peek());
  announce(object);
  // The record isn't looked at between the two.
  await cache.loadKey(asHash('bb'));
  await change({ ...OTHER_ROLE, name: 'renamed' });
  expect(peek().answerTail).toBeNull();
  expect(peek().view).not.toBe(view);
  expect(peek().autoLimits).toHaveLength(object.kind === 'identity' ? 0 : limits.length);
});

test('a refill makes its account current, and leaves the kept answer and the limits', async () => {
  const { change, peek } = await setUp();
  const { view, limits } = derive(peek());
  expect(view.credits?.free).toBe(3);
  await change({ ...ACCOUNT, generation: 2, free: 100 });
  expect(peek().view.credits).toMatchObject({ generation: 2, free: 100 });
  expect(peek().answerTail).toBe('kept');
  expect(peek().autoLimits).toBe(limits);
});

test('what somebody derives while a change is being read is forgotten with it', async () => {
  const { source, announce, cache, peek } = await setUp();
  const key = peek();
  source.hold();
  announce({ ...ROLE, name: 'renamed' });
  expect(cache.peekKey(HASH, 0)).toBeUndefined();
  expect(derive(key).view.roles).toEqual(['editor']);
  source.release();
  expect((await cache.loadKey(HASH))?.view.roles).toEqual(['renamed']);
  expect(peek().answerTail).toBeNull();
});

test('a record that is read again forgets all that it derived', async () => {
  const { cache, peek } = await setUp();
  derive(peek());
  await cache.loader.load(HASH);
  expect(peek().answerTail).toBeNull();
});

test('a root key’s principal is renewed with its own workspace alone', async () => {
  const { source, cache, change } = await setUp();
  source.rootKeys.set(asHash('root'), buildRootKeyRow('root'));
  const principal = (await cache.loadRootKey(asHash('root')))?.principal;
  await change({ ...OTHER_ROLE, name: 'renamed' });
  expect((await cache.loadRootKey(asHash('root')))?.principal).toBe(principal);
  const rateLimit = { limit: 5, durationMs: 1000 };
  await change({ kind: 'workspace', id: asWorkspaceId('ws_1'), enabled: true, rateLimit });
  expect((await cache.loadRootKey(asHash('root')))?.principal.rateLimit).toEqual(rateLimit);
});

test('a namespace’s overrides are compiled once, whatever else changes', async () => {
  const { source, cache, change } = await setUp();
  const hash = namespaceHash('ws_1', 'logins');
  let looks = 0;
  const override = { id: 'rlor_1', identifier: 'us*', limit: 3, durationMs: 1000 };
  const overrides = new Proxy([override], {
    get(target, name) {
      if (name === Symbol.iterator) looks += 1;
      return Reflect.get(target, name);
    },
  });
  source.namespaces.set(hash, {
    hash,
    // Made here, so the brand is given here.
    namespaceId: 'rlns_1' as NamespaceId,
    workspaceId: asWorkspaceId('ws_1'),
    name: 'logins',
    deleted: false,
    overrides,
  });
  expect((await cache.loadNamespace(hash))?.overrideOf('user')).toBe(override);
  const before = looks;
  await change({ kind: 'workspace', id: asWorkspaceId('ws_1'), enabled: false, rateLimit: null });
  expect((await cache.loadNamespace(hash))?.overrideOf('user')).toBe(override);
  expect(looks).toBe(before);
});
