import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { performance } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { LeaseNetwork, randomOf } from '../test/lease-network.ts';
import { startTestPostgres, type TestPostgres } from '../test/postgres.ts';
import { contextOf, makeWriteSide, type WriteSide } from '../test/write-side.ts';
import type { CreditsObject } from './domain/records.ts';
import { newEpochId } from './domain/ids.ts';
import type { Epoch } from './domain/revision.ts';
import { startEpoch } from './home/epochs.ts';
import { TIMERS } from './limits/credit-leases-options.ts';
import { PostgresCreditLedger } from './store/credit-ledger.ts';
import { databaseOf } from './store/database.ts';

/** The leases of tasks on the real ledger: what the property test of the leases shows on a model has to hold here as well. */
vi.setConfig({ testTimeout: 120_000, hookTimeout: 30_000 });

const TASKS = 3;
const RECALL_MS = 200;
const WAIT = { timeout: 10_000 };
const CLOCK = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  ...TIMERS,
};

let postgres: TestPostgres;
let side: WriteSide;
let apiId: string;

beforeAll(async () => {
  postgres = await startTestPostgres();
  side = await makeWriteSide(await postgres.createDatabase());
  ({ apiId } = (await side.manage.apis.createApi(contextOf(side.principal), { name: 'test' })).data);
});

afterAll(async () => {
  await side.end();
  await postgres.stop();
});

type Step =
  | { readonly do: 'spend'; readonly task: number; readonly cost: number; readonly times: number }
  | { readonly do: 'pass'; readonly ms: number }
  | { readonly do: 'crash' | 'cut off' | 'heal'; readonly task: number }
  | { readonly do: 'network'; readonly delayMs: number; readonly losses: number }
  | { readonly do: 'set' | 'increment' | 'decrement'; readonly value: number }
  | { readonly do: 'reroll' | 'epoch' };

const TASK = fc.nat(TASKS - 1);
const STEP: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant('spend' as const),
      task: TASK,
      cost: fc.oneof(fc.constant(1), fc.integer({ min: 1, max: 60 })),
      times: fc.integer({ min: 1, max: 80 }),
    }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('pass' as const), ms: fc.nat(120) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constantFrom('crash' as const, 'cut off' as const, 'heal' as const),
      task: TASK,
    }),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom<Step>(
      { do: 'network', delayMs: 5, losses: 0 },
      { do: 'network', delayMs: 20, losses: 0.2 },
    ),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constantFrom('set' as const, 'increment' as const, 'decrement' as const),
      value: fc.integer({ min: 1, max: 3000 }),
    }),
  },
  { weight: 1, arbitrary: fc.constantFrom<Step>({ do: 'reroll' }, { do: 'epoch' }) },
);

interface AccountRow {
  readonly generation: number;
  readonly granted: number;
  readonly free: number;
  readonly leased: number;
  readonly spent: number;
}

interface DrawnRow {
  readonly generation: number;
  readonly holder: string;
  /** Spent of it, and what its holder may still spend. */
  readonly spent: number;
  readonly out: number;
}

/** A key with credits, tasks that spend of them through a network, and home's database. */
class Story {
  readonly ledger = new PostgresCreditLedger({
    pool: side.pool,
    epoch: () => side.epoch,
    recallMs: RECALL_MS,
  });
  readonly network: LeaseNetwork;
  readonly crashed = new Set<string>();
  /** The most that was granted in each generation. */
  readonly granted = new Map<number, number>();
  readonly accountId: string;
  #keyId: string;
  #seen = 0n;
  #isOver = false;
  readonly #feed: Promise<void>;

  private constructor(seed: number, keyId: string, accountId: string) {
    this.#keyId = keyId;
    this.accountId = accountId;
    const { ledger } = this;
    const home = {
      ledger,
      get epoch(): Epoch {
        if (side.epoch === null) throw new Error('there is no home');
        return side.epoch;
      },
      account: async () => await this.record(),
    };
    this.network = new LeaseNetwork({
      time: CLOCK,
      home,
      random: randomOf(seed),
      accountId,
      numbers: { reportEveryMs: 50, idleAfterMs: 300 },
    });
    this.network.become({ delayMs: 5, losses: 0 });
    this.#feed = this.#poll();
  }

  static async begin(seed: number, remaining: number): Promise<Story> {
    const input = { apiId, credits: { remaining } };
    const { keyId } = (await side.manage.keys.createKey(contextOf(side.principal), input)).data;
    const { rows } = await side.pool.query<{ id: string }>(
      'select credit_account_id as id from keys where id = $1',
      [keyId],
    );
    const story = new Story(seed, keyId, rows[0]?.id ?? '');
    for (let n = 0; n < TASKS; n += 1) await story.network.join();
    return story;
  }

  async end(): Promise<void> {
    this.network.healAll();
    await delay(300);
    await Promise.all(this.network.alive.map(async ({ leases }) => await leases.stop()));
    this.#isOver = true;
    await this.#feed;
  }

  async record(): Promise<CreditsObject> {
    const { generation, free } = await this.account();
    return { kind: 'credits', id: this.accountId, generation, free };
  }

  async account(): Promise<AccountRow> {
    const { rows } = await side.pool.query<AccountRow>(
      `select generation::float8, granted::float8, free::float8, leased::float8, spent::float8
       from credit_accounts where id = $1`,
      [this.accountId],
    );
    const [row] = rows;
    if (row === undefined) throw new Error('no account');
    return row;
  }

  async draws(): Promise<readonly DrawnRow[]> {
    const { rows } = await side.pool.query<DrawnRow>(
      `select generation::float8, holder, spent::float8,
         case when state in ('open', 'lost') then (amount - spent)::float8 else 0 end as out
       from credit_draws where account_id = $1`,
      [this.accountId],
    );
    return rows;
  }

  /** Change rows of the account, as its feed brings them. */
  async #poll(): Promise<void> {
    while (!this.#isOver) {
      const { rows } = await side.pool.query<{ seq: string }>(
        `select seq::text from changes where kind = 'credits' and id = $1 and seq > $2 order by seq`,
        [this.accountId, this.#seen],
      );
      for (const { seq } of rows) {
        this.#seen = BigInt(seq);
        this.network.tellChange(this.#seen);
      }
      await delay(10);
    }
  }

  async do(step: Step): Promise<void> {
    const { network } = this;
    const task = 'task' in step ? network.alive[step.task] : undefined;
    if (step.do === 'spend') {
      for (let n = 0; n < step.times; n += 1) task?.spend(step.cost);
    } else if (step.do === 'pass') {
      await delay(step.ms);
    } else if (step.do === 'network') {
      network.become(step);
    } else if (step.do === 'epoch') {
      await this.#newEpoch();
    } else if (step.do === 'reroll') {
      const input = { keyId: this.#keyId, expiration: 0 };
      this.#keyId = (await side.manage.keys.rerollKey(contextOf(side.principal), input)).data.keyId;
    } else if ('value' in step) {
      await this.change(step.do, step.value);
    } else if (task !== undefined) {
      if (step.do === 'crash') {
        task.isAlive = false;
        this.crashed.add(task.holder);
        await network.join();
      } else network.cutOff(task, step.do === 'cut off');
    }
  }

  async change(operation: 'set' | 'increment' | 'decrement', value: number): Promise<void> {
    const input = { keyId: this.#keyId, operation, value };
    await side.manage.keys.updateCredits(contextOf(side.principal), input);
    await this.#noteGranted();
  }

  async #noteGranted(): Promise<void> {
    const { generation, granted } = await this.account();
    this.granted.set(generation, Math.max(granted, this.granted.get(generation) ?? 0));
  }

  async #newEpoch(): Promise<void> {
    const { epoch } = side;
    if (epoch === null) throw new Error('there is no home');
    const next = { counter: epoch.counter + 1, id: newEpochId(randomBytes) };
    const region = 'us-east-1';
    await startEpoch(databaseOf(side.pool), { expected: { epoch, region }, next: { epoch: next, region } });
    side.epoch = next;
    this.network.tellEpoch(next);
  }

  /** Every credit is in one place, no generation hands out more than it was granted, and what callers were told is covered. */
  async check(): Promise<void> {
    await this.#noteGranted();
    const { valid } = this.network.tally;
    const { granted, free, leased, spent } = await this.account();
    assert.equal(granted, free + leased + spent);
    const draws = await this.draws();
    const out = sum(draws.map((row) => row.spent + row.out));
    assert.ok(valid <= out, `${valid} credits were told to be spent, ${out} are out`);
    for (const [generation, most] of this.granted) {
      const ofIt = sum(draws.map((row) => (row.generation === generation ? row.spent + row.out : 0)));
      assert.ok(ofIt <= most, `generation ${generation} handed out ${ofIt} of ${most}`);
    }
    assert.equal(this.ledger.counters.overspent, 0);
  }
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((all, one) => all + one, 0);
}

test('whatever happens to tasks, network and account: never more than was granted, and what isn’t spent is free again', async () => {
  let valid = 0;
  let failed = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.integer(),
      fc.integer({ min: 1, max: 20_000 }),
      fc.array(STEP, { minLength: 10, maxLength: 30 }),
      async (seed, remaining, steps) => {
        const story = await Story.begin(seed, remaining);
        const { network, crashed } = story;
        try {
          for (const step of steps) {
            await story.do(step);
            await story.check();
          }
        } finally {
          await story.end();
        }
        await story.check();
        const draws = await story.draws();
        const outside = draws.filter(({ out }) => out > 0).map(({ holder }) => holder);
        expect(outside.filter((holder) => !crashed.has(holder))).toEqual([]);
        if (crashed.size === 0) expect(network.tally.valid).toBe(sum(draws.map(({ spent }) => spent)));
        valid += network.tally.valid;
        failed += network.tally.failed;
      },
    ),
    { numRuns: 6, endOnFailure: true },
  );
  expect(valid).toBeGreaterThan(failed);
});

test('of few credits, asked for by three tasks at once, exactly as many calls pass as there are', async () => {
  const story = await Story.begin(1, 5000);
  const { network } = story;
  try {
    let asked = 0;
    const ask = async (times: number, pauseMs: number): Promise<void> => {
      for (let n = 0; n < times; n += 1) {
        for (const task of network.alive) task.spend(1);
        if (pauseMs > 0) await delay(pauseMs);
      }
      asked += times * network.alive.length;
      await vi.waitFor(() => {
        const { valid, refused, failed } = network.tally;
        expect(valid + refused + failed).toBe(asked);
      }, WAIT);
    };
    // Leases are out when the account comes to its end.
    await ask(30, 0);
    await story.change('decrement', 4700);
    expect(await story.account()).toMatchObject({ granted: 300 });
    await ask(100, 5);
    // A call that home had no time for is neither passed nor refused, and its credits are there for the next.
    await vi.waitFor(async () => {
      const { refused } = network.tally;
      await ask(20, 0);
      expect(network.tally.refused).toBe(refused + 60);
    }, WAIT);
    expect(network.tally.valid).toBe(300);
  } finally {
    await story.end();
  }
  expect(await story.account()).toMatchObject({ free: 0, leased: 0, spent: 300 });
});
