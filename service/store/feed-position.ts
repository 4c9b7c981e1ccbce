import type { Change } from '../domain/change.ts';
import type { FeedMark, FeedPoll } from '../domain/feed.ts';
import { compareEpochs, sameEpoch, type Epoch, type Revision } from '../domain/revision.ts';

/** What applying a poll came to. */
export type FeedStep =
  /** Rows not seen before; perhaps none. */
  | { readonly kind: 'changes'; readonly changes: readonly Change[] }
  /** The writer changed; reading starts over at the new writer's watermark, with these rows. */
  | { readonly kind: 'epoch'; readonly epoch: Epoch; readonly changes: readonly Change[] }
  /** Rows are missing or gone; reading starts over, and nothing held before can be trusted. */
  | { readonly kind: 'distrust'; readonly reason: string }
  /** This reader is behind what was seen already; the poll is not used. */
  | { readonly kind: 'behind'; readonly reason: string };

interface Position {
  readonly epoch: Epoch;
  readonly watermark: bigint;
  readonly changesBelowWatermark: number;
}

/**
 * Where a task stands in the change feed; pure, one poll at a time.
 *
 * Rows are asked for by transaction id from the watermark on, not by sequence, because commits come out of order: a row with a
 * low number may become visible after one with a higher number. The watermark comes from the writer and says below which
 * transaction all have ended, so whoever sees the heartbeat sees every row below it. Rows from the watermark on come again with
 * each poll until the watermark passes them; they are recognised by `seq`.
 *
 * Each heartbeat also says how many rows lie below its watermark since the epoch began. The difference between any two
 * heartbeats must be the number of rows that this task met between the two; another number means that the database doesn't
 * behave as this argument needs it, and the step is `distrust`.
 */
export class FeedPosition {
  #position: Position | null = null;
  /** Rows met with a transaction id from the watermark on: seq → transaction. */
  #met = new Map<bigint, bigint>();
  /** Their transactions. */
  #metXids = new Set<bigint>();

  get epoch(): Epoch | null {
    return this.#position?.epoch ?? null;
  }

  /** Null before the first poll. */
  get watermark(): bigint | null {
    return this.#position?.watermark ?? null;
  }

  /** What a database instance must show at least to be as far as this. Null before the first poll. */
  get mark(): FeedMark | null {
    const position = this.#position;
    return position === null
      ? null
      : { epoch: position.epoch, watermark: position.watermark, met: this.#met.size };
  }

  /** Transactions from the watermark on that are applied. */
  get appliedXids(): readonly bigint[] {
    return [...this.#metXids];
  }

  /** True where the revision's rows were applied. Of another epoch than the present one nothing is known here. */
  hasApplied(revision: Revision): boolean {
    const position = this.#position;
    if (position === null || !sameEpoch(position.epoch, revision.epoch)) return false;
    return revision.xid < position.watermark || this.#metXids.has(revision.xid);
  }

  /**
   * True where a reader that answered this poll shows all that was applied here, so that reading can go on there. The reader that
   * was read all along is asked the same each time: a standby that crashed begins again at an earlier point.
   */
  canContinueOn(poll: FeedPoll): boolean {
    const position = this.#position;
    if (position === null) return true;
    const order = compareEpochs(poll.heartbeat.epoch, position.epoch);
    if (order !== 0) return order > 0;
    const { watermark } = poll.heartbeat;
    if (watermark < position.watermark) return false;
    if (this.#met.size === 0) return true;
    const visible = new Set(poll.changes.map((change) => change.seq));
    for (const [seq, xid] of this.#met) {
      if (xid >= watermark && !visible.has(seq)) return false;
    }
    return true;
  }

  apply(poll: FeedPoll): FeedStep {
    const position = this.#position;
    const { heartbeat } = poll;
    if (position === null) {
      this.#startOver(poll);
      return { kind: 'epoch', epoch: heartbeat.epoch, changes: [] };
    }
    if (!this.canContinueOn(poll)) {
      return { kind: 'behind', reason: 'it shows an earlier epoch, or less than was applied' };
    }
    if (!sameEpoch(heartbeat.epoch, position.epoch)) {
      this.#startOver(poll);
      return { kind: 'epoch', epoch: heartbeat.epoch, changes: poll.changes };
    }
    if (heartbeat.prunedBelow > position.watermark) {
      this.#startOver(poll);
      return { kind: 'distrust', reason: 'rows of the feed were pruned before they were read' };
    }
    return this.#advance(poll, position);
  }

  #advance(poll: FeedPoll, position: Position): FeedStep {
    const { heartbeat } = poll;
    const changes: Change[] = [];
    for (const change of poll.changes) {
      if (this.#met.has(change.seq)) continue;
      this.#met.set(change.seq, change.xid);
      changes.push(change);
    }
    if (heartbeat.watermark > position.watermark) {
      const counted = this.#dropBelow(heartbeat.watermark);
      const expected = heartbeat.changesBelowWatermark - position.changesBelowWatermark;
      if (counted !== expected) {
        this.#startOver(poll);
        return { kind: 'distrust', reason: `the feed showed ${counted} rows where home counted ${expected}` };
      }
      const { epoch, watermark, changesBelowWatermark } = heartbeat;
      this.#position = { epoch, watermark, changesBelowWatermark };
    } else if (changes.length === 0) {
      return { kind: 'changes', changes };
    }
    this.#metXids = new Set(this.#met.values());
    return { kind: 'changes', changes };
  }

  /** Returns how many rows were below. */
  #dropBelow(watermark: bigint): number {
    let dropped = 0;
    for (const [seq, xid] of this.#met) {
      if (xid >= watermark) continue;
      this.#met.delete(seq);
      dropped += 1;
    }
    return dropped;
  }

  #startOver(poll: FeedPoll): void {
    const { epoch, watermark, changesBelowWatermark } = poll.heartbeat;
    this.#position = { epoch, watermark, changesBelowWatermark };
    this.#met = new Map(poll.changes.filter((c) => c.xid >= watermark).map((c) => [c.seq, c.xid]));
    this.#metXids = new Set(this.#met.values());
  }
}
