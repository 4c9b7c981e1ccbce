import type { Epoch } from '../domain/revision.ts';
import type { Clock, CreditLedger } from '../verify/ports.ts';

/** Runs things later; injected, so that tests decide what time it is. */
export interface LeaseTimers {
  /** Runs `work` once, `ms` from now, soon where that is negative. Returns what calls it off. */
  after(ms: number, work: () => void): () => void;
}

export const TIMERS: LeaseTimers = {
  after(ms, work) {
    const timer = setTimeout(work, Math.max(0, ms));
    return () => clearTimeout(timer);
  },
};

export interface LeaseNumbers {
  /** How long a call waits for credits, in ms, all tries together. */
  readonly budgetMs: number;
  /** Between the tries of one draw, in ms; doubled with each up to the second number. */
  readonly retryMs: number;
  readonly retryMaxMs: number;
  /** Credits asked for as a lease the first time. */
  readonly firstWanted: number;
  /** Credits asked for as a lease of an account that is spent slowly. */
  readonly leastWanted: number;
  readonly maxWanted: number;
  /** How long a lease is to last at the rate at which its account is spent, in ms. */
  readonly leaseLastsMs: number;
  /** How often home is told what was spent of the leases that are held, in ms. */
  readonly reportEveryMs: number;
  /** A lease of which nothing was spent for so long is given back, in ms. */
  readonly idleAfterMs: number;
  /** Accounts of which something is held or remembered. */
  readonly maxAccounts: number;
  /** Calls that wait for credits of one account. */
  readonly maxWaiting: number;
  /** Draws of one account under way at a time, where each call has to make its own. */
  readonly maxDraws: number;
  /** Draws whose end home hasn't acknowledged. With more, nothing is drawn: that none stay taken couldn't be promised. */
  readonly maxCancelled: number;
  /**
   * Settlements kept after home has acknowledged them, to be told again to a region that takes over, and for how long, in ms. That is much
   * less than a home remembers draws: one that has forgotten them would take them for lost, and charge them again.
   */
  readonly maxRecent: number;
  readonly recentMs: number;
  /** Between tries of telling home, in ms; doubled with each up to the second number. */
  readonly settleRetryMs: number;
  readonly settleRetryMaxMs: number;
  /** A telling without an answer for so long is repeated, in ms. */
  readonly settleTimeoutMs: number;
  /** Batches of settlements under way at a time while the task stops. */
  readonly drainAtOnce: number;
  /** How long stopping waits for home to take everything back, in ms. */
  readonly stopWithinMs: number;
}

export const LEASE_NUMBERS: LeaseNumbers = {
  budgetMs: 2500,
  retryMs: 50,
  retryMaxMs: 400,
  firstWanted: 64,
  leastWanted: 16,
  maxWanted: 1_000_000,
  leaseLastsMs: 5000,
  reportEveryMs: 5000,
  idleAfterMs: 120_000,
  maxAccounts: 50_000,
  maxWaiting: 10_000,
  maxDraws: 50,
  maxCancelled: 10_000,
  maxRecent: 20_000,
  recentMs: 3_600_000,
  settleRetryMs: 100,
  settleRetryMaxMs: 1000,
  settleTimeoutMs: 3000,
  drainAtOnce: 4,
  stopWithinMs: 4000,
};

export interface LeaseLog {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
}

export interface CreditLeasesOptions {
  readonly ledger: CreditLedger;
  readonly clock: Clock;
  /** Id of this task. */
  readonly holder: string;
  /** The latest epoch that this task knows; null: none yet. */
  readonly epoch: () => Epoch | null;
  /** A new id each time, unique in the zone. */
  readonly randomId: () => string;
  readonly log: LeaseLog;
  /** @default the runtime's own */
  readonly timers?: LeaseTimers;
  /** @default LEASE_NUMBERS */
  readonly numbers?: Partial<LeaseNumbers>;
}

/** What happened so far, for metrics; all of them only rise. */
export class LeaseCounters {
  /** Spends of a lease that was there. */
  spentLocally = 0;
  /** Spends of a lease that had to be waited for. */
  spentAfterWaiting = 0;
  /** Spends that home took itself. */
  spentAtHome = 0;
  /** Refused by home. */
  refused = 0;
  /** Refused because home had, and nothing has changed since. */
  refusedHere = 0;
  /** Neither taken nor refused: 503. */
  failed = 0;
  draws = 0;
  /** Tries of draws besides the first. */
  retries = 0;
  /** Settlements that home acknowledged. */
  settlements = 0;
  /** Failed tries to tell home. */
  settlementFailures = 0;
  /** Draws that were called off, because their answer didn't come in time. */
  cancelled = 0;
  /** Leases given up because home wanted them, or their account changed. */
  recalled = 0;
  /** Leases given back because nothing was spent of them, there was no room, or the task stopped. */
  returned = 0;
  /** Time that calls waited, in ms, all together. */
  waitingMs = 0;
}
