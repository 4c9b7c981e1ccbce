import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { RateLimitAsk } from '../verify/ports.ts';
import { MemoryRateLimiter } from './memory-rate-limiter.ts';

const NOW_MS = 1_800_000_000_000;

function ask(counter: string, change: Partial<RateLimitAsk> = {}): RateLimitAsk {
  return { counter, limit: 3, durationMs: 60_000, cost: 1, ...change };
}

function setUp(maxCounters = 100) {
  const limiter = new MemoryRateLimiter({ maxCounters });
  const passes = (...asks: readonly RateLimitAsk[]): boolean =>
    limiter.take('ws_1', asks, NOW_MS).every(({ exceeded }) => !exceeded);
  return { limiter, passes };
}

test('says what is left and when the window ends', () => {
  const { limiter } = setUp();
  const resetMs = NOW_MS + 60_000;
  expect(limiter.take('ws_1', [ask('a', { cost: 2 })], NOW_MS)).toEqual([
    { exceeded: false, remaining: 1, resetMs },
  ]);
  expect(limiter.take('ws_1', [ask('a', { cost: 2 })], NOW_MS)).toEqual([
    { exceeded: true, remaining: 1, resetMs },
  ]);
  expect(limiter.take('ws_1', [ask('a')], NOW_MS)).toEqual([{ exceeded: false, remaining: 0, resetMs }]);
});

test('the same name with another duration is another counter', () => {
  const { passes } = setUp();
  expect(passes(ask('a', { cost: 3 }))).toBe(true);
  expect(passes(ask('a', { durationMs: 1000 }))).toBe(true);
  expect(passes(ask('a'))).toBe(false);
});

test('a refusal by one limit takes units of none, and says which one it was', () => {
  const { limiter, passes } = setUp();
  expect(passes(ask('small', { limit: 1 }))).toBe(true);
  const states = limiter.take('ws_1', [ask('large'), ask('small', { limit: 1 }), ask('other')], NOW_MS);
  expect(states.map(({ exceeded }) => exceeded)).toEqual([false, true, false]);
  expect(states.map(({ remaining }) => remaining)).toEqual([3, 0, 3]);
  expect(limiter.take('ws_1', [ask('large', { cost: 0 })], NOW_MS)[0]?.remaining).toBe(3);
});

test('costs of one counter add up within one call', () => {
  const { limiter, passes } = setUp();
  expect(passes(ask('a', { cost: 2 }), ask('a', { cost: 2 }))).toBe(false);
  expect(passes(ask('a', { cost: 2 }), ask('a', { cost: 1 }))).toBe(true);
  expect(limiter.take('ws_1', [ask('a', { cost: 0 })], NOW_MS)[0]?.remaining).toBe(0);
});

test('a look, and a limit of 0, keep no counter', () => {
  const { limiter } = setUp();
  expect(limiter.take('ws_1', [ask('a', { cost: 0 })], NOW_MS)[0]?.exceeded).toBe(false);
  expect(limiter.take('ws_1', [ask('b', { limit: 0 })], NOW_MS)[0]?.exceeded).toBe(true);
  expect(limiter.size).toBe(0);
});

test('what is given back can be taken again; of a counter that is gone nothing is given back', () => {
  const { limiter, passes } = setUp();
  const asks = [ask('a', { cost: 3 }), ask('b', { cost: 1 })];
  expect(passes(...asks)).toBe(true);
  expect(passes(...asks)).toBe(false);
  limiter.giveBack('ws_1', asks, NOW_MS);
  expect(passes(...asks)).toBe(true);
  limiter.giveBack('ws_1', [ask('unknown')], NOW_MS);
});

test('there are never more counters than allowed: expired ones leave first, a live one only where none has expired', () => {
  const { limiter } = setUp(3);
  const take = (counter: string, durationMs: number, nowMs: number) =>
    limiter.take('ws_1', [ask(counter, { durationMs })], nowMs);
  take('day', 86_400_000, NOW_MS);
  take('second', 1000, NOW_MS);
  take('minute', 60_000, NOW_MS);
  take('later', 60_000, NOW_MS + 2000);
  expect([limiter.size, limiter.counters.evicted]).toEqual([3, 0]);
  take('one more', 60_000, NOW_MS + 2000);
  expect([limiter.size, limiter.counters.evicted]).toEqual([3, 1]);
  const left = (counter: string, durationMs: number) =>
    limiter.take('ws_1', [ask(counter, { durationMs, cost: 0 })], NOW_MS + 2000)[0]?.remaining;
  expect([left('day', 86_400_000), left('minute', 60_000), left('later', 60_000)]).toEqual([2, 3, 2]);
});

test('whoever makes many counters takes room from itself: what another workspace counts stays counted', () => {
  const { limiter } = setUp(50);
  const short = ask('user', { limit: 2 });
  limiter.take('ws_other', [short], NOW_MS);
  limiter.take('ws_other', [short], NOW_MS);
  for (let n = 0; n < 500; n += 1) {
    limiter.take('ws_1', [ask(`filler ${n}`, { durationMs: 2_592_000_000 })], NOW_MS);
  }
  expect(limiter.size).toBe(50);
  expect(limiter.counters.evicted).toBe(451);
  expect(limiter.take('ws_other', [short], NOW_MS)[0]?.exceeded).toBe(true);
});

test('of two workspaces that fill it, each keeps about half', () => {
  const { limiter } = setUp(100);
  for (let n = 0; n < 1000; n += 1) {
    limiter.take(n % 2 === 0 ? 'ws_1' : 'ws_2', [ask(`filler ${n}`)], NOW_MS);
  }
  const kept = (workspaceId: string) =>
    Array.from({ length: 1000 }, (_, n) => n).filter(
      (n) => limiter.take(workspaceId, [ask(`filler ${n}`, { cost: 0 })], NOW_MS)[0]?.remaining === 2,
    ).length;
  expect(kept('ws_1')).toBeGreaterThanOrEqual(40);
  expect(kept('ws_2')).toBeGreaterThanOrEqual(40);
});

test('a workspace that asks for nothing any more is emptied once its windows are over', () => {
  const { limiter } = setUp();
  limiter.take('ws_gone', [ask('a'), ask('b')], NOW_MS);
  for (let n = 0; n < 4; n += 1) limiter.take('ws_1', [ask(`${n}`)], NOW_MS + 120_000);
  expect(limiter.size).toBe(4);
});

test('a refused call keeps no counter that it made, and pushes none out', () => {
  const { limiter } = setUp(2);
  limiter.take('ws_1', [ask('full', { cost: 3 })], NOW_MS);
  limiter.take('ws_1', [ask('kept')], NOW_MS);
  limiter.take('ws_1', [ask('new'), ask('full')], NOW_MS);
  expect([limiter.size, limiter.counters.evicted]).toEqual([2, 0]);
});

test('a counter that is used again in a later window is not taken for an old one', () => {
  const { limiter } = setUp(2);
  limiter.take('ws_1', [ask('used')], NOW_MS);
  limiter.take('ws_1', [ask('left')], NOW_MS + 1);
  limiter.take('ws_1', [ask('used')], NOW_MS + 60_000);
  limiter.take('ws_1', [ask('new')], NOW_MS + 60_000);
  const seen = limiter.take('ws_1', [ask('used', { cost: 0 }), ask('left', { cost: 0 })], NOW_MS + 60_000);
  expect(seen.map(({ remaining }) => remaining)).toEqual([2, 3]);
});

test('whatever durations come, no answer is out of bounds and there are never more counters than allowed', () => {
  const one = fc.record({
    counter: fc.constantFrom('a', 'b', 'c'),
    durationMs: fc.integer({ min: 1000, max: 1040 }),
    cost: fc.integer({ min: 0, max: 3 }),
  });
  fc.assert(
    fc.property(fc.array(fc.tuple(one, fc.integer({ min: 0, max: 700 })), { maxLength: 200 }), (steps) => {
      const { limiter } = setUp(10);
      let nowMs = NOW_MS;
      for (const [{ counter, durationMs, cost }, waitMs] of steps) {
        nowMs += waitMs;
        const [state] = limiter.take('ws_1', [ask(counter, { durationMs, cost })], nowMs);
        expect(state?.remaining).toBeGreaterThanOrEqual(0);
        expect(state?.remaining).toBeLessThanOrEqual(3);
        expect(state?.resetMs).toBeGreaterThan(nowMs);
        expect(limiter.size).toBeLessThanOrEqual(10);
      }
    }),
  );
});

/** What a limiter should do, written down without care for time or memory: every unit by counter and aligned window. */
class Model {
  readonly #units = new Map<string, Map<number, number>>();
  readonly #latestMs = new Map<string, number>();

  take(workspaceId: string, asks: readonly RateLimitAsk[], nowMs: number): readonly boolean[] {
    const taken: RateLimitAsk[] = [];
    const exceeded = asks.map((one) => {
      const isExceeded = one.limit === 0 || this.used(workspaceId, one, nowMs) + one.cost > one.limit;
      if (!isExceeded) {
        this.#add(workspaceId, one, nowMs, one.cost);
        taken.push(one);
      }
      return isExceeded;
    });
    if (exceeded.includes(true)) for (const one of taken) this.#add(workspaceId, one, nowMs, -one.cost);
    return exceeded;
  }

  giveBack(workspaceId: string, asks: readonly RateLimitAsk[], takenAtMs: number): void {
    for (const one of asks) {
      const windowMs = this.#startMs(workspaceId, one, takenAtMs);
      const units = this.#windows(workspaceId, one);
      units.set(windowMs, Math.max(0, (units.get(windowMs) ?? 0) - one.cost));
    }
  }

  used(workspaceId: string, one: RateLimitAsk, nowMs: number): number {
    const startMs = this.#startMs(workspaceId, one, nowMs);
    const units = this.#windows(workspaceId, one);
    const sinceMs = Math.min(one.durationMs - 1, Math.max(0, nowMs - startMs));
    const before = units.get(startMs - one.durationMs) ?? 0;
    return (units.get(startMs) ?? 0) + Math.floor((before * (one.durationMs - 1 - sinceMs)) / one.durationMs);
  }

  /** Of the present window; a clock that steps back doesn't go back to an earlier one of which units are held. */
  #startMs(workspaceId: string, one: RateLimitAsk, nowMs: number): number {
    const name = nameOf(workspaceId, one);
    return Math.max(this.#latestMs.get(name) ?? 0, Math.floor(nowMs / one.durationMs) * one.durationMs);
  }

  #add(workspaceId: string, one: RateLimitAsk, nowMs: number, units: number): void {
    const startMs = this.#startMs(workspaceId, one, nowMs);
    const windows = this.#windows(workspaceId, one);
    windows.set(startMs, (windows.get(startMs) ?? 0) + units);
  }

  /** A counter that is asked and held moves on. */
  moveOn(workspaceId: string, one: RateLimitAsk, nowMs: number, isHeld: boolean): void {
    if (isHeld) this.#latestMs.set(nameOf(workspaceId, one), this.#startMs(workspaceId, one, nowMs));
  }

  #windows(workspaceId: string, one: RateLimitAsk): Map<number, number> {
    const name = nameOf(workspaceId, one);
    const windows = this.#units.get(name) ?? new Map<number, number>();
    this.#units.set(name, windows);
    return windows;
  }
}

function nameOf(workspaceId: string, { counter, durationMs }: RateLimitAsk): string {
  return `${workspaceId} ${counter} ${durationMs}`;
}

test('decides as a model does that remembers every unit: all or nothing, give-backs, several counters, a clock that steps', () => {
  const one = fc.record({
    counter: fc.constantFrom('a', 'b', 'c'),
    durationMs: fc.constantFrom(1000, 1500, 60_000),
    limit: fc.integer({ min: 0, max: 12 }),
    cost: fc.integer({ min: 0, max: 5 }),
  });
  const call = fc.record({
    workspaceId: fc.constantFrom('ws_1', 'ws_2'),
    asks: fc.array(one, { minLength: 1, maxLength: 4 }),
    moveMs: fc.oneof(fc.integer({ min: 0, max: 900 }), fc.integer({ min: -3000, max: 90_000 })),
    givesBackAfterMs: fc.option(fc.integer({ min: 0, max: 2500 }), { freq: 3 }),
  });
  fc.assert(
    fc.property(fc.array(call, { maxLength: 80 }), (calls) => {
      const limiter = new MemoryRateLimiter({ maxCounters: 10_000 });
      const model = new Model();
      let nowMs = NOW_MS;
      let latestMs = NOW_MS;
      const isHeld = new Set<string>();
      for (const { workspaceId, asks, moveMs, givesBackAfterMs } of calls) {
        // Further behind, windows start over: another test's matter.
        nowMs = Math.max(nowMs + moveMs, latestMs - 900);
        latestMs = Math.max(latestMs, nowMs);
        for (const ask1 of asks)
          model.moveOn(workspaceId, ask1, nowMs, isHeld.has(nameOf(workspaceId, ask1)));
        const states = limiter.take(workspaceId, asks, nowMs);
        const exceeded = model.take(workspaceId, asks, nowMs);
        expect(states.map((state) => state.exceeded)).toEqual(exceeded);
        expect(states.map(({ remaining }) => remaining)).toEqual(
          asks.map((ask1) => Math.max(0, ask1.limit - model.used(workspaceId, ask1, nowMs))),
        );
        if (exceeded.includes(true)) continue;
        for (const ask1 of asks) {
          if (model.used(workspaceId, ask1, nowMs) === 0) continue;
          isHeld.add(nameOf(workspaceId, ask1));
          model.moveOn(workspaceId, ask1, nowMs, true);
        }
        if (givesBackAfterMs === null) continue;
        const takenAtMs = nowMs;
        nowMs += givesBackAfterMs;
        latestMs = Math.max(latestMs, nowMs);
        limiter.giveBack(workspaceId, asks, takenAtMs);
        model.giveBack(workspaceId, asks, takenAtMs);
      }
    }),
    { numRuns: 500 },
  );
});

test('what is asked is noted for an exchange: held counters each time, new ones once they are held, exact ones never', () => {
  const { limiter } = setUp(2);
  const marked: string[] = [];
  const dropped: string[] = [];
  const take = (...asks: readonly RateLimitAsk[]) => limiter.take('ws_1', asks, NOW_MS);
  take(ask('before'));
  limiter.shareThrough({
    mark: ({ counter, holder }) => marked.push(`${holder?.workspaceId} ${counter}`),
    drop: ({ counter }) => dropped.push(counter),
  });
  take(ask('before'));
  take(ask('refused', { cost: 9 }));
  take(ask('looked at', { cost: 0 }));
  expect(marked).toEqual(['ws_1 before', 'ws_1 looked at']);
  take(ask('before', { cost: 0 }), ask('new'));
  expect([marked.slice(2), dropped]).toEqual([['ws_1 before', 'ws_1 new'], ['before']]);
  limiter.shareThrough(null);
  take(ask('new'));
  expect(marked).toHaveLength(4);
});

test('a clock that was an hour ahead for a while keeps nobody out, and what is taken while it is behind is given back', () => {
  const limiter = new MemoryRateLimiter({ maxCounters: 100 });
  const startMs = 1_800_000_000_000 - (1_800_000_000_000 % 3_600_000);
  const one = { counter: 'x', limit: 10, durationMs: 1000, cost: 1 };
  const remainingAt = (nowMs: number, cost: number): number | undefined =>
    limiter.take('ws_1', [{ ...one, cost }], nowMs)[0]?.remaining;
  expect(remainingAt(startMs + 3_600_000, 10)).toBe(0);
  expect(remainingAt(startMs, 1)).toBe(9);
  for (let call = 0; call < 5; call += 1) {
    expect(remainingAt(startMs - 5, 1)).toBe(8);
    limiter.giveBack('ws_1', [one], startMs - 5);
  }
  expect(remainingAt(startMs, 0)).toBe(9);
});
