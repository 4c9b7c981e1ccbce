import { expect, test } from 'vitest';
import { LeaseCounters } from './limits/credit-leases-options.ts';
import type { MetricSource } from './metrics.ts';
import { type SharingMeasured, sharingMetrics } from './sharing-metrics.ts';

const LEASES = new LeaseCounters();
const MEASURED = {
  limiter: { size: 0, counters: { evicted: 0 } },
  exactLimiter: {
    isExact: true,
    counters: { asked: 20, refused: 4, decidedLocally: 3, denied: 2, compensations: 7, failures: 5 },
  },
  exchange: {
    isShared: true,
    viewAgeMs: 0,
    lastExchangeMs: 0,
    maxExchangeMs: 0,
    counters: { exchanges: 0, failures: 0, told: 0, unanswered: 0 },
  },
  valkey: null,
  ledger: {
    counters: {
      draws: 10,
      direct: 4,
      granted: 3,
      refused: 2,
      settlements: 8,
      recalls: 1,
      lost: 45,
      overspent: 0,
      cancelled: 6,
      lowBalance: 1,
      failed: 1,
    },
    outstanding: { leases: 2, leased: 250, lost: 300 },
  },
  leases: { ageMs: 0, leases: 1, leasedCredits: 100, unsettled: 0, counters: LEASES },
};

function read(measured: SharingMeasured): Record<string, unknown> {
  const make = (name: string, help: string, value: MetricSource['read']): MetricSource => ({
    name,
    help,
    kind: 'gauge',
    read: value,
  });
  const sources = sharingMetrics(measured, {
    counter: make,
    gauge: make,
    byOutcome: (counters) =>
      Object.entries(counters).map(([outcome, value]) => ({ labels: { outcome }, value })),
  });
  expect(new Set(sources.map(({ name }) => name)).size).toBe(sources.length);
  return Object.fromEntries(
    sources.map(({ name, read: now }) => {
      const value = now();
      if (typeof value === 'number') return [name, value];
      return [
        name,
        Object.fromEntries(value.map(({ labels, value: each }) => [Object.values(labels).join(), each])),
      ];
    }),
  );
}

test('outcomes sum up to what there was, and nothing is counted under two of them', () => {
  expect(read(MEASURED)).toMatchObject({
    exact_rate_limits: { passed: 11, refused: 4, decidedLocally: 3, denied: 2 },
    exact_rate_limit_releases: 7,
    exact_rate_limit_failures: 5,
    credit_ledger_draws: { direct: 4, granted: 3, refused: 2, empty: 1 },
    credit_ledger_settlements: 8,
    credit_ledger_cancelled: 6,
  });
});

test('what is out of the whole zone is told beside what this task holds', () => {
  expect(read(MEASURED)).toMatchObject({
    credits_out: { leased: 250, lost: 300 },
    credit_leases_out: 2,
    credit_leases: 1,
    credits_held: 100,
    credits_lost: 45,
    credits_low: 1,
  });
});

test('the counter of exact limits that passed never goes back, though what was under way is refused', () => {
  const counters = { ...MEASURED.exactLimiter.counters };
  const sources: MetricSource[] = [];
  const make = (name: string, help: string, value: MetricSource['read']): MetricSource => {
    const source: MetricSource = { name, help, kind: 'counter', read: value };
    sources.push(source);
    return source;
  };
  sharingMetrics(
    { ...MEASURED, exactLimiter: { isExact: true, counters } },
    {
      counter: make,
      gauge: make,
      byOutcome: ({ passed = 0 }) => [{ labels: {}, value: passed }],
    },
  );
  const passed = sources.find(({ name }) => name === 'exact_rate_limits');
  expect(passed?.read()).toEqual([{ labels: {}, value: 11 }]);
  counters.refused += 3;
  expect(passed?.read()).toEqual([{ labels: {}, value: 11 }]);
  counters.asked += 10;
  expect(passed?.read()).toEqual([{ labels: {}, value: 18 }]);
});
