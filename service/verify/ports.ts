import type { KeyHash } from '../domain/brands.ts';
import type { Change } from '../domain/change.ts';
import type { RecordReads, SharedObject, SharedRef } from '../domain/records.ts';
import type { Epoch } from '../domain/revision.ts';

/** Where records come from: the region's own reader, or home. Each call is one statement, so its answer is one snapshot. */
export interface RecordSource {
  /** Keys and root keys under these hashes, with every shared object that they refer to. */
  readRecords(hashes: readonly KeyHash[]): Promise<RecordReads>;
  /** Those of the asked objects that exist. */
  readShared(refs: readonly SharedRef[]): Promise<readonly SharedObject[]>;
}

/** What the change feed tells whoever holds records. Called synchronously, in order, before the feed's position moves. */
export interface FeedListener {
  onChanges(changes: readonly Change[]): void;
  /** The writer changed: nothing that is held can be trusted until it is read again. */
  onEpoch(epoch: Epoch): void;
  /** The feed can't vouch for what it delivered (miscount, pruned rows): drop everything. */
  onDistrust(reason: string): void;
}

/** Wall clock and monotonic clock, injected. */
export interface Clock {
  /** Epoch ms. */
  nowMs(): number;
  /** Monotonic ms, for durations. */
  monotonicMs(): number;
}
