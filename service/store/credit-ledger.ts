import { DatabaseError, type Pool } from 'pg';
import { Problem } from '../domain/problem.ts';
import { compareEpochs, type Epoch } from '../domain/revision.ts';
import type { Log } from '../home/ports.ts';
import type { WriteTransaction } from '../manage/ports.ts';
import {
  type CreditLedger,
  type Draw,
  type Drawn,
  type Settled,
  type Settlement,
  SETTLEMENTS_MAX,
} from '../verify/ports.ts';
import { AccountTurns, type AccountTurnsOptions } from './account-turns.ts';
import { attemptDraw, attemptRecall, type AttemptOptions, type Happened } from './credit-ledger-draw.ts';
import { lookAt, type Outstanding, readOutstanding } from './credit-ledger-rows.ts';
import { settleBatch } from './credit-ledger-settle.ts';
import { RecallWaits } from './credit-ledger-waits.ts';
import { EpochWriter } from './epoch-writer.ts';
import { rowsOf } from './rows.ts';

export interface PostgresCreditLedgerOptions {
  /** On the region's own writer endpoint. */
  readonly pool: Pool;
  /** The epoch in which this task is at home; null: it isn't. */
  readonly epoch: () => Epoch | null;
  /** Hears of accounts with few credits left, and of credits that were spent twice. @default nobody does */
  readonly log?: Pick<Log, 'warn' | 'error'>;
  /** How draws of one account wait for each other. */
  readonly turns?: AccountTurnsOptions;
  /** For so long tasks are given time to return leases before a draw is refused, in ms. @default 1500 */
  readonly recallMs?: number;
}

/** What the ledger did since the start; for metrics. */
export interface CreditLedgerCounters {
  /** Draws that were answered, refused ones included; a repeat isn't counted again. */
  draws: number;
  /** Draws that were spent of the account at once, without a lease. */
  direct: number;
  /** Leases that were granted. */
  granted: number;
  /** Draws that weren't had. */
  refused: number;
  settlements: number;
  /** Times that the leases of an account were asked back. */
  recalls: number;
  /** Credits in leases that were not returned in time; they are free again should they be returned after all. */
  lost: number;
  /** Credits that were spent twice: of a home whose last commits were lost, and then again. */
  overspent: number;
  /** Draws that were called off by those who drew. */
  cancelled: number;
  /** Times that an account came to have few credits left. */
  lowBalance: number;
  /** Draws and settlements without an answer. */
  failed: number;
}

const DEFAULT_RECALL_MS = 1500;
/** Within what a task waits for an answer. */
const RESOLVE_TIMEOUT_MS = 500;
const SETTLING = { atOnce: 2, maxWaiting: 1000, maxWaitMs: 1500 };

/**
 * The ledger of the home's database: each draw, and each batch of settlements, is a short transaction of the home's epoch that holds the
 * rows of its accounts. What happens is decided in memory between reading and writing them (credit-ledger-book.ts, credit-ledger-draw.ts).
 */
export class PostgresCreditLedger implements CreditLedger {
  readonly counters: CreditLedgerCounters = {
    draws: 0,
    direct: 0,
    granted: 0,
    refused: 0,
    settlements: 0,
    recalls: 0,
    lost: 0,
    overspent: 0,
    cancelled: 0,
    lowBalance: 0,
    failed: 0,
  };
  readonly #pool: Pool;
  readonly #writer: EpochWriter;
  readonly #log: PostgresCreditLedgerOptions['log'];
  readonly #turns: AccountTurns;
  readonly #settling = new AccountTurns(SETTLING);
  readonly #waits: RecallWaits;
  readonly #recallMs: number;

  constructor({ pool, epoch, log, turns, recallMs = DEFAULT_RECALL_MS }: PostgresCreditLedgerOptions) {
    this.#pool = pool;
    this.#writer = new EpochWriter({ pool, epoch, resolveTimeoutMs: RESOLVE_TIMEOUT_MS });
    this.#log = log;
    this.#turns = new AccountTurns(turns);
    this.#waits = new RecallWaits({ look: async (ids) => await lookAt(rowsOf(pool), ids) });
    this.#recallMs = recallMs;
  }

  async draw(draw: Draw): Promise<Drawn> {
    const attempted = await this.#recalling(draw.accountId, draw.cost, async (options) => {
      const attempt = await this.#write(async (transaction) => {
        refuseEarlier(draw.epoch, transaction);
        return await attemptDraw(transaction, draw, options);
      });
      return attempt.kind === 'drawn' ? { done: attempt, happened: attempt.happened } : attempt;
    });
    const { drawn, isNew } = attempted;
    if (isNew) this.#countDrawn(draw, drawn);
    return drawn;
  }

  /**
   * Asks tasks for the leases of an account until so many credits are free or no lease is out, for a bounded time. Fails as a draw does.
   */
  async recall(accountId: string, wanted: number): Promise<void> {
    await this.#recalling(accountId, wanted, async (options) => {
      const attempt = await this.#write(
        async (transaction) => await attemptRecall(transaction, { accountId, wanted }, options),
      );
      return attempt.ready ? { done: true, happened: attempt.happened } : attempt;
    });
  }

  async settle(settlements: readonly Settlement[]): Promise<Settled> {
    if (settlements.length > SETTLEMENTS_MAX) {
      throw new Problem('invalid_input', `At most ${SETTLEMENTS_MAX} draws are settled at once.`);
    }
    if (settlements.length === 0) return { recalled: [] };
    const { told, recalled, happened } = await this.#settling.run(
      '',
      async () =>
        await this.#write(async (transaction) => {
          for (const { epoch } of settlements) refuseEarlier(epoch, transaction);
          return await settleBatch(transaction, settlements, { recallMs: this.#recallMs });
        }),
    );
    this.counters.settlements += settlements.length;
    this.counters.cancelled += told.cancelled;
    if (told.overspent > 0) {
      this.counters.overspent += told.overspent;
      this.#log?.error(
        { credits: told.overspent },
        'credits were spent of a home whose last commits were lost, and not all of them were there any more',
      );
    }
    this.#count(happened);
    this.#waits.kick();
    return { recalled };
  }

  /** What is out at this moment. Reads a row for each lease: for metrics that are looked at rarely. Fails as the database does. */
  async outstanding(): Promise<Outstanding> {
    return await readOutstanding(rowsOf(this.#pool));
  }

  /** Tries, and waits for leases to be returned where that would help, for a bounded time; who waits doesn't have a turn. */
  async #recalling<T>(
    accountId: string,
    wanted: number,
    attempt: (options: AttemptOptions) => Promise<{ readonly done?: T; readonly happened: Happened }>,
  ): Promise<T> {
    const recallMs = this.#recallMs;
    const deadline = performance.now() + recallMs;
    let isFinal = false;
    for (;;) {
      const options = { recallMs, isFinal };
      // Who would only find what those who wait have found needs no transaction for it.
      const attempted = await this.#turns.run(accountId, async () =>
        !options.isFinal && this.#waits.isShortOf(accountId, wanted) ? null : await attempt(options),
      );
      if (attempted !== null) {
        this.#count(attempted.happened);
        if (attempted.done !== undefined) return attempted.done;
      }
      isFinal = !(await this.#waits.wait(accountId, wanted, deadline - performance.now()));
    }
  }

  async #write<T>(work: (transaction: WriteTransaction) => Promise<T>): Promise<T> {
    try {
      return (await this.#writer.write(work)).value;
    } catch (error) {
      this.counters.failed += 1;
      throw refusalOf(error);
    }
  }

  #countDrawn({ cost }: Draw, { spent, leased }: Drawn): void {
    const { counters } = this;
    counters.draws += 1;
    if (!spent) counters.refused += 1;
    else if (leased > 0) counters.granted += 1;
    else if (cost > 0) counters.direct += 1;
  }

  #count({ recalls, lost, low }: Happened): void {
    const { counters } = this;
    counters.recalls += recalls;
    counters.lost += lost;
    counters.lowBalance += low.length;
    for (const account of low) this.#log?.warn({ ...account }, 'an account has few credits left');
  }
}

/** A task that knows a later home asks the wrong one. */
function refuseEarlier(known: Epoch | null, { revision }: WriteTransaction): void {
  if (known === null || compareEpochs(known, revision.epoch) <= 0) return;
  throw new Problem('credits_unavailable', 'The home has moved to another region; nothing was done.', {
    retryAfterS: 1,
  });
}

/** Whatever isn't a fault of ours: there was no answer, or the home is elsewhere. */
function refusalOf(error: unknown): unknown {
  if (error instanceof Problem) {
    return error.code === 'credits_unavailable' ? error : unavailable(error);
  }
  return error instanceof DatabaseError ? unavailable(error) : error;
}

function unavailable(cause: Error): Problem {
  return new Problem('credits_unavailable', 'The ledger of credits did not answer in time.', {
    retryAfterS: 1,
    cause,
  });
}
