import fc from 'fast-check';
import { expect, test } from 'vitest';
import { exceeds, SlidingWindow } from './sliding-window.ts';

const MINUTE_MS = 60_000;
/** A multiple of every duration that is named below. */
const START_MS = 1_800_000_000_000 - (1_800_000_000_000 % 2_592_000_000);

test('the window before counts by the share that still lies in the window that slides', () => {
  const window = new SlidingWindow(MINUTE_MS, START_MS);
  window.take(60);
  expect(window.usedAt(START_MS + 59_999)).toBe(60);
  const usedAt = (sinceMs: number): number => {
    window.moveTo(START_MS + sinceMs);
    return window.usedAt(START_MS + sinceMs);
  };
  expect(usedAt(MINUTE_MS)).toBe(59);
  expect(usedAt(MINUTE_MS + 29_999)).toBe(30);
  expect(usedAt(MINUTE_MS + 59_999)).toBe(0);
  expect(window.resetMs).toBe(START_MS + 2 * MINUTE_MS);
});

test('with a limit of 1, one unit passes in each window', () => {
  const window = new SlidingWindow(MINUTE_MS, START_MS);
  for (const nowMs of [START_MS, START_MS + MINUTE_MS, START_MS + 2 * MINUTE_MS]) {
    window.moveTo(nowMs);
    expect(exceeds(window.usedAt(nowMs), 1, 1)).toBe(false);
    window.take(1);
    expect(exceeds(window.usedAt(nowMs), 1, 1)).toBe(true);
  }
});

test('what is two windows old counts no more, and the window is over then', () => {
  const window = new SlidingWindow(1000, START_MS);
  window.take(5);
  expect(window.isOver(START_MS + 1999)).toBe(false);
  expect(window.isOver(START_MS + 2000)).toBe(true);
  expect(window.moveTo(START_MS + 2000)).toBe(true);
  expect(window.usedAt(START_MS + 2000)).toBe(0);
});

test.each([
  ['a limit of 0 lets nothing through, not even a look', 0, 0, 0, true],
  ['a look passes at the limit', 5, 0, 5, false],
  ['a look fails beyond the limit, which was lowered', 6, 0, 5, true],
  ['up to the limit', 4, 1, 5, false],
  ['and no further', 4, 2, 5, true],
])('%s', (_case, used, cost, limit, expected) => expect(exceeds(used, cost, limit)).toBe(expected));

const durationMs = fc.constantFrom(1000, 1001, 60_000, 2_592_000_000);
const limit = fc.oneof(fc.integer({ min: 0, max: 20 }), fc.constantFrom(1e6, 1e12));
/** Steps of the clock, in hundredths of a window; some go back. */
const step = fc.record({
  move: fc.integer({ min: -150, max: 250 }),
  cost: fc.oneof(fc.integer({ min: 0, max: 5 }), fc.constantFrom(1e12)),
});

test('no aligned window gets more than the limit, whatever the clock does; counts stay whole and never negative', () => {
  fc.assert(
    fc.property(durationMs, limit, fc.array(step, { maxLength: 60 }), (duration, most, steps) => {
      let nowMs = START_MS;
      const window = new SlidingWindow(duration, nowMs);
      const passed = new Map<number, number>();
      for (const { move, cost } of steps) {
        nowMs += Math.round((move * duration) / 100);
        window.moveTo(nowMs);
        const used = window.usedAt(nowMs);
        expect(Number.isInteger(used) && used >= 0).toBe(true);
        if (exceeds(used, cost, most)) continue;
        window.take(cost);
        const total = (passed.get(window.resetMs) ?? 0) + cost;
        passed.set(window.resetMs, total);
        expect(total).toBeLessThanOrEqual(most);
      }
    }),
  );
});

test('a clock that steps back gives nothing back', () => {
  fc.assert(
    fc.property(
      durationMs,
      fc.integer({ min: 0, max: 300 }),
      fc.integer({ min: 1, max: 300 }),
      (duration, forth, back) => {
        const nowMs = START_MS + Math.round((forth * duration) / 100);
        const window = new SlidingWindow(duration, START_MS);
        window.take(7);
        window.moveTo(nowMs);
        window.take(3);
        const used = window.usedAt(nowMs);
        const earlierMs = nowMs - Math.round((back * duration) / 100);
        window.moveTo(earlierMs);
        expect(window.usedAt(earlierMs)).toBeGreaterThanOrEqual(used);
      },
    ),
  );
});

test('giving back undoes the taking in the same window, and never makes more room than there was', () => {
  const units = fc.integer({ min: 0, max: 1e12 });
  fc.assert(
    fc.property(
      durationMs,
      units,
      units,
      fc.integer({ min: 0, max: 400 }),
      (duration, before, cost, later) => {
        const startMs = START_MS - (START_MS % duration);
        const window = new SlidingWindow(duration, startMs);
        window.take(before);
        window.take(cost);
        const backMs = startMs + Math.round((later * duration) / 100);
        window.moveTo(backMs);
        const held = window.usedAt(backMs);
        window.giveBack(cost, startMs);
        if (later < 100) expect(window.usedAt(backMs)).toBe(before);
        else expect(window.usedAt(backMs)).toBeLessThanOrEqual(held);
        expect(window.usedAt(backMs)).toBeGreaterThanOrEqual(0);
      },
    ),
  );
});
