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

test('no aligned window gets more than the limit, unless the clock starts it over; counts stay whole and never negative', () => {
  fc.assert(
    fc.property(durationMs, limit, fc.array(step, { maxLength: 60 }), (duration, most, steps) => {
      let nowMs = START_MS;
      const window = new SlidingWindow(duration, nowMs);
      const passed = new Map<number, number>();
      for (const { move, cost } of steps) {
        nowMs += Math.round((move * duration) / 100);
        const { startMs } = window;
        window.moveTo(nowMs);
        if (window.startMs < startMs) passed.clear();
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

test('a clock that steps back by up to a whole window gives nothing back', () => {
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
        const behindMs = Math.round((back * duration) / 100);
        const earlierMs = Math.max(window.startMs - duration, nowMs - behindMs);
        window.moveTo(earlierMs);
        expect(window.usedAt(earlierMs)).toBeGreaterThanOrEqual(used);
      },
    ),
  );
});

test('a clock that was far ahead for a while leaves nothing taken', () => {
  const window = new SlidingWindow(1000, START_MS);
  window.moveTo(START_MS + 3_600_000);
  window.take(5);
  expect(window.moveTo(START_MS + 3_600_000 - 1000)).toBe(false);
  expect(window.usedAt(START_MS + 3_600_000 - 1000)).toBe(5);
  expect(window.moveTo(START_MS + 1500)).toBe(true);
  expect([window.usedAt(START_MS + 1500), window.resetMs]).toEqual([0, START_MS + 2000]);
});

test('what is taken while the clock is behind the window is given back too, and nothing that was taken otherwise', () => {
  const window = new SlidingWindow(MINUTE_MS, START_MS);
  window.take(4);
  const behindMs = START_MS - 5;
  window.moveTo(behindMs);
  window.take(3);
  window.take(2);
  window.undo(2);
  expect(window.giveBack(2, behindMs)).toBe(2);
  window.moveTo(START_MS + 5);
  window.take(1);
  expect(window.giveBack(9, behindMs)).toBe(1);
  expect(window.usedAt(START_MS + 5)).toBe(5);
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

test('units of others count like own ones, move on with them, and are replaced by what is told later', () => {
  const window = new SlidingWindow(MINUTE_MS, START_MS);
  window.take(10);
  window.learn(START_MS, { units: 20, unitsBefore: 40 });
  expect(window.usedAt(START_MS + 29_999)).toBe(10 + 20 + 20);
  window.learn(START_MS, { units: 30, unitsBefore: 0 });
  expect(window.usedAt(START_MS + 29_999)).toBe(40);
  window.moveTo(START_MS + MINUTE_MS);
  expect([window.units, window.unitsBefore, window.othersKnown]).toEqual([0, 10, 30]);
  expect(window.usedAt(START_MS + MINUTE_MS + 29_999)).toBe(20);
  // The final count of the window before comes late, and one of a window that counts no more later still.
  window.learn(START_MS, { units: 50, unitsBefore: 1000 });
  window.learn(START_MS - MINUTE_MS, { units: 1000, unitsBefore: 1000 });
  window.learn(START_MS + 2 * MINUTE_MS, { units: 1000, unitsBefore: 1000 });
  expect(window.usedAt(START_MS + MINUTE_MS + 29_999)).toBe(30);
});

test('only own units are given back, and it says how many they were', () => {
  const window = new SlidingWindow(MINUTE_MS, START_MS);
  window.take(3);
  window.learn(START_MS, { units: 5, unitsBefore: 0 });
  expect(window.giveBack(4, START_MS)).toBe(3);
  expect(window.usedAt(START_MS)).toBe(5);
  window.take(2);
  window.moveTo(START_MS + MINUTE_MS);
  expect(window.giveBack(4, START_MS)).toBe(2);
  expect(window.usedAt(START_MS + MINUTE_MS + 29_999)).toBe(2);
});

/** Every unit that was let through, by its moment: what a true sliding window knows. */
class TrueWindow {
  readonly #taken: (readonly [atMs: number, units: number])[] = [];

  take(atMs: number, units: number): void {
    this.#taken.push([atMs, units]);
  }

  /** Units from the first moment to the last one, both included. */
  units(fromMs: number, toMs: number): number {
    return this.#taken.reduce(
      (sum, [atMs, units]) => (atMs >= fromMs && atMs <= toMs ? sum + units : sum),
      0,
    );
  }
}

/** Steps of a clock that never steps back, many of them close together or just short of a border. */
const forward = fc.record({
  moveMs: fc.oneof(fc.constantFrom(0, 1, 2), fc.integer({ min: 0, max: 60 })),
  cost: fc.integer({ min: 1, max: 6 }),
});

test('against a true sliding window the error is within its bounds at each moment', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 30 }),
      fc.integer({ min: 1, max: 40 }),
      fc.array(forward, { maxLength: 120 }),
      (duration, most, steps) => {
        let nowMs = 1_800_000_000_000;
        const window = new SlidingWindow(duration, nowMs);
        const log = new TrueWindow();
        const [tooMany, tooFew] = [most - Math.floor(most / duration), most - Math.ceil(most / duration)];
        const check = (): void => {
          const inTrueWindow = log.units(nowMs - duration + 1, nowMs);
          expect(inTrueWindow).toBeLessThanOrEqual(most + tooMany);
          window.moveTo(nowMs);
          const still = window.resetMs - 1 - nowMs;
          const before = log.units(window.startMs - duration, window.startMs - 1);
          const really = log.units(nowMs - duration + 1, window.startMs - 1);
          const counted = Math.floor((before * still) / duration);
          expect(inTrueWindow).toBeLessThanOrEqual(most + really - counted);
        };
        for (const { moveMs, cost } of steps) {
          for (let ms = 0; ms < moveMs; ms += 1) {
            check();
            nowMs += 1;
          }
          window.moveTo(nowMs);
          const inTrueWindow = log.units(nowMs - duration + 1, nowMs);
          if (exceeds(window.usedAt(nowMs), cost, most)) {
            expect(inTrueWindow + cost).toBeGreaterThan(most - tooFew);
          } else {
            window.take(cost);
            log.take(nowMs, cost);
          }
          check();
        }
      },
    ),
  );
});

test('both bounds of the error are reached', () => {
  const [duration, most] = [10, 25];
  const taken = (atMs: number): { window: SlidingWindow; units: (atMs: number) => number } => {
    const window = new SlidingWindow(duration, START_MS);
    const startMs = START_MS;
    if (!exceeds(window.usedAt(startMs + atMs), most, most)) window.take(most);
    return {
      window,
      units: (nowMs) => {
        window.moveTo(nowMs);
        let units = 0;
        while (!exceeds(window.usedAt(nowMs), 1, most)) {
          window.take(1);
          units += 1;
        }
        return units;
      },
    };
  };
  // All in the last millisecond of the window before, and the most that passes while it still lies in the true window.
  expect(most + taken(9).units(START_MS + 18)).toBe(most + (most - Math.floor(most / duration)));
  // All in the first millisecond of the window before, none of which lies in the true window.
  expect(most - taken(0).units(START_MS + 10)).toBe(most - Math.ceil(most / duration));
});
