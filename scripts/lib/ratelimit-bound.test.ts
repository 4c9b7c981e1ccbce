import fc from 'fast-check';
import { expect, test } from 'vitest';
import { mostWithin, overshootBound } from './ratelimit-bound.ts';

test('the most moments within a span are found as by trying every span', () => {
  const moments = fc.array(fc.integer({ min: 0, max: 500 }), { maxLength: 40 });
  fc.assert(
    fc.property(moments, fc.integer({ min: 0, max: 200 }), (momentsMs, spanMs) => {
      const counts = momentsMs.map(
        (from) => momentsMs.filter((moment) => moment >= from && moment <= from + spanMs).length,
      );
      expect(mostWithin(momentsMs, spanMs)).toBe(Math.max(0, ...counts));
    }),
  );
});

test('the bound is what was asked while tasks did not know of each other', () => {
  // One unit every 10 ms; 200 ms hold 21 of them, both ends included.
  const askedAtMs = Array.from({ length: 300 }, (_, at) => at * 10);
  const options = { tasks: 4, limit: 100, askedAtMs, periodMs: 90 };
  expect(overshootBound({ ...options, exchangeMs: 10 })).toBe(21);
  expect(overshootBound({ ...options, exchangeMs: 1_000 })).toBe(219);
});

test('it is never more than the other tasks can let through, and just that without shared counters', () => {
  const askedAtMs = Array.from({ length: 5_000 }, () => 0);
  const options = { tasks: 3, limit: 100, askedAtMs, periodMs: 100 };
  expect(overshootBound({ ...options, exchangeMs: 10 })).toBe(200);
  expect(overshootBound({ ...options, askedAtMs: [], exchangeMs: null })).toBe(200);
  expect(overshootBound({ ...options, tasks: 1, exchangeMs: 10 })).toBe(0);
});
