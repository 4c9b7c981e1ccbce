import type { KeyHash } from '../domain/brands.ts';
import type { Change } from '../domain/change.ts';
import type { HotKey, HotNamespace, HotRootKey } from '../domain/hot-records.ts';
import type { FeedMark, SnapshotFloor } from '../domain/feed.ts';
import type {
  CreditsObject,
  OnUnavailable,
  RateLimitRule,
  RecordReads,
  SharedObject,
  SharedRef,
} from '../domain/records.ts';
import type { Epoch, Revision } from '../domain/revision.ts';

/**
 * Where records come from: the region's own reader, or home. Each call is one statement, so its answer is one snapshot; a snapshot
 * below the floor is refused with Problem `database_unavailable`, or `revision_not_reached` where the floor names a revision. Without a
 * floor any snapshot will do.
 */
export interface RecordSource {
  /** Keys, root keys and namespaces under these hashes, with every shared object that they refer to. */
  readRecords(hashes: readonly KeyHash[], floor?: SnapshotFloor): Promise<RecordReads>;
  /** Those of the asked objects that exist. */
  readShared(refs: readonly SharedRef[], floor?: SnapshotFloor): Promise<readonly SharedObject[]>;
}

/** What the change feed tells whoever holds records. Called synchronously, in order, before anybody is told of the new position. */
export interface FeedListener {
  onChanges(changes: readonly Change[]): void;
  /** The writer changed: nothing that is held can be trusted until it is read again. */
  onEpoch(epoch: Epoch): void;
  /** The feed can't vouch for what it delivered (miscount, pruned rows): drop everything. */
  onDistrust(reason: string): void;
}

/** What a look in memory says: the record; null, known to be nobody's; undefined, `load` it first. */
export type Peek<R> = R | null | undefined;

/** The records in memory. Times are monotonic ms. */
export interface Records {
  peekKey(hash: KeyHash, nowMs: number): Peek<HotKey>;
  peekRootKey(hash: KeyHash, nowMs: number): Peek<HotRootKey>;
  loadKey(hash: KeyHash): Promise<HotKey | null>;
  loadRootKey(hash: KeyHash): Promise<HotRootKey | null>;
  peekNamespace(hash: KeyHash, nowMs: number): Peek<HotNamespace>;
  loadNamespace(hash: KeyHash): Promise<HotNamespace | null>;
  /** False: read under an earlier writer and not yet again. */
  isVerified(record: HotKey | HotRootKey | HotNamespace): boolean;
}

/** How current this task is. */
export interface Freshness {
  /** How far the feed is; null before its first poll. */
  readonly mark: FeedMark | null;
  /** Behind the home database, in ms; never under 0. */
  stalenessMs(): number;
  /** False: not within the time. */
  waitFor(revision: Revision, timeoutMs: number): Promise<boolean>;
}

/** Wall clock and monotonic clock, injected. */
export interface Clock {
  /** Epoch ms. */
  nowMs(): number;
  /** Monotonic ms, for durations. */
  monotonicMs(): number;
}

/** One limit that units are asked of. */
export interface RateLimitAsk extends RateLimitRule {
  /** What is counted together, e.g. the id of a stored limit; unique within its workspace. */
  readonly counter: string;
  /** Units, at least 0. Asking for none only looks. */
  readonly cost: number;
  /** Given: the region's shared counter decides, and this is what happens where it can't be asked. Absent: this task decides. */
  readonly exact?: OnUnavailable;
}

/** What is left of a limit after it was asked. */
export interface RateLimitState {
  readonly exceeded: boolean;
  readonly remaining: number;
  /** Epoch ms at which the present window ends. */
  readonly resetMs: number;
}

/** Counts in this task's memory, synchronously. Each workspace counts for itself: the same name in another one is another counter. */
export interface RateLimiter {
  /** All or nothing: units are taken of every limit, or, where one is exceeded, of none. One state for each ask, in their order. */
  take(workspaceId: string, asks: readonly RateLimitAsk[], nowMs: number): readonly RateLimitState[];
  /** Gives back what was taken at that moment. */
  giveBack(workspaceId: string, asks: readonly RateLimitAsk[], takenAtMs: number): void;
}

/**
 * The same where at least one ask is `exact`: those are reserved of the region's shared counters, the others in memory, and what was
 * reserved is given back where one of them is exceeded. Never fails: where the shared counters don't answer in time, each exact ask says
 * whether it is decided here or refused.
 */
export interface ExactRateLimiter {
  take(workspaceId: string, asks: readonly RateLimitAsk[], nowMs: number): Promise<readonly RateLimitState[]>;
  giveBack(workspaceId: string, asks: readonly RateLimitAsk[], takenAtMs: number): void;
}

/** What this task has counted of one counter. Absolute numbers: told twice or late, they count once. */
export interface WindowCount {
  /** Names workspace, counter and duration together: 22 characters of base64url. */
  readonly key: string;
  /** Epoch ms at which the present window began. */
  readonly startMs: number;
  readonly durationMs: number;
  /** Units that this task took in the present window, and in the one before. */
  readonly units: number;
  readonly unitsBefore: number;
}

/** Units that the region's other tasks took, as far as they have told. */
export interface OthersCount {
  readonly units: number;
  readonly unitsBefore: number;
}

/** Units asked of a shared counter. */
export interface Reservation extends RateLimitRule {
  /** As in `WindowCount`. */
  readonly key: string;
  /** At least 0. */
  readonly cost: number;
}

export interface Reserved {
  /** False: it would have been too many, and none was taken. */
  readonly taken: boolean;
  /** Units that count at that moment, in all tasks, what was taken included. */
  readonly used: number;
  /** Epoch ms of the present window's start, by the shared counter's clock. */
  readonly startMs: number;
}

/** A shared counter couldn't be asked now: nothing was sent, so nothing was done, and nobody waited. */
export class CounterUnreachable extends Error {
  override readonly name = 'CounterUnreachable';
}

/** Counters that the tasks of a region share. */
export interface SharedCounters {
  /**
   * Tells what this task has counted and learns what the others have: one for each, in their order; null: no answer for this one.
   * Bounded in time.
   */
  exchange(counts: readonly WindowCount[]): Promise<readonly (OthersCount | null)[]>;
  /**
   * Takes units of a counter that is kept there alone, or none. Reservations and releases of one counter are done in the order in which
   * they are asked.
   *
   * Not bounded in time: whoever asks waits for as long as it wants to, and hears of an answer that comes late, since what was asked has
   * been done then. Fails with `CounterUnreachable` where nothing was sent, and with another Error once no answer can come any more; what
   * was asked may have been done then.
   */
  reserve(reservation: Reservation): Promise<Reserved>;
  /** Gives units back that were reserved in the window that began at `startMs`. Ends as `reserve` does. */
  release(reservation: Reservation, startMs: number): Promise<void>;
  /** Names the part, one of few, on which the counter with that key lies: those of one part answer together or not. Absent: there is one. */
  partOf?(key: string): string;
}

/** What became of asking for credits; `free` is what is left, as far as it is known. */
export interface Spent {
  /** False: there weren't enough, and none was taken. */
  readonly spent: boolean;
  readonly free: number;
}

/** The credits of keys, as this task spends them. */
export interface CreditSpender {
  /** Credits that are known to be left. */
  balanceOf(account: CreditsObject): number;
  /**
   * Takes `cost` credits (at least 1), or none. Synchronous where nobody needs to be asked. Fails with Problem `credits_unavailable`,
   * which certainly took none of them for good.
   */
  spend(account: CreditsObject, cost: number): Spent | Promise<Spent>;
}

/** Credits asked of the ledger: some to be spent at once, and some to be spent later without asking, a lease. */
export interface Draw {
  /** New for each draw; names its lease. The ledger does a draw once, however often it comes. */
  readonly id: string;
  readonly accountId: string;
  /** The task that asks, and holds the lease. */
  readonly holder: string;
  /** To be spent at once, all or nothing; 0: a lease is all that is wanted. */
  readonly cost: number;
  /** For the lease; how many it gets, if any, is the ledger's decision. */
  readonly wanted: number;
  /** The latest epoch that the task knows. A home of an earlier one refuses. */
  readonly epoch: Epoch | null;
}

export interface Drawn {
  /** Whether `cost` was taken. */
  readonly spent: boolean;
  /** Credits in the lease; 0: there is none. */
  readonly leased: number;
  /**
   * Credits that nobody holds, afterwards. Where `spent` is false no task holds any besides that could be had in time, and it stays true
   * that there aren't more until a change row of the account.
   */
  readonly free: number;
  readonly generation: number;
  /** Of the home that did it. A task that knows a later one doesn't spend of the lease. */
  readonly epoch: Epoch;
}

/** What became of a draw, told by the task that made it; absolute, so that it may come twice, late and in any order. */
export interface Settlement {
  /** Of the draw. */
  readonly id: string;
  readonly accountId: string;
  readonly generation: number;
  /** Of the home that granted it; null where its answer never came. */
  readonly epoch: Epoch | null;
  /** Spent so far of what was drawn, the draw's own `cost` included. */
  readonly spent: number;
  /** Nothing more will be spent of it: what is left returns to the account. */
  readonly closed: boolean;
}

export interface Settled {
  /** Draws of those that were told, whose lease home wants back. */
  readonly recalled: readonly string[];
}

/**
 * The balances of all accounts, at home. Fails with Problem `credits_unavailable` where there was no answer: what was asked may have
 * been done, and whoever drew settles the draw with what it really spent, 0 where nobody was answered.
 */
export interface CreditLedger {
  /** Before it refuses, it asks for leases back that other tasks hold (bounded). Never hands out more than there is. */
  draw(draw: Draw): Promise<Drawn>;
  /** At most `SETTLEMENTS_MAX` at once. */
  settle(settlements: readonly Settlement[]): Promise<Settled>;
}

export const SETTLEMENTS_MAX = 500;
