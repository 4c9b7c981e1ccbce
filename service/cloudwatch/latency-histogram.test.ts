import { expect, test } from 'vitest';
import { between, LatencyHistogram } from './latency-histogram.ts';

/** A histogram on a clock of its own, and what counts a duration in it. */
function make(): { histogram: LatencyHistogram; took: (ms: number) => void } {
  let nowMs = 1000;
  const histogram = new LatencyHistogram(() => nowMs);
  return {
    histogram,
    took: (ms) => {
      const startedMs = histogram.start();
      nowMs += ms;
      histogram.stop(startedMs);
    },
  };
}

const NOTHING = new Float64Array(0);

test.each([0.006, 0.0123, 0.05, 0.99, 1, 7.7, 250, 2000, 30_000])(
  '%d ms is counted as what it is, give or take 9 %',
  (ms) => {
    const { histogram, took } = make();
    took(ms);
    const counted = between(NOTHING, histogram.counts());
    expect(counted?.counts).toEqual([1]);
    expect((counted?.values[0] ?? 0) / ms).toBeGreaterThan(0.91);
    expect((counted?.values[0] ?? 0) / ms).toBeLessThan(1.1);
  },
);

test('no time at all, a clock that went back and hours are counted, too', () => {
  const { histogram, took } = make();
  for (const ms of [0, -1, 1e9]) took(ms);
  const counted = between(NOTHING, histogram.counts());
  expect(counted?.counts).toEqual([2, 1]);
  expect(counted?.values[0]).toBe(0.005);
});

test('values grow from bucket to bucket, and there are never more than a line may hold', () => {
  const { histogram, took } = make();
  for (let ms = 0.001; ms < 200_000; ms *= 1.05) took(ms);
  const values = between(NOTHING, histogram.counts())?.values ?? [];
  expect(values.length).toBeGreaterThan(90);
  expect(values.length).toBeLessThanOrEqual(100);
  expect(values).toEqual(values.toSorted((a, b) => a - b));
  expect(new Set(values).size).toBe(values.length);
});

test('between two looks only what was counted there shows', () => {
  const { histogram, took } = make();
  took(1);
  const before = histogram.counts();
  expect(between(before, histogram.counts())).toBeNull();
  took(1);
  took(1);
  took(80);
  expect(between(before, histogram.counts())?.counts).toEqual([2, 1]);
});
