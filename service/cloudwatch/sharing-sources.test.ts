import { expect, test } from 'vitest';
import { type SharingCounted, sharingSourcesOf } from './sharing-sources.ts';

const PARTS: SharingCounted = {
  exchange: { isShared: true, viewAgeMs: 35 },
  exactLimiter: { counters: { decidedLocally: 3, denied: 4 } },
  leases: { leases: 7, counters: { failed: 2 } },
  ledger: { counters: { lost: 50, overspent: 1, lowBalance: 6 } },
};

/** What each source says now. */
function readAll(parts: SharingCounted): Record<string, number> {
  const { counters, gauges } = sharingSourcesOf(parts);
  return Object.fromEntries(Object.entries({ ...counters, ...gauges }).map(([name, read]) => [name, read()]));
}

test('a task tells how exactly its limits and credits hold', () => {
  expect(readAll(PARTS)).toEqual({
    ExactLimitsAlone: 7,
    CreditsUnavailable: 2,
    CreditsLost: 50,
    CreditsOverspent: 1,
    CreditsLow: 6,
    RateLimitsAlone: 0,
    SharedCountsAgeMs: 35,
    CreditLeases: 7,
  });
});

test('while counts aren’t exchanged the task counts alone, and there is no view to have an age', () => {
  const exchange = { isShared: false, viewAgeMs: 0 };
  expect(readAll({ ...PARTS, exchange })).toMatchObject({
    RateLimitsAlone: 1,
    SharedCountsAgeMs: Number.NaN,
  });
});

test('what is read is what is there by then', () => {
  const counters = { decidedLocally: 0, denied: 0 };
  const { ExactLimitsAlone } = sharingSourcesOf({ ...PARTS, exactLimiter: { counters } }).counters;
  expect(ExactLimitsAlone()).toBe(0);
  counters.denied += 2;
  expect(ExactLimitsAlone()).toBe(2);
});
