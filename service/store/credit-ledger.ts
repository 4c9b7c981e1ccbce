import { DatabaseError, type Pool } from 'pg';
import type { LowAccount } from '../domain/low-credits.ts';
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
import { OutstandingView } from './credit-ledger-outstanding.ts';
import { lookAt, type Outstanding, readOutstanding } from './credit-ledger-rows.ts';
import { settleBatch } from './credit-ledger-settle.ts';
import { loseSilentLeases } from './credit-ledger-silent.ts';
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
const SETTLING = {
  atOnce: 2,
  maxWaiting: 1000,
  maxWaitMs: 1500,
  refusal: 'Too many tasks settle credits at this moment: nothing was settled.',
};
/**
 * Draws of all accounts together. Were they to wait for connections, those whose callers have given up would be served first, for nothing,
 * and settlements after all of them. Leases that are wanted before they are needed have places of their own: each is for many calls.
 */
const WAITING = {
  maxWaiting: 2000,
  maxWaitMs: 700,
  refusal: 'Too many calls spend of the zone’s accounts at this moment: no credits were taken.',
};
const PREFETCHING = { ...WAITING, atOnce: 2 };
/** More than draws of one account are under way at a time. */
const SPENDING_MIN = 3;
/** Two each for settlements, for leases that are wanted early, and for what looks at the table now and then. */
const KEPT_CONNECTIONS = 6;
const DEFAULT_CONNECTIONS = 10;
/** Accounts that a log line names at most. */
const NAMED_MAX = 20;

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
  readonly #writer: EpochWriter;
  readonly #log: PostgresCreditLedgerOptions['log'];
  readonly #turns: AccountTurns;
  readonly #settling = new AccountTurns(SETTLING);
  readonly #prefetching = new AccountTurns(PREFETCHING);
  readonly #spending: AccountTurns;
  readonly #waits: RecallWaits;
  readonly #recallMs: number;
  readonly #outstanding: OutstandingView;

  constructor({ pool, epoch, log, turns, recallMs = DEFAULT_RECALL_MS }: PostgresCreditLedgerOptions) {
    this.#writer = new EpochWriter({ pool, epoch, resolveTimeoutMs: RESOLVE_TIMEOUT_MS });
    this.#log = log;
    this.#turns = new AccountTurns(turns);
    const connections = pool.options.max ?? DEFAULT_CONNECTIONS;
    this.#spending = new AccountTurns({
      ...WAITING,
      atOnce: Math.max(SPENDING_MIN, connections - KEPT_CONNECTIONS),
    });
    this.#waits = new RecallWaits({ look: async (ids) => await lookAt(rowsOf(pool), ids) });
    this.#recallMs = recallMs;
    this.#outstanding = new OutstandingView({
      read: async () => await readOutstanding(rowsOf(pool)),
      isHome: () => epoch() !== null,
    });
  }

  async draw(draw: Draw): Promise<Drawn> {
    const places = draw.cost === 0 ? this.#prefetching : this.#spending;
    const attempted = await this.#recalling(draw.accountId, draw.cost, places, async (options) => {
      const attempt = await this.#write(async (transaction) => {
        refuseEarlier(draw.epoch, transaction);
        return await attemptDraw(transaction, draw, options);
      });
      return attempt.kind === 'short' ? attempt : { done: attempt, happened: attempt.happened };
    });
    if (attempted.kind === 'held') throw held();
    const { drawn, isNew } = attempted;
    if (isNew) this.#countDrawn(draw, drawn);
    return drawn;
  }

  /**
   * Asks tasks for the leases of an account until so many credits are free or no lease is out, for a bounded time. Fails as a draw does.
   */
  async recall(accountId: string, wanted: number): Promise<void> {
    await this.#recalling(accountId, wanted, this.#spending, async (options) => {
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
        {
          credits: told.overspent,
          accounts: Object.fromEntries([...told.overspentOf].slice(0, NAMED_MAX)),
          ...(told.overspentOf.size > NAMED_MAX ? { otherAccounts: told.overspentOf.size - NAMED_MAX } : {}),
        },
        'credits were spent of a home whose last commits were lost, and not all of them were there any more',
      );
    }
    this.#count(happened);
    this.#waits.kick();
    return { recalled };
  }

  /**
   * Gives up leases of which nothing was heard for `afterMs`, looking for `batch` of them; returns how many it gave up. Fails as a draw
   * does.
   */
  async loseSilent(afterMs: number, batch: number): Promise<number> {
    const { leases, happened } = await this.#write(
      async (transaction) => await loseSilentLeases(transaction, { afterMs, batch }),
    );
    this.#count(happened);
    return leases;
  }

  /** What is out, for metrics: as it was read when somebody asked before, up to 15 s ago or longer; nothing away from home. */
  get outstanding(): Outstanding {
    return this.#outstanding.current;
  }

  /** Counts and logs that an account came to have few credits left. For whoever else changes balances, once that is committed. */
  noteLow(account: LowAccount): void {
    this.counters.lowBalance += 1;
    this.#log?.warn({ ...account }, 'an account has few credits left');
  }

  /** Tries, and waits for leases to be returned where that would help, for a bounded time; who waits doesn't have a turn. */
  async #recalling<T>(
    accountId: string,
    wanted: number,
    places: AccountTurns,
    attempt: (options: AttemptOptions) => Promise<{ readonly done?: T; readonly happened: Happened }>,
  ): Promise<T> {
    const recallMs = this.#recallMs;
    let deadline: number | null = null;
    let isFinal = false;
    for (;;) {
      const [final, hasWaited] = [isFinal, deadline !== null];
      const attempted = await this.#turns.run(
        accountId,
        async () =>
          await places.run('', async () => {
            // Who would only find what those who wait have found needs no transaction for it.
            if (!final && this.#waits.isShortOf(accountId, wanted)) return null;
            const endsWaiting = hasWaited && !this.#waits.isWaitedFor(accountId);
            return await attempt({ recallMs, isFinal: final, endsWaiting });
          }),
      );
      if (attempted !== null) {
        this.#count(attempted.happened);
        if (attempted.done !== undefined) return attempted.done;
      }
      // From when leases have been asked back: whatever took long before that gave their holders no time.
      deadline ??= performance.now() + recallMs;
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
    for (const account of low) this.noteLow(account);
  }
}

/** A task that knows a later home asks the wrong one. */
function refuseEarlier(known: Epoch | null, { revision }: WriteTransaction): void {
  if (known === null || compareEpochs(known, revision.epoch) <= 0) return;
  throw new Problem('credits_unavailable', 'The home has moved to another region; nothing was done.', {
    retryAfterS: 1,
  });
}

function held(): Problem {
  return new Problem('credits_unavailable', 'Tasks hold the credits that are left, and are asked for them.', {
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
