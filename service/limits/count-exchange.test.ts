import fc from 'fast-check';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { unawareMs } from '../../scripts/lib/ratelimit-bound.ts';
import { SharedClient, SharedMemory } from '../../test/shared-counters.ts';
import { systemClock } from '../clock.ts';
import type { RateLimitAsk } from '../verify/ports.ts';
import { CountExchange } from './count-exchange.ts';
import { MemoryRateLimiter } from './memory-rate-limiter.ts';

/** A multiple of the durations that are used. */
const START_MS = 1_800_000_000_000 - (1_800_000_000_000 % 3_600_000);
const MINUTE_MS = 60_000;

beforeEach(() => void vi.useFakeTimers({ now: START_MS }));
afterEach(() => void vi.useRealTimers());

function ask(change: Partial<RateLimitAsk> = {}): RateLimitAsk {
  return { counter: 'a', limit: 10, durationMs: MINUTE_MS, cost: 1, ...change };
}

interface Task {
  readonly limiter: MemoryRateLimiter;
  readonly exchange: CountExchange;
  readonly client: SharedClient;
  /** Units that passed. */
  passed: number;
  take(change?: Partial<RateLimitAsk>): boolean;
  remaining(change?: Partial<RateLimitAsk>): number | undefined;
}

function setUp(tasks: number, options: { maxCounters?: number; batchSize?: number } = {}) {
  const memory = new SharedMemory(() => Date.now());
  const log = { info: vi.fn<() => void>(), warn: vi.fn<() => void>() };
  const all = Array.from({ length: tasks }, (_, index): Task => {
    const limiter = new MemoryRateLimiter({ maxCounters: options.maxCounters ?? 1000 });
    const client = new SharedClient(memory, `task ${index}`);
    const { batchSize = 500 } = options;
    const exchange = new CountExchange({
      shared: client,
      limiters: [limiter],
      clock: systemClock,
      log,
      batchSize,
    });
    exchange.start();
    return {
      limiter,
      exchange,
      client,
      passed: 0,
      take(change = {}) {
        const one = ask(change);
        const isTaken = limiter.take('ws_1', [one], Date.now())[0]?.exceeded === false;
        if (isTaken) this.passed += one.cost;
        return isTaken;
      },
      remaining: (change = {}) =>
        limiter.take('ws_1', [ask({ cost: 0, ...change })], Date.now())[0]?.remaining,
    };
  });
  return { memory, log, tasks: all };
}

async function pass(ms: number): Promise<void> {
  await vi.advanceTimersByTimeAsync(ms);
}

/** Of a set-up that has them. */
function pairOf(tasks: readonly Task[]): readonly [Task, Task] {
  const [first, second] = tasks;
  if (first === undefined || second === undefined) throw new Error('there is no pair of tasks');
  return [first, second];
}

test('what a task counts is told at once, and others know of it once they are asked', async () => {
  const [one, other] = pairOf(setUp(2).tasks);
  one.take({ cost: 7 });
  await pass(1);
  expect(one.client.told).toHaveLength(1);
  // It has never been asked, so this look makes it ask.
  expect(other.remaining()).toBe(10);
  await pass(1);
  expect(other.remaining()).toBe(3);
  expect(other.take({ cost: 4 })).toBe(false);
});

test('however often a counter is asked, refusals and looks too, it is told once in a period', async () => {
  const [one] = pairOf(setUp(2).tasks);
  for (let ms = 0; ms < 1000; ms += 5) {
    one.take();
    one.remaining();
    await pass(5);
  }
  expect(one.client.told.length).toBeGreaterThanOrEqual(9);
  // At 0 ms, at 100 ms, and so on up to 1000 ms.
  expect(one.client.told.length).toBeLessThanOrEqual(11);
  await pass(200);
  const told = one.client.told.length;
  await pass(10_000);
  expect(one.client.told).toHaveLength(told);
  expect(one.exchange.viewAgeMs).toBe(0);
});

test('asks of many counters go together: so many calls in a period at most, of so many counters at most', async () => {
  const [one] = pairOf(setUp(2, { maxCounters: 5000, batchSize: 100 }).tasks);
  for (let n = 0; n < 3000; n += 1) {
    one.take({ counter: `${n}` });
    if (n % 10 === 0) await pass(1);
  }
  expect(one.client.told.length).toBeLessThanOrEqual(8 * 3 + 1);
  await pass(1000);
  expect(Math.max(...one.client.told.map((counts) => counts.length))).toBeLessThanOrEqual(100);
  expect(new Set(one.client.told.flatMap((counts) => counts.map(({ key }) => key))).size).toBe(3000);
});

test('what is given back is known to others too', async () => {
  const [one, other] = pairOf(setUp(2).tasks);
  one.take({ cost: 10 });
  await pass(1);
  other.remaining();
  await pass(1);
  expect(other.take()).toBe(false);
  one.limiter.giveBack('ws_1', [ask({ cost: 10 })], Date.now());
  await pass(200);
  other.remaining();
  await pass(200);
  expect(other.take()).toBe(true);
});

test('the final count of a window is told, also once it is over', async () => {
  const [one, other] = pairOf(setUp(2).tasks);
  await pass(MINUTE_MS - 40);
  one.take({ cost: 4 });
  other.remaining();
  await pass(10);
  one.take({ cost: 6 });
  await pass(80);
  // Half a second into the next window, of which 10 units of the one before count almost wholly.
  other.remaining();
  one.remaining();
  await pass(400);
  expect(other.remaining()).toBe(1);
  expect(one.remaining()).toBe(1);
});

test('an exact counter is not exchanged', async () => {
  const [one] = pairOf(setUp(2).tasks);
  one.take({ exact: 'local' });
  await pass(1000);
  expect(one.client.told).toEqual([]);
});

test('what a caller named stands nowhere in what is told', async () => {
  const [one] = pairOf(setUp(2).tasks);
  one.take({ counter: 'user@example.com' });
  await pass(1);
  expect(JSON.stringify(one.client.told)).not.toContain('example');
  expect(one.client.told[0]?.[0]?.key).toMatch(/^[\w-]{22}$/);
});

test('without answers a task counts alone, asks less and less often, and tells everything afterwards', async () => {
  const { memory, tasks, log } = setUp(2);
  const [one, other] = pairOf(tasks);
  one.take({ cost: 2 });
  one.take({ counter: 'quiet', cost: 5 });
  await pass(1000);
  one.client.trouble.fails = 'refused';
  const before = one.client.told.length;
  for (let ms = 0; ms < 10_000; ms += 50) {
    one.take();
    await pass(50);
  }
  expect(one.passed).toBe(5 + 10);
  expect([one.exchange.isShared, other.exchange.isShared]).toEqual([false, true]);
  expect(one.exchange.viewAgeMs).toBeGreaterThan(9000);
  expect(one.client.told.length - before).toBeLessThan(20);
  expect(log.warn).toHaveBeenCalledOnce();
  memory.forgetAll();
  one.client.trouble.fails = 'no';
  await pass(2000);
  expect([one.exchange.isShared, one.exchange.viewAgeMs]).toEqual([true, 0]);
  expect(log.info).toHaveBeenCalledOnce();
  other.remaining();
  other.remaining({ counter: 'quiet' });
  await pass(1);
  expect([other.remaining(), other.remaining({ counter: 'quiet' })]).toEqual([0, 5]);
});

test('counters that lose everything without failing are filled again', async () => {
  const { memory, tasks } = setUp(2);
  const [one, other] = pairOf(tasks);
  one.take({ counter: 'quiet', cost: 5 });
  for (const task of tasks) task.take({ counter: 'busy' });
  await pass(200);
  for (const task of tasks) task.remaining({ counter: 'busy' });
  await pass(200);
  memory.forgetAll();
  one.remaining({ counter: 'busy' });
  await pass(1000);
  other.remaining({ counter: 'quiet' });
  await pass(1);
  expect(other.remaining({ counter: 'quiet' })).toBe(5);
});

test('counters that one part of them doesn’t answer for are told later; the others go on', async () => {
  const { tasks } = setUp(2);
  const [one, other] = pairOf(tasks);
  one.take({ cost: 3 });
  await pass(1);
  const key = one.client.told[0]?.[0]?.key;
  one.client.trouble.isSilent = (asked) => asked === key;
  await pass(200);
  one.take({ cost: 3 });
  one.take({ counter: 'b', cost: 3 });
  await pass(3000);
  expect(one.exchange.isShared).toBe(false);
  other.remaining({ counter: 'b' });
  other.remaining();
  await pass(1);
  expect([other.remaining({ counter: 'b' }), other.remaining()]).toEqual([7, 7]);
  one.client.trouble.isSilent = () => false;
  await pass(2000);
  expect([one.exchange.isShared, one.exchange.viewAgeMs]).toEqual([true, 0]);
  other.remaining();
  await pass(200);
  expect(other.remaining()).toBe(4);
});

test('while a part of the counters is gone, the others are neither told anew nor given up, and nothing is logged', async () => {
  const { tasks, log } = setUp(2);
  const [one, other] = pairOf(tasks);
  for (let n = 0; n < 400; n += 1) one.take({ counter: `quiet ${n}` });
  one.take({ counter: 'gone' });
  await pass(1000);
  const gone = one.client.told.flat().at(-1)?.key;
  one.client.trouble.isSilent = (key) => key === gone;
  one.client.told.length = 0;
  const shared: boolean[] = [];
  for (let ms = 0; ms < 12_000; ms += 20) {
    one.take({ counter: ms % 40 === 0 ? 'gone' : 'there', limit: 1000 });
    await pass(20);
    if (ms > 1000) shared.push(one.exchange.isShared);
  }
  await pass(200);
  expect(shared).not.toContain(true);
  expect([log.warn, log.info].map((logged) => logged.mock.calls.length)).toEqual([0, 0]);
  // One counter every 100 ms, and one of the lost once a second.
  expect(one.client.told.flat().length).toBeLessThan(150);
  other.remaining({ counter: 'there', limit: 1000 });
  await pass(1);
  expect(other.remaining({ counter: 'there', limit: 1000 })).toBe(700);
});

test('what comes and goes all the time is logged once a minute at most', async () => {
  const { tasks, log } = setUp(2);
  const [one] = pairOf(tasks);
  for (let second = 0; second < 100; second += 2) {
    one.client.trouble.fails = 'refused';
    one.take();
    await pass(1000);
    one.client.trouble.fails = 'no';
    await pass(1000);
  }
  expect([log.warn, log.info].map((logged) => logged.mock.calls.length)).toEqual([2, 2]);
});

test('where one part of several that were gone is back, all that it keeps is told soon', async () => {
  const [one] = pairOf(setUp(2, { maxCounters: 5000, batchSize: 100 }).tasks);
  const partOf = (key: string): number => key.charCodeAt(0) % 3;
  one.client.trouble.isSilent = (key) => partOf(key) < 2;
  for (let n = 0; n < 3000; n += 1) one.take({ counter: `${n}` });
  await pass(20_000);
  one.client.trouble.isSilent = (key) => partOf(key) < 1;
  one.client.told.length = 0;
  await pass(3000);
  const told = new Set(one.client.told.flatMap((counts) => counts.map(({ key }) => key)));
  expect([...told].filter((key) => partOf(key) === 1).length).toBeGreaterThan(900);
  one.client.told.length = 0;
  await pass(1500);
  expect(one.client.told.flat().filter(({ key }) => partOf(key) === 1)).toEqual([]);
});

test('what a task told that isn’t asked any more is there again a minute after it was lost, though nobody said so', async () => {
  const { memory, tasks } = setUp(3);
  const [one, other] = pairOf(tasks);
  const [, , third] = tasks;
  const change = { limit: 1000, durationMs: 3_600_000 };
  one.take({ ...change, cost: 900 });
  await pass(30_000);
  memory.forgetAll();
  const asked = async (): Promise<void> => {
    other.remaining(change);
    third?.remaining(change);
    await pass(1000);
  };
  await asked();
  expect(other.remaining(change)).toBe(1000);
  for (let second = 0; second < 65; second += 1) await asked();
  expect([other.remaining(change), third?.remaining(change)]).toEqual([100, 100]);
});

test('a call that hangs holds nothing else up', async () => {
  const [one, other] = pairOf(setUp(2).tasks);
  one.client.trouble.thereMs = 5000;
  one.take({ counter: 'hangs' });
  await pass(1);
  one.client.trouble.thereMs = 0;
  one.take({ cost: 6 });
  await pass(100);
  other.remaining();
  await pass(1);
  expect(other.remaining()).toBe(4);
});

test('windows that leave before they were told leave the queue too', async () => {
  const [one] = pairOf(setUp(2, { maxCounters: 50 }).tasks);
  for (let n = 0; n < 2000; n += 1) one.take({ counter: `${n}` });
  await pass(5000);
  expect(one.client.told.flat()).toHaveLength(50);
  one.client.trouble.fails = 'refused';
  for (let n = 0; n < 2000; n += 1) {
    one.take({ counter: `${n}` });
    if (n % 100 === 0) await pass(50);
  }
  one.client.trouble.fails = 'no';
  one.client.told.length = 0;
  await pass(5000);
  expect(new Set(one.client.told.flat().map(({ key }) => key)).size).toBe(50);
});

test('stopping tells what is left; nothing is noted afterwards', async () => {
  const [one, other] = pairOf(setUp(2).tasks);
  one.take();
  await pass(1);
  one.take({ cost: 4 });
  const stopped = one.exchange.stop();
  one.take();
  await pass(1000);
  await stopped;
  expect(one.client.told).toHaveLength(2);
  other.remaining();
  await pass(1);
  expect(other.remaining()).toBe(5);
});

test('without shared counters a task counts alone, and says so', async () => {
  const limiter = new MemoryRateLimiter({ maxCounters: 10 });
  const log = { info: vi.fn<() => void>(), warn: vi.fn<() => void>() };
  const exchange = new CountExchange({ shared: null, limiters: [limiter], clock: systemClock, log });
  exchange.start();
  limiter.take('ws_1', [ask()], Date.now());
  await pass(1000);
  expect([exchange.isShared, exchange.viewAgeMs, exchange.counters.exchanges]).toEqual([false, 0, 0]);
  await exchange.stop();
});

test('how long exchanges took lately is known; one that failed says nothing of it', async () => {
  const [one] = pairOf(setUp(2).tasks);
  expect([one.exchange.lastExchangeMs, one.exchange.maxExchangeMs]).toEqual([0, 0]);
  const exchanged = async (thereMs: number, fails: 'no' | 'unanswered' = 'no') => {
    Object.assign(one.client.trouble, { thereMs, fails });
    one.take();
    await pass(2000);
    return [one.exchange.lastExchangeMs, one.exchange.maxExchangeMs];
  };
  expect(await exchanged(40)).toEqual([40, 40]);
  expect(await exchanged(900, 'unanswered')).toEqual([40, 40]);
  expect(await exchanged(10)).toEqual([10, 40]);
  await pass(26_000);
  expect(one.exchange.maxExchangeMs).toBe(40);
  await pass(30_000);
  expect([one.exchange.lastExchangeMs, one.exchange.maxExchangeMs]).toEqual([10, 0]);
});

/** As slow as that, each task's way in its own manner. */
const troubles = fc.constantFrom(0, 5, 60).chain((most) => {
  const ms = fc.integer({ min: 0, max: most });
  return fc.array(fc.record({ thereMs: ms, backMs: ms }), { minLength: 4, maxLength: 4 });
});

test('four tasks, asked far more than the limit, never pass more than the formula says, and come to agree', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 3000 }),
      troubles,
      fc.array(fc.integer({ min: 0, max: 4 }), { minLength: 4, maxLength: 4 }),
      fc.integer({ min: 0, max: MINUTE_MS - 4000 }),
      async (limit, slow, ratesPer5Ms, sinceMs) => {
        vi.setSystemTime(START_MS + sinceMs);
        const { tasks } = setUp(4);
        for (const [index, task] of tasks.entries()) Object.assign(task.client.trouble, slow[index]);
        for (let ms = 0; ms < 2000; ms += 5) {
          for (const [index, task] of tasks.entries()) {
            for (let n = 0; n < (ratesPer5Ms[index] ?? 0); n += 1) task.take({ limit });
          }
          await pass(5);
        }
        const passed = tasks.reduce((sum, task) => sum + task.passed, 0);
        const askedPerMs = ratesPer5Ms.reduce((sum, rate) => sum + rate, 0) / 5;
        const exchangeMs = Math.max(...slow.map(({ thereMs, backMs }) => thereMs + backMs)) + 1;
        // Timers go off at whole milliseconds, so the time between two tellings may be one longer.
        const most = Math.ceil(askedPerMs * (unawareMs(exchangeMs) + 2));
        expect(passed - limit).toBeLessThanOrEqual(Math.min(3 * limit, most));
        await pass(500);
        for (const task of tasks) task.remaining({ limit: 10_000 });
        await pass(500);
        for (const task of tasks) expect(task.remaining({ limit: 10_000 })).toBe(10_000 - passed);
        for (const task of tasks) await Promise.all([task.exchange.stop(), pass(200)]);
      },
    ),
    { numRuns: 25 },
  );
});

test('whatever fails, is lost or comes late: once it is over all tasks agree on what was counted', async () => {
  const event = fc.record({
    task: fc.nat(2),
    cost: fc.integer({ min: 0, max: 3 }),
    counter: fc.constantFrom('a', 'b'),
    thereMs: fc.constantFrom(0, 0, 20, 400),
    backMs: fc.constantFrom(0, 0, 20, 400),
    fails: fc.constantFrom('no', 'no', 'refused', 'unanswered'),
    isSilent: fc.boolean(),
    forgets: fc.nat(10),
    waitMs: fc.integer({ min: 0, max: 150 }),
  } as const);
  await fc.assert(
    fc.asyncProperty(fc.array(event, { maxLength: 60 }), async (events) => {
      vi.setSystemTime(START_MS);
      const { memory, tasks } = setUp(3);
      const totals = { a: 0, b: 0 };
      for (const { task, cost, counter, forgets, waitMs, isSilent, ...rest } of events) {
        const one = tasks[task];
        if (one === undefined) continue;
        Object.assign(one.client.trouble, rest, { isSilent: () => isSilent });
        if (forgets === 0) memory.forgetAll();
        if (one.take({ counter, cost, limit: 1000 })) totals[counter] += cost;
        await pass(waitMs);
      }
      for (const { client } of tasks) {
        Object.assign(client.trouble, { thereMs: 0, backMs: 0, fails: 'no', isSilent: () => false });
      }
      const look = (): readonly (number | undefined)[] =>
        tasks.flatMap((task) =>
          (['a', 'b'] as const).map((counter) => task.remaining({ counter, limit: 1000 })),
        );
      // Each tells what it has, and then learns what the others have told.
      for (let round = 0; round < 3; round += 1) {
        look();
        await pass(3000);
      }
      expect(look()).toEqual(tasks.flatMap(() => [1000 - totals.a, 1000 - totals.b]));
      for (const task of tasks) await Promise.all([task.exchange.stop(), pass(10)]);
    }),
    { numRuns: 60 },
  );
});
