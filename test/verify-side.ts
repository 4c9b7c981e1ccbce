import { NO_FLOOR } from '../service/domain/feed.ts';
import { HotCache } from '../service/cache/hot-cache.ts';
import { generateKeyText, hashKey } from '../service/domain/key-text.ts';
import { CreditLeases } from '../service/limits/credit-leases.ts';
import { TIMERS } from '../service/limits/credit-leases-options.ts';
import { MemoryRateLimiter } from '../service/limits/memory-rate-limiter.ts';
import { Authenticator } from '../service/verify/authenticator.ts';
import { RecordFinder, type StalenessMode } from '../service/verify/finder.ts';
import { KeyTextGuard } from '../service/verify/key-text-guard.ts';
import { NamespaceLimits } from '../service/verify/namespace-limits.ts';
import { Verifier } from '../service/verify/verifier.ts';
import { WorkspaceLimit } from '../service/verify/workspace-limit.ts';
import { FakeClock } from './fake-clock.ts';
import { FakeLedger } from './fake-ledger.ts';
import { FakeExactLimiter } from './fake-exact-limiter.ts';
import { buildKeyRow, buildRootKeyRow, FakeSource } from './records.ts';

export const KEY = generateKeyText({ bytes: new Uint8Array(16).fill(7), zone: 'global' });
/** In neither database, unless a test puts it there. */
export const OTHER_KEY = generateKeyText({ bytes: new Uint8Array(16).fill(8), zone: 'global' });
export const ROOT_KEY = generateKeyText({
  prefix: 'kh_root',
  bytes: new Uint8Array(24).fill(9),
  zone: 'global',
});
export const FOREIGN_KEY = generateKeyText({ bytes: new Uint8Array(16), zone: 'eu' });

/** All that a verification runs through but HTTP, over two databases in memory: the region's reader and home's. */
export interface VerifySide {
  readonly source: FakeSource;
  readonly home: FakeSource;
  readonly cache: HotCache;
  readonly finder: RecordFinder;
  readonly verifier: Verifier;
  readonly limiter: MemoryRateLimiter;
  readonly exactLimiter: FakeExactLimiter;
  readonly credits: CreditLeases;
  readonly ledger: FakeLedger;
  readonly namespaceLimits: NamespaceLimits;
  readonly workspaceLimit: WorkspaceLimit;
  readonly authenticator: Authenticator;
  readonly clock: FakeClock;
  /** What the feed is supposed to say; tests change it. */
  readonly freshness: { staleness: number; reaches: boolean };
}

/** `KEY` and `ROOT_KEY` exist in both databases. */
export function makeVerifySide(mode: StalenessMode = 'serve'): VerifySide {
  const source = new FakeSource();
  const home = new FakeSource();
  for (const one of [source, home]) {
    one.putKey(buildKeyRow(hashKey(KEY)));
    one.rootKeys.set(hashKey(ROOT_KEY), buildRootKeyRow(hashKey(ROOT_KEY)));
  }
  const clock = new FakeClock();
  const cache = new HotCache({
    source,
    floor: () => NO_FLOOR,
    clock,
    maxKeys: 10,
    maxBytes: 100_000,
    maxRootKeys: 10,
    maxNamespaces: 10,
    maxAbsent: 10,
    maxAgeMs: 60_000,
    loadConcurrency: 1,
    loadBatchSize: 10,
    maxWaitingLoads: 10,
    onBackgroundError: () => {},
  });
  cache.onEpoch();
  const freshness = { staleness: 0, reaches: true };
  const guard = new KeyTextGuard({
    zone: 'global',
    zones: new Map([
      ['global', 'keys.example.com'],
      ['eu', 'keys.eu.example.com'],
    ]),
  });
  const feed = {
    mark: null,
    stalenessMs: () => freshness.staleness,
    waitFor: async () => freshness.reaches,
  };
  const finder = new RecordFinder({
    records: cache,
    freshness: feed,
    home,
    guard,
    clock,
    maxStalenessMs: 3000,
    mode,
  });
  const limiter = new MemoryRateLimiter({ maxCounters: 100 });
  const exactLimiter = new FakeExactLimiter(limiter);
  const ledger = new FakeLedger(TIMERS);
  let draws = 0;
  const credits = new CreditLeases({
    ledger,
    clock,
    holder: 'us-east-1/1',
    epoch: () => null,
    randomId: () => `draw_${(draws += 1)}`,
    log: { info: () => {}, warn: () => {} },
    // A ledger that fails is given up soon.
    numbers: { budgetMs: 30, retryMs: 10 },
  });
  const verifier = new Verifier({ finder, records: cache, limiter, exactLimiter, credits, clock });
  const authenticator = new Authenticator({ finder, clock });
  return {
    source,
    home,
    cache,
    finder,
    verifier,
    limiter,
    exactLimiter,
    credits,
    ledger,
    namespaceLimits: new NamespaceLimits({ finder, records: cache, freshness: feed, limiter, clock }),
    workspaceLimit: new WorkspaceLimit({ limiter, clock }),
    authenticator,
    clock,
    freshness,
  };
}
