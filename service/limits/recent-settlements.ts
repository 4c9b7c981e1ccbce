import { compareEpochs, type Epoch } from '../domain/revision.ts';
import type { Settlement } from '../verify/ports.ts';

export interface RecentSettlementsOptions {
  /** Settlements kept; the oldest go first, and may go unreported after a failover. */
  readonly max: number;
  /** For how long, in ms. */
  readonly keepMs: number;
}

/**
 * What home has acknowledged of late. A region that takes over may not have got it: the last commits of the home before may be lost. Told
 * again, what it knows changes nothing there, and what it doesn't know it takes of the account, or reports as spent twice.
 */
export class RecentSettlements {
  readonly #options: RecentSettlementsOptions;
  /** The oldest first, each with the monotonic ms at which it was first acknowledged. */
  readonly #recent = new Map<string, { readonly settlement: Settlement; readonly atMs: number }>();
  #takenFor: Epoch | null = null;

  constructor(options: RecentSettlementsOptions) {
    this.#options = options;
  }

  /** Nothing follows it: it is closed. One that is acknowledged once more doesn't become younger. */
  keep(settlement: Settlement, nowMs: number): void {
    if (this.#recent.has(settlement.id)) return;
    this.#recent.set(settlement.id, { settlement, atMs: nowMs });
    for (const [id, { atMs }] of this.#recent) {
      if (this.#recent.size <= this.#options.max && nowMs - atMs <= this.#options.keepMs) break;
      this.#recent.delete(id);
    }
  }

  /** Those of earlier epochs, once for each epoch. */
  before(epoch: Epoch, nowMs: number): readonly Settlement[] {
    if (this.#takenFor !== null && compareEpochs(epoch, this.#takenFor) <= 0) return [];
    this.#takenFor = epoch;
    return [...this.#recent.values()]
      .filter(({ atMs }) => nowMs - atMs <= this.#options.keepMs)
      .map(({ settlement }) => settlement)
      .filter((one) => one.epoch !== null && compareEpochs(one.epoch, epoch) < 0);
  }
}
