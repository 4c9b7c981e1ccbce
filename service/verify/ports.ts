import type { KeyHash } from '../domain/brands.ts';
import type { Change } from '../domain/change.ts';
import type { HotKey, HotNamespace, HotRootKey } from '../domain/hot-records.ts';
import type { FeedMark, SnapshotFloor } from '../domain/feed.ts';
import type { RateLimitRule, RecordReads, SharedObject, SharedRef } from '../domain/records.ts';
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

/** What became of asking the ledger for credits. */
export interface Spending {
  /** False: there weren't enough, and none was taken. */
  readonly spent: boolean;
  /** Credits that nobody has taken yet, afterwards. */
  readonly free: number;
  readonly generation: number;
}

/**
 * The balances of all accounts, at home. Fails with Problem `credits_unavailable` where certainly no credits were taken, and with
 * `outcome_unknown`, which nobody is told to repeat, where they may have been.
 */
export interface CreditLedger {
  /** Takes `cost` (at least 1) credits of an account, or none. Never takes more than there are. */
  spend(accountId: string, cost: number): Promise<Spending>;
}
