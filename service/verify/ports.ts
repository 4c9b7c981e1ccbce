import type { KeyHash } from '../domain/brands.ts';
import type { Change } from '../domain/change.ts';
import type { HotKey, HotRootKey } from '../domain/hot-records.ts';
import type { FeedMark, SnapshotFloor } from '../domain/feed.ts';
import type { RecordReads, SharedObject, SharedRef } from '../domain/records.ts';
import type { Epoch, Revision } from '../domain/revision.ts';

/**
 * Where records come from: the region's own reader, or home. Each call is one statement, so its answer is one snapshot; a snapshot
 * below the floor is refused with Problem `database_unavailable`. Without a floor any snapshot will do.
 */
export interface RecordSource {
  /** Keys and root keys under these hashes, with every shared object that they refer to. */
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
  /** False: read under an earlier writer and not yet again. */
  isVerified(record: HotKey | HotRootKey): boolean;
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
