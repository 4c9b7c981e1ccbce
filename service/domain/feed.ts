import type { Change } from './change.ts';
import type { Epoch, Revision } from './revision.ts';

/** The home's heartbeat: a row that the home rewrites each second and that replicates with the data. */
export interface Heartbeat {
  readonly epoch: Epoch;
  /** The home region. */
  readonly region: string;
  /** The home database's clock, epoch ms. */
  readonly beatAtMs: number;
  /** Every transaction below this one had ended when the row was written; whoever sees the row sees all of them. */
  readonly watermark: bigint;
  /** Number of change rows of this epoch whose transaction is below `watermark`, since the epoch began. */
  readonly changesBelowWatermark: number;
  /** Change rows below this transaction may have been pruned. */
  readonly prunedBelow: bigint;
}

/** What one statement of the feed saw on one reader. */
export interface FeedPoll {
  readonly heartbeat: Heartbeat;
  /** The reader's clock when the statement ran, epoch ms. */
  readonly readerClockMs: number;
  /** All visible rows of the heartbeat's epoch from the asked transaction on (or from the watermark, where the epoch is another). */
  readonly changes: readonly Change[];
}

/** How far a task has applied the feed, as a database can check it: the rows met from the watermark on are told by their number. */
export interface FeedMark {
  readonly epoch: Epoch;
  readonly watermark: bigint;
  /** Rows of the epoch with a transaction from the watermark on that were applied. */
  readonly met: number;
}

/**
 * What a snapshot must show at least. An instance can fall back behind what it showed before (a standby that crashes begins again
 * at an earlier point), and a record read there would be older than changes which were applied already.
 */
export interface SnapshotFloor {
  readonly mark: FeedMark | null;
  readonly revision: Revision | null;
}

export const NO_FLOOR: SnapshotFloor = { mark: null, revision: null };
