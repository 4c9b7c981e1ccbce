import type { Change } from './change.ts';
import type { Epoch } from './revision.ts';

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
