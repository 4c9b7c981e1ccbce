import fc from 'fast-check';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { SharedClient, SharedMemory } from '../../test/shared-counters.ts';
import { systemClock } from '../clock.ts';
import type { RateLimitAsk } from '../verify/ports.ts';
import { sharedKey } from './count-exchange-key.ts';
import { SharedRateLimiter } from './exact-rate-limiter.ts';
import { MemoryRateLimiter } from './memory-rate-limiter.ts';

const MINUTE_MS = 60_000;
const START_MS = 1_800_000_000_000 - (1_800_000_000_000 % 3_600_000);
const KEY = sharedKey('ws_1', 'x', MINUTE_MS);

beforeEach(() => void vi.useFakeTimers({ now: START_MS }));
afterEach(() => void vi.useRealTimers());

function ask(counter: string, change: Partial<RateLimitAsk> = {}): RateLimitAsk {
  return { counter, limit: 5, durationMs: MINUTE_MS, cost: 1, ...change };
}

function exact(counter: string, change: Partial<RateLimitAsk> = {}): RateLimitAsk {
  return ask(counter, { exact: 'local', ...change });
}

const memories = new WeakMap<SharedMemory, number>();

function setUp(memory = new SharedMemory(() => Date.now())) {
  const process = (memories.get(memory) ?? 0) + 1;
  memories.set(memory, process);
  const shared = new SharedClient(memory, `task ${process}`);
  const limiter = new MemoryRateLimiter({ maxCounters: 100 });
  const exactLimiter = new SharedRateLimiter({ shared, limiter, clock: systemClock });
  const states = async (...asks: readonly RateLimitAsk[]) => {
    const answer = exactLimiter.take('ws_1', asks, Date.now());
    await vi.advanceTimersByTimeAsync(150);
    return await answer;
  };
  const passes = async (...asks: readonly RateLimitAsk[]): Promise<boolean> =>
    (await states(...asks)).every(({ exceeded }) => !exceeded);
  const left = (counter: string): number | undefined =>
    limiter.take('ws_1', [ask(counter, { cost: 0 })], Date.now())[0]?.remaining;
  return { memory, shared, limiter, exactLimiter, states, passes, left };
}

async function timed<T>(work: () => Promise<T>): Promise<{ readonly answer: T; readonly tookMs: number }> {
  const beganMs = performance.now();
  const answer = await work();
  return { answer, tookMs: performance.now() - beganMs };
}

test('tasks together let through what the limit says, and each says what is left', async () => {
  const one = setUp();
  const other = setUp(one.memory);
  const resetMs = START_MS + MINUTE_MS;
  expect(await one.states(exact('x', { cost: 3 }))).toEqual([{ exceeded: false, remaining: 2, resetMs }]);
  expect(await other.states(exact('x', { cost: 3 }))).toEqual([{ exceeded: true, remaining: 2, resetMs }]);
  expect(await other.states(exact('x', { cost: 2 }))).toEqual([{ exceeded: false, remaining: 0, resetMs }]);
  expect(await one.states(exact('x', { cost: 0 }))).toEqual([{ exceeded: false, remaining: 0, resetMs }]);
  expect([one.exactLimiter.isExact, other.exactLimiter.counters.refused]).toEqual([true, 1]);
});

test('a limit in memory that is exceeded asks nobody; what is known of the exact one is said', async () => {
  const { shared, states, passes } = setUp();
  expect(await passes(exact('x', { cost: 2 }), ask('a', { cost: 5 }))).toBe(true);
  const asked = shared.reserved.length;
  const answer = await states(exact('x', { cost: 2 }), ask('a'));
  expect(answer.map(({ exceeded, remaining }) => [exceeded, remaining])).toEqual([
    [false, 3],
    [true, 0],
  ]);
  expect(shared.reserved).toHaveLength(asked);
});

test('where one exact limit refuses, the others get back what was taken', async () => {
  const { memory, states, left, exactLimiter } = setUp();
  await states(exact('x', { cost: 4 }));
  const answer = await states(ask('a', { cost: 2 }), exact('y', { cost: 2 }), exact('x', { cost: 2 }));
  expect(answer.map(({ exceeded, remaining }) => [exceeded, remaining])).toEqual([
    [false, 5],
    [false, 5],
    [true, 1],
  ]);
  expect(left('a')).toBe(5);
  expect(memory.exactUnits(sharedKey('ws_1', 'y', MINUTE_MS))).toBe(0);
  expect(exactLimiter.counters).toMatchObject({ refused: 1, compensations: 1, failures: 0 });
});

test('costs of one exact counter add up within one call, and are all given back', async () => {
  const { memory, states } = setUp();
  const twice = await states(exact('x', { cost: 3 }), exact('x', { cost: 3 }));
  expect(twice.map(({ exceeded, remaining }) => [exceeded, remaining])).toEqual([
    [false, 5],
    [true, 5],
  ]);
  expect(memory.exactUnits(KEY)).toBe(0);
  const fitting = await states(exact('x', { cost: 3 }), exact('x', { cost: 2 }));
  expect(fitting.map(({ exceeded, remaining }) => [exceeded, remaining])).toEqual([
    [false, 0],
    [false, 0],
  ]);
});

test('without an answer in time an ask is decided here, from what the last answer said', async () => {
  const { shared, passes, states, exactLimiter } = setUp();
  await passes(exact('x', { cost: 3 }));
  shared.trouble.thereMs = 10_000;
  expect(await passes(exact('x'))).toBe(true);
  expect(await passes(exact('x'))).toBe(true);
  expect((await states(exact('x')))[0]).toEqual({
    exceeded: true,
    remaining: 0,
    resetMs: START_MS + MINUTE_MS,
  });
  expect(exactLimiter.counters).toMatchObject({ decidedLocally: 3, failures: 1, refused: 0 });
  expect(exactLimiter.isExact).toBe(false);
});

test('an ask that is denied without an answer takes nothing of the others', async () => {
  const { memory, shared, states, left, exactLimiter } = setUp();
  shared.trouble.fails = 'refused';
  const denied = exact('x', { exact: 'deny' });
  const answer = await states(ask('a', { cost: 2 }), exact('y'), denied);
  expect(answer.map(({ exceeded, remaining }) => [exceeded, remaining])).toEqual([
    [false, 5],
    [false, 5],
    [true, 0],
  ]);
  expect(left('a')).toBe(5);
  shared.trouble.fails = 'no';
  expect((await states(denied))[0]?.exceeded).toBe(true);
  await vi.advanceTimersByTimeAsync(1000);
  expect((await states(denied))[0]).toMatchObject({ exceeded: false, remaining: 4 });
  expect(memory.exactUnits(sharedKey('ws_1', 'y', MINUTE_MS))).toBe(0);
  expect(exactLimiter.counters).toMatchObject({ denied: 2, decidedLocally: 0 });
});

test('nobody waits longer than the budget, and after a failure nobody waits but one look a second', async () => {
  const { shared, exactLimiter } = setUp();
  shared.trouble.thereMs = 60_000;
  const took = async (): Promise<number> => {
    const beganMs = performance.now();
    let tookMs = Number.NaN;
    void (async () => {
      await exactLimiter.take('ws_1', [exact('x', { limit: 1000 }), exact('y')], Date.now());
      tookMs = performance.now() - beganMs;
    })();
    await vi.advanceTimersByTimeAsync(200);
    return tookMs;
  };
  expect(await took()).toBe(100);
  expect([await took(), await took(), await took()]).toEqual([0, 0, 0]);
  await vi.advanceTimersByTimeAsync(500);
  const looks = await Promise.all([took(), took(), took()]);
  expect(looks.toSorted((a, b) => a - b)).toEqual([0, 0, 100]);
  // Beside what is told of the meantime.
  expect(shared.reserved.filter(({ limit }) => limit <= 1000)).toHaveLength(4);
});

test('what was counted here meanwhile is told with the next ask, once', async () => {
  const { memory, shared, passes, states } = setUp();
  const other = setUp(memory);
  await passes(exact('x'));
  shared.trouble.fails = 'refused';
  expect([await passes(exact('x')), await passes(exact('x'))]).toEqual([true, true]);
  expect(memory.exactUnits(KEY)).toBe(1);
  shared.trouble.fails = 'no';
  await vi.advanceTimersByTimeAsync(1000);
  expect((await states(exact('x')))[0]).toMatchObject({ exceeded: false, remaining: 1 });
  expect(memory.exactUnits(KEY)).toBe(4);
  expect(await other.passes(exact('x', { cost: 2 }))).toBe(false);
  expect((await states(exact('x')))[0]).toMatchObject({ exceeded: false, remaining: 0 });
  expect((await states(exact('x')))[0]).toMatchObject({ exceeded: true, remaining: 0 });
});

test('what an answer that came too late had taken is released', async () => {
  const { memory, shared, passes, exactLimiter } = setUp();
  shared.trouble.backMs = 300;
  expect(await passes(exact('x'))).toBe(true);
  expect(memory.exactUnits(KEY)).toBe(1);
  await vi.advanceTimersByTimeAsync(1000);
  expect(memory.exactUnits(KEY)).toBe(0);
  expect(exactLimiter.counters).toMatchObject({ compensations: 1, decidedLocally: 1 });
});

test('a part that has no answer keeps nobody from the others, and a counter that can’t be reached costs no wait', async () => {
  const { shared, states, exactLimiter } = setUp();
  const hanging = sharedKey('ws_1', 'hanging', MINUTE_MS);
  const gone = sharedKey('ws_1', 'gone', MINUTE_MS);
  shared.partOf = (key) => (key === hanging ? 'one' : 'other');
  shared.trouble.isUnreachable = (key) => key === gone;
  const deny = (counter: string) => exact(counter, { exact: 'deny', limit: 1000 });
  for (let round = 0; round < 5; round += 1) {
    shared.trouble.thereMs = 60_000;
    expect((await states(deny('hanging')))[0]?.exceeded).toBe(true);
    shared.trouble.thereMs = 0;
    const { answer, tookMs } = await timed(() =>
      exactLimiter.take('ws_1', [deny('gone'), deny('alive')], Date.now()),
    );
    expect(answer.map(({ exceeded }) => exceeded)).toEqual([true, false]);
    expect(tookMs).toBe(0);
    expect((await states(deny('alive')))[0]?.exceeded).toBe(false);
  }
  // The first one, and a look or none.
  expect(shared.reserved.filter(({ key }) => key === hanging).length).toBeLessThanOrEqual(2);
  expect(shared.reserved.filter(({ key }) => key === gone)).toHaveLength(5);
  expect(exactLimiter.isExact).toBe(false);
  await vi.advanceTimersByTimeAsync(10_000);
  expect(exactLimiter.isExact).toBe(true);
});

test('a round trip of most of the budget is enough to become exact again, also where units are to be told', async () => {
  const { memory, shared, passes, exactLimiter } = setUp();
  Object.assign(shared.trouble, { thereMs: 40, backMs: 40, fails: 'refused' });
  const wide = exact('x', { limit: 1000 });
  expect([await passes(wide), await passes(wide)]).toEqual([true, true]);
  shared.trouble.fails = 'no';
  await vi.advanceTimersByTimeAsync(1000);
  for (let call = 0; call < 10; call += 1) expect(await passes(wide)).toBe(true);
  expect(memory.exactUnits(KEY)).toBe(12);
  expect(exactLimiter.counters).toMatchObject({ decidedLocally: 2, failures: 1 });
});

test('a stalled server that does everything late counts what was let through, once', async () => {
  const { memory, shared, exactLimiter } = setUp();
  let passed = 0;
  const askFor = async (ms: number): Promise<void> => {
    for (let sinceMs = 0; sinceMs < ms; sinceMs += 10) {
      void (async () => {
        const [state] = await exactLimiter.take('ws_1', [exact('x', { limit: 10_000 })], Date.now());
        if (state?.exceeded === false) passed += 1;
      })();
      await vi.advanceTimersByTimeAsync(10);
    }
  };
  await askFor(100);
  const { promise, resolve } = Promise.withResolvers<void>();
  shared.trouble.stall = promise;
  await askFor(5000);
  shared.trouble.stall = null;
  resolve();
  await askFor(2000);
  expect(passed).toBe(710);
  expect(memory.exactUnits(KEY)).toBe(710);
});

test('what was reserved too late is also released where its counter is out of reach for a while', async () => {
  const { memory, shared, passes } = setUp();
  shared.trouble.backMs = 300;
  expect(await passes(exact('x'))).toBe(true);
  shared.trouble.isUnreachable = () => true;
  await vi.advanceTimersByTimeAsync(2000);
  expect(memory.exactUnits(KEY)).toBe(1);
  shared.trouble.isUnreachable = () => false;
  await vi.advanceTimersByTimeAsync(1000);
  expect(memory.exactUnits(KEY)).toBe(0);
});

test('units that were given back here while they were being told count no more', async () => {
  const { memory, shared, passes, exactLimiter } = setUp();
  shared.trouble.fails = 'refused';
  expect(await passes(exact('x', { cost: 3 }))).toBe(true);
  shared.trouble.fails = 'no';
  await vi.advanceTimersByTimeAsync(1000);
  shared.trouble.thereMs = 50;
  const answer = exactLimiter.take('ws_1', [exact('x')], Date.now());
  await vi.advanceTimersByTimeAsync(20);
  exactLimiter.giveBack('ws_1', [exact('x', { cost: 2 })], Date.now());
  await vi.advanceTimersByTimeAsync(200);
  await answer;
  expect(memory.exactUnits(KEY)).toBe(2);
});

test.each([0, 3000, -3000, 61_000])(
  'what is given back is released in the window that it was taken in, with a clock that is %i ms ahead',
  async (skewMs) => {
    const { memory, exactLimiter } = setUp();
    const asked = exact('x', { limit: 1000, durationMs: 1000 });
    const key = sharedKey('ws_1', 'x', 1000);
    for (let call = 0; call < 30; call += 1) {
      const nowMs = Date.now() + skewMs;
      await exactLimiter.take('ws_1', [asked], nowMs);
      await vi.advanceTimersByTimeAsync(70);
      exactLimiter.giveBack('ws_1', [asked], nowMs);
      await vi.advanceTimersByTimeAsync(1);
      expect(memory.exactUnits(key)).toBe(0);
    }
  },
);

test('what is given back is released; what was decided here is given back here', async () => {
  const { memory, shared, passes, exactLimiter, limiter } = setUp();
  const asks = [exact('x', { cost: 5 }), ask('a', { cost: 5 })];
  expect(await passes(...asks)).toBe(true);
  exactLimiter.giveBack('ws_1', asks, Date.now());
  await vi.advanceTimersByTimeAsync(1);
  expect(memory.exactUnits(KEY)).toBe(0);
  expect(await passes(ask('a', { cost: 5 }))).toBe(true);
  shared.trouble.fails = 'refused';
  expect(await passes(exact('x', { cost: 4 }))).toBe(true);
  expect(limiter.standInUnits('ws_1', exact('x'), Date.now())).toBe(4);
  exactLimiter.giveBack('ws_1', [exact('x', { cost: 4 })], Date.now());
  expect(limiter.standInUnits('ws_1', exact('x'), Date.now())).toBe(0);
  expect(shared.released).toHaveLength(1);
});

test('a release that fails is counted, and fails nobody', async () => {
  const { shared, passes, exactLimiter } = setUp();
  await passes(exact('x'));
  shared.trouble.fails = 'refused';
  exactLimiter.giveBack('ws_1', [exact('x')], Date.now());
  await vi.advanceTimersByTimeAsync(1);
  expect(exactLimiter.counters.failures).toBe(1);
});

test('without shared counters there is nobody else to count with: exact limits are decided here', async () => {
  const limiter = new MemoryRateLimiter({ maxCounters: 10 });
  const exactLimiter = new SharedRateLimiter({ shared: null, limiter, clock: systemClock });
  const states = async (change: Partial<RateLimitAsk>) =>
    (await exactLimiter.take('ws_1', [exact('x', change)], Date.now()))[0];
  expect(await states({ cost: 5 })).toMatchObject({ exceeded: false, remaining: 0 });
  expect(await states({})).toMatchObject({ exceeded: true, remaining: 0 });
  expect(await states({ exact: 'deny', limit: 100 })).toMatchObject({ exceeded: false, remaining: 94 });
  expect(exactLimiter.isExact).toBe(false);
  expect(exactLimiter.counters).toMatchObject({ asked: 3, decidedLocally: 3, denied: 0, failures: 0 });
});

test('all or nothing over exact limits and others: units that count are those of calls that passed', async () => {
  const one = fc.record({
    counter: fc.constantFrom('a', 'b', 'x', 'y'),
    cost: fc.integer({ min: 0, max: 3 }),
  });
  const call = fc.record({
    task: fc.nat(1),
    asks: fc.array(one, { minLength: 1, maxLength: 4 }),
    givesBack: fc.boolean(),
    waitMs: fc.constantFrom(0, 0, 30),
    thereMs: fc.constantFrom(0, 10),
    backMs: fc.constantFrom(0, 10),
  });
  const isExactName = (counter: string): boolean => counter === 'x' || counter === 'y';
  await fc.assert(
    fc.asyncProperty(fc.array(call, { maxLength: 40 }), async (calls) => {
      vi.setSystemTime(START_MS);
      const first = setUp();
      const tasks = [first, setUp(first.memory)];
      const counted = new Map<string, number>();
      const count = (task: number, asks: readonly RateLimitAsk[], sign: 1 | -1): void => {
        for (const { counter, cost } of asks) {
          const name = isExactName(counter) ? counter : `${task} ${counter}`;
          counted.set(name, (counted.get(name) ?? 0) + sign * cost);
        }
      };
      for (const { task, asks: asked, givesBack, waitMs, thereMs, backMs } of calls) {
        const at = tasks[task];
        if (at === undefined) continue;
        Object.assign(at.shared.trouble, { thereMs, backMs });
        const asks = asked.map(({ counter, cost }) =>
          isExactName(counter) ? exact(counter, { cost }) : ask(counter, { cost }),
        );
        if (await at.passes(...asks)) {
          count(task, asks, 1);
          if (givesBack) {
            at.exactLimiter.giveBack('ws_1', asks, Date.now());
            count(task, asks, -1);
          }
        }
        await vi.advanceTimersByTimeAsync(waitMs);
      }
      await vi.advanceTimersByTimeAsync(100);
      for (const counter of ['x', 'y']) {
        const units = first.memory.exactUnits(sharedKey('ws_1', counter, MINUTE_MS));
        expect([counter, units]).toEqual([counter, counted.get(counter) ?? 0]);
      }
      for (const [task, { left }] of tasks.entries()) {
        for (const counter of ['a', 'b']) {
          expect([counter, left(counter)]).toEqual([counter, 5 - (counted.get(`${task} ${counter}`) ?? 0)]);
        }
      }
      for (const units of counted.values()) expect(units).toBeLessThanOrEqual(5);
    }),
    { numRuns: 60 },
  );
});
