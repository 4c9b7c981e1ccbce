import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { startTestPostgres, type TestPostgres } from '../../test/postgres.ts';
import { contextOf, makeWriteSide, type WriteSide } from '../../test/write-side.ts';
import { newEpochId } from '../domain/ids.ts';
import { Problem } from '../domain/problem.ts';
import { startEpoch } from '../home/epochs.ts';
import { Refiller } from '../home/refiller.ts';
import type { Draw, Drawn, Settlement } from '../verify/ports.ts';
import { PostgresCreditLedger } from './credit-ledger.ts';
import { databaseOf } from './database.ts';

vi.setConfig({ testTimeout: 120_000, hookTimeout: 30_000 });

const DAY_MS = 86_400_000;
const log = { info() {}, warn() {}, error() {} };

let postgres: TestPostgres;
let side: WriteSide;
let apiId: string;
let nowMs = Date.now();

beforeAll(async () => {
  postgres = await startTestPostgres();
  side = await makeWriteSide(await postgres.createDatabase());
  side.nowMs = () => nowMs;
  ({ apiId } = (await side.manage.apis.createApi(contextOf(side.principal), { name: 'test' })).data);
});

afterAll(async () => {
  await side.end();
  await postgres.stop();
});

/** What happens between tasks and the ledger; `at` picks one of the draws that were made, `task` one of the tasks. */
type Move =
  | {
      readonly kind: 'draw';
      readonly task: number;
      readonly cost: number;
      readonly wanted: number;
      readonly lost: boolean;
    }
  | { readonly kind: 'again' | 'callOff' | 'report' | 'close' | 'repeat'; readonly at: number }
  | { readonly kind: 'spend'; readonly at: number; readonly credits: number }
  | { readonly kind: 'callOffFirst'; readonly cost: number }
  | { readonly kind: 'crash'; readonly task: number }
  | { readonly kind: 'recall'; readonly credits: number };

/** What happens to the account. */
type Turn =
  | { readonly kind: 'set' | 'increment' | 'decrement'; readonly value: number }
  | { readonly kind: 'refill' | 'reroll' | 'epoch' };

const anyDraw = fc.nat({ max: 30 });
const anyTask = fc.integer({ min: 0, max: 3 });
const few = fc.integer({ min: 0, max: 40 });
const balance = fc.integer({ min: 0, max: 2000 });
const anyMove: fc.Arbitrary<Move> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('draw' as const),
      task: anyTask,
      cost: few,
      wanted: fc.integer({ min: 0, max: 300 }),
      lost: fc.boolean(),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constantFrom(
        'again' as const,
        'callOff' as const,
        'report' as const,
        'close' as const,
        'repeat' as const,
      ),
      at: anyDraw,
    }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('spend' as const), at: anyDraw, credits: few }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('callOffFirst' as const), cost: few }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('crash' as const), task: anyTask }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('recall' as const), credits: balance }) },
);
const anyTurn: fc.Arbitrary<Turn> = fc.oneof(
  fc.record({
    kind: fc.constantFrom('set' as const, 'increment' as const, 'decrement' as const),
    value: balance,
  }),
  fc.record({ kind: fc.constantFrom('refill' as const, 'reroll' as const, 'epoch' as const) }),
);
const story = fc.array(
  fc.oneof(
    { weight: 5, arbitrary: fc.array(anyMove, { minLength: 1, maxLength: 5 }) },
    { weight: 1, arbitrary: anyTurn },
  ),
  { minLength: 5, maxLength: 25 },
);

/** A draw as the task that made it sees it. */
interface Held {
  readonly draw: Draw;
  readonly task: number;
  state: 'pending' | 'held' | 'ended';
  drawn: Drawn | null;
  /** Answered VALID by what was drawn, the cost included. */
  spent: number;
}

/** Tasks that keep to the rules, on one account: they answer nobody by what they were not given, and nobody after they said so. */
class Tasks {
  readonly #accountId: string;
  readonly #ledgers: readonly PostgresCreditLedger[];
  readonly #held: Held[] = [];
  readonly #told: Settlement[] = [];
  /** What was answered VALID, of each generation. */
  readonly handed = new Map<number, number>();

  constructor(accountId: string) {
    this.#accountId = accountId;
    this.#ledgers = [1, 2].map(
      () => new PostgresCreditLedger({ pool: side.pool, epoch: () => side.epoch, recallMs: 10 }),
    );
  }

  async make(move: Move): Promise<void> {
    switch (move.kind) {
      case 'draw': {
        const { task, cost, wanted, lost } = move;
        const held = this.#begin(task, cost, wanted);
        await this.#draw(held, lost);
        break;
      }
      case 'callOffFirst': {
        const held = this.#begin(0, move.cost, 50);
        held.state = 'ended';
        await this.#settle(held, true);
        await expectNoAnswer(this.#ledger().draw(held.draw));
        break;
      }
      case 'crash':
        for (const held of this.#held) if (held.task === move.task) held.state = 'ended';
        break;
      case 'recall':
        await this.#ledger().recall(this.#accountId, move.credits);
        break;
      case 'repeat': {
        const told = this.#told[move.at % this.#told.length];
        if (told !== undefined) await this.#ledger().settle([told, told]);
        break;
      }
      case 'again':
      case 'callOff':
      case 'report':
      case 'close':
      case 'spend': {
        const held = this.#held[move.at % this.#held.length];
        if (held !== undefined) await this.#go(held, move);
      }
    }
  }

  async #go(held: Held, move: Move): Promise<void> {
    if (held.state === 'pending') {
      if (move.kind === 'again') await this.#draw(held, false);
      if (move.kind === 'callOff') {
        held.state = 'ended';
        await this.#settle(held, true);
      }
    } else if (held.state === 'held') {
      if (move.kind === 'again') await this.#ledger().draw(held.draw).catch(unanswered);
      if (move.kind === 'spend') this.#spend(held, move.credits);
      if (move.kind === 'report') await this.#settle(held, false);
      if (move.kind === 'close') {
        held.state = 'ended';
        await this.#settle(held, true);
      }
    }
  }

  #begin(task: number, cost: number, wanted: number): Held {
    const id = `draw_${randomBytes(8).toString('hex')}`;
    const draw = { id, accountId: this.#accountId, holder: `task_${task}`, cost, wanted, epoch: side.epoch };
    const held: Held = { draw, task, state: 'pending', drawn: null, spent: 0 };
    this.#held.push(held);
    return held;
  }

  async #draw(held: Held, lost: boolean): Promise<void> {
    const drawn = await this.#ledger().draw(held.draw).catch(unanswered);
    if (drawn === undefined || lost || held.state !== 'pending') return;
    held.drawn = drawn;
    held.state = drawn.spent ? 'held' : 'ended';
    if (drawn.spent) this.#answer(held, held.draw.cost);
  }

  #spend(held: Held, credits: number): void {
    const left = held.draw.cost + (held.drawn?.leased ?? 0) - held.spent;
    this.#answer(held, Math.min(left, credits));
  }

  #answer(held: Held, credits: number): void {
    held.spent += credits;
    const generation = held.drawn?.generation ?? 0;
    this.handed.set(generation, (this.handed.get(generation) ?? 0) + credits);
  }

  async #settle({ draw, drawn, spent }: Held, closed: boolean): Promise<void> {
    const settlement: Settlement = {
      id: draw.id,
      accountId: draw.accountId,
      generation: drawn?.generation ?? 1,
      epoch: drawn?.epoch ?? null,
      spent,
      closed,
    };
    this.#told.push(settlement);
    await this.#ledger().settle([settlement]);
  }

  #ledger(): PostgresCreditLedger {
    const ledger = this.#ledgers[this.#told.length % 2];
    if (ledger === undefined) throw new Error('there are two');
    return ledger;
  }
}

async function expectNoAnswer(drawing: Promise<Drawn>): Promise<void> {
  await expect(drawing).rejects.toMatchObject({ code: 'credits_unavailable' });
}

function unanswered(error: unknown): undefined {
  expect(error).toBeInstanceOf(Problem);
  expect(error).toMatchObject({ code: 'credits_unavailable' });
}

async function make(turn: Turn, keyId: string): Promise<void> {
  const context = contextOf(side.principal);
  switch (turn.kind) {
    case 'refill':
      nowMs += DAY_MS;
      await new Refiller({ writer: side.writer, epoch: () => side.epoch, log, nowMs: () => nowMs }).refill();
      break;
    case 'reroll':
      // Longer than all refills of a story together: of a key that has expired no other is made.
      await side.manage.keys.rerollKey(context, { keyId, expiration: 90 * DAY_MS });
      break;
    case 'epoch': {
      const before = side.epoch;
      if (before === null) throw new Error('this side is at home');
      const epoch = { counter: before.counter + 1, id: newEpochId(randomBytes) };
      const expected = { epoch: before, region: 'us-east-1' };
      expect(
        await startEpoch(databaseOf(side.pool), { expected, next: { epoch, region: 'us-east-1' } }),
      ).toBe(true);
      const former = new PostgresCreditLedger({ pool: side.pool, epoch: () => before });
      const draw = {
        id: newEpochId(randomBytes),
        accountId: 'any',
        holder: 'x',
        cost: 1,
        wanted: 0,
        epoch: null,
      };
      await expect(former.draw(draw)).rejects.toMatchObject({ code: 'credits_unavailable' });
      side.epoch = epoch;
      break;
    }
    case 'set':
    case 'increment':
    case 'decrement':
      await side.manage.keys.updateCredits(context, { keyId, operation: turn.kind, value: turn.value });
  }
}

interface Book {
  readonly id: string;
  readonly generation: number;
  readonly granted: number;
  readonly free: number;
  readonly leased: number;
  readonly spent: number;
  /** The same from the draws. */
  readonly out: number;
  readonly drawn: number;
}

async function bookOf(keyId: string): Promise<Book> {
  const { rows } = await side.pool.query<Book>(
    `select a.id, a.generation::integer, granted::integer, free::integer, leased::integer, a.spent::integer,
       coalesce(sum(d.amount - d.spent) filter (where d.state in ('open', 'lost')), 0)::integer as out,
       coalesce(sum(d.spent), 0)::integer as drawn
     from keys k join credit_accounts a on a.id = k.credit_account_id
     left join credit_draws d on d.account_id = a.id and d.generation = a.generation
     where k.id = $1 group by a.id`,
    [keyId],
  );
  const [book] = rows;
  if (book === undefined) throw new Error('the key has an account');
  return book;
}

test('whatever happens, granted = free + leased + spent, and nobody is answered by more than was granted', async () => {
  await fc.assert(
    fc.asyncProperty(balance, story, async (remaining, steps) => {
      const credits = { remaining, refill: { interval: 'daily', amount: 700 } } as const;
      const { keyId } = (await side.manage.keys.createKey(contextOf(side.principal), { apiId, credits }))
        .data;
      const tasks = new Tasks((await bookOf(keyId)).id);
      const granted = new Map<number, number>();
      for (const step of steps) {
        if ('kind' in step) await make(step, keyId);
        else await Promise.all(step.map(async (each) => await tasks.make(each)));
        const book = await bookOf(keyId);
        expect(book.free + book.leased + book.spent).toBe(book.granted);
        expect({ leased: book.leased, spent: book.spent }).toEqual({ leased: book.out, spent: book.drawn });
        granted.set(book.generation, book.granted);
        expect(tasks.handed.get(book.generation) ?? 0).toBeLessThanOrEqual(book.leased + book.spent);
        for (const [generation, handed] of tasks.handed) {
          expect(handed).toBeLessThanOrEqual(granted.get(generation) ?? 0);
        }
      }
    }),
    // A failure is told of in time, if need be with a longer story than would do.
    { numRuns: 40, interruptAfterTimeLimit: 90_000 },
  );
});
