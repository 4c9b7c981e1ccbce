import fc from 'fast-check';
import { expect, test } from 'vitest';

import { percentile, summarize } from './percentiles.ts';

test('percentiles are the nearest ranks', () => {
  const hundred = Array.from({ length: 100 }, (_, index) => 100 - index);
  expect(summarize(hundred)).toEqual({ count: 100, p50: 50, p99: 99, max: 100 });
  expect(percentile([7], 50)).toBe(7);
  expect(percentile([3, 1, 2], 50)).toBe(2);
  expect(percentile([], 50)).toBeNaN();
});

test('a percentile is one of the values and at least its share of them don’t exceed it', () => {
  const values = fc.array(fc.double({ noNaN: true }), { minLength: 1, maxLength: 50 });
  fc.assert(
    fc.property(values, fc.integer({ min: 1, max: 100 }), (all, percent) => {
      const found = percentile(all, percent);
      expect(all).toContain(found);
      expect(all.filter((value) => value <= found).length).toBeGreaterThanOrEqual(
        (percent / 100) * all.length,
      );
    }),
  );
});
