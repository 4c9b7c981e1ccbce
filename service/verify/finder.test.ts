import { expect, test } from 'vitest';
import { FakeClock } from '../../test/fake-clock.ts';
import { buildKeyRow, buildRootKeyRow, FakeSource } from '../../test/records.ts';
import { HotCache } from '../cache/hot-cache.ts';
import { generateKeyText, hashKey } from '../domain/key-text.ts';
import { Authenticator } from './authenticator.ts';
import { RecordFinder, type StalenessMode } from './finder.ts';
import { KeyTextGuard } from './key-text-guard.ts';
import { Verifier } from './verifier.ts';

const KEY = generateKeyText({ bytes: new Uint8Array(16).fill(7), zone: 'global' });
const ROOT_KEY = generateKeyText({ prefix: 'kh_root', bytes: new Uint8Array(24).fill(9), zone: 'global' });
const REQUEST = { key: KEY, permissions: undefined, clientAddress: () => '192.0.2.1' };

interface Platform {
  readonly source: FakeSource;
  readonly home: FakeSource;
  readonly cache: HotCache;
  readonly finder: RecordFinder;
  readonly verifier: Verifier;
  readonly authenticator: Authenticator;
  readonly freshness: { staleness: number };
}

async function setUp(mode: StalenessMode): Promise<Platform> {
  const source = new FakeSource();
  const home = new FakeSource();
  for (const one of [source, home]) {
    one.putKey(buildKeyRow(hashKey(KEY)));
    one.rootKeys.set(hashKey(ROOT_KEY), buildRootKeyRow(hashKey(ROOT_KEY)));
  }
  const clock = new FakeClock();
  const cache = new HotCache({
    source,
    clock,
    maxKeys: 10,
    maxBytes: 100_000,
    maxRootKeys: 10,
    maxAbsent: 10,
    maxAgeMs: 60_000,
    loadConcurrency: 1,
    loadBatchSize: 10,
    maxWaitingLoads: 10,
    onBackgroundError: () => {},
  });
  cache.onEpoch();
  const freshness = { staleness: 0 };
  const guard = new KeyTextGuard({
    zone: 'global',
    zones: new Map([
      ['global', 'keys.example.com'],
      ['eu', 'keys.eu.example.com'],
    ]),
  });
  const finder = new RecordFinder({
    records: cache,
    freshness: { stalenessMs: () => freshness.staleness, waitFor: async () => true },
    home,
    guard,
    clock,
    maxStalenessMs: 3000,
    mode,
  });
  const verifier = new Verifier({ finder, records: cache, clock });
  const authenticator = new Authenticator({ finder, clock });
  await authenticator.authenticate(ROOT_KEY);
  await verifier.verify(await authenticator.authenticate(ROOT_KEY), REQUEST);
  source.asked.length = 0;
  return { source, home, cache, finder, verifier, authenticator, freshness };
}

test('with a hot record and a current view the verdict comes synchronously, and nothing is asked', async () => {
  const { source, home, verifier, authenticator } = await setUp('serve');
  const principal = authenticator.authenticate(ROOT_KEY);
  if (principal instanceof Promise) throw new Error('authentication waited');
  expect(verifier.verify(principal, REQUEST)).toMatchObject({
    code: 'VALID',
    staleMs: null,
    unverified: false,
  });
  expect([source.asked, home.asked]).toEqual([[], []]);
});

test('a text with a wrong checksum is refused without a look-up', async () => {
  const { source, verifier, authenticator } = await setUp('serve');
  const principal = await authenticator.authenticate(ROOT_KEY);
  const mistyped = `${KEY.slice(0, 3)}${KEY[3] === 'x' ? 'y' : 'x'}${KEY.slice(4)}`;
  expect(verifier.verify(principal, { ...REQUEST, key: mistyped })).toMatchObject({ code: 'NOT_FOUND' });
  expect(source.asked).toEqual([]);
});

test('a key or root key of another zone is told where it belongs', async () => {
  const { verifier, authenticator } = await setUp('serve');
  const foreign = generateKeyText({ bytes: new Uint8Array(16), zone: 'eu' });
  const principal = await authenticator.authenticate(ROOT_KEY);
  const refusal = { code: 'wrong_zone', message: expect.stringContaining('keys.eu.example.com') };
  expect(() => verifier.verify(principal, { ...REQUEST, key: foreign })).toThrow(
    expect.objectContaining(refusal),
  );
  expect(() => authenticator.authenticate(foreign)).toThrow(expect.objectContaining(refusal));
});

test('mode serve: beyond the limit answers go on from memory, flagged', async () => {
  const { freshness, verifier, authenticator, finder } = await setUp('serve');
  freshness.staleness = 5000;
  const principal = await authenticator.authenticate(ROOT_KEY);
  expect(verifier.verify(principal, REQUEST)).toMatchObject({ code: 'VALID', staleMs: 5000 });
  expect(finder.counters.servedStale).toBeGreaterThan(0);
});

test('mode confirm: beyond the limit home is asked each time, and decides', async () => {
  const { freshness, home, verifier, authenticator } = await setUp('confirm');
  freshness.staleness = 5000;
  const principal = await authenticator.authenticate(ROOT_KEY);
  expect(await verifier.verify(principal, REQUEST)).toMatchObject({ code: 'VALID' });
  home.keys.clear();
  expect(await verifier.verify(principal, REQUEST)).toMatchObject({ code: 'NOT_FOUND' });
  home.rootKeys.clear();
  await expect(authenticator.authenticate(ROOT_KEY)).rejects.toMatchObject({ code: 'root_key_not_found' });
  home.failure = new Error('home is gone');
  await expect(verifier.verify(principal, REQUEST)).rejects.toThrow('home is gone');
});

test('mode refuse: beyond the limit the answer is 503, and within it again a verdict', async () => {
  const { freshness, verifier, authenticator } = await setUp('refuse');
  const principal = await authenticator.authenticate(ROOT_KEY);
  freshness.staleness = 5000;
  await expect(verifier.verify(principal, REQUEST)).rejects.toMatchObject({ code: 'too_stale', status: 503 });
  freshness.staleness = 100;
  expect(verifier.verify(principal, REQUEST)).toMatchObject({ code: 'VALID' });
});

test('after another region became home: serve answers from memory, flagged, and reads again behind it', async () => {
  const { cache, source, verifier, authenticator } = await setUp('serve');
  const principal = await authenticator.authenticate(ROOT_KEY);
  source.keys.clear();
  cache.onEpoch();
  expect(verifier.verify(principal, REQUEST)).toMatchObject({ code: 'VALID', unverified: true });
  await expect.poll(() => verifier.verify(principal, REQUEST)).toMatchObject({ code: 'NOT_FOUND' });
});

test.each(['confirm', 'refuse'] as const)(
  'after another region became home: %s reads the record again first',
  async (mode) => {
    const { cache, source, verifier, authenticator } = await setUp(mode);
    const principal = await authenticator.authenticate(ROOT_KEY);
    source.keys.clear();
    cache.onEpoch();
    expect(await verifier.verify(principal, REQUEST)).toMatchObject({ code: 'NOT_FOUND' });
  },
);
