import fc from 'fast-check';
import { expect, test } from 'vitest';
import { mostWithin, overshootBound, unawareMs } from './ratelimit-bound.ts';

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

test('how long tasks do not know of each other is as the docs say', () => {
  expect([0, 5, 50, 100, 250].map(unawareMs)).toEqual([225, 235, 325, 425, 1025]);
});

test('the bound is what was asked while tasks did not know of each other', () => {
  // One unit every 10 ms; 225 ms hold 23 of them, the first at their very beginning.
  const askedAtMs = Array.from({ length: 300 }, (_, at) => at * 10);
  const options = { tasks: 4, limit: 100, askedAtMs };
  expect(overshootBound({ ...options, exchangeMs: 0 })).toBe(23);
  // 2 × (262.5 + 250) ms.
  expect(overshootBound({ ...options, exchangeMs: 250 })).toBe(103);
});

test('it is never more than the other tasks can let through, and just that where tasks count alone', () => {
  const askedAtMs = Array.from({ length: 5_000 }, () => 0);
  const options = { tasks: 3, limit: 100, askedAtMs };
  expect(overshootBound({ ...options, exchangeMs: 10 })).toBe(200);
  expect(overshootBound({ ...options, askedAtMs: [], exchangeMs: null })).toBe(200);
  expect(overshootBound({ ...options, tasks: 1, exchangeMs: 10 })).toBe(0);
});
