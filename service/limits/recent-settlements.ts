import { compareEpochs, type Epoch } from '../domain/revision.ts';
import type { Settlement } from '../verify/ports.ts';

/**
 * What home has acknowledged of late. A region that takes over may not have got it: the last commits of the home before may be lost. Told
 * again, what it knows changes nothing there, and what it doesn't know it takes of the account, or reports as spent twice.
 */
export class RecentSettlements {
  readonly #max: number;
  /** The oldest first. */
  readonly #recent = new Map<string, Settlement>();
  #takenFor: Epoch | null = null;

  /** @param max settlements kept; the oldest go first, and may go unreported after a failover */
  constructor(max: number) {
    this.#max = max;
  }

  get size(): number {
    return this.#recent.size;
  }

  /** Nothing follows it: it is closed. */
  keep(settlement: Settlement): void {
    this.#recent.set(settlement.id, settlement);
    if (this.#recent.size <= this.#max) return;
    const [oldest] = this.#recent.keys();
    if (oldest !== undefined) this.#recent.delete(oldest);
  }

  /** Those of earlier epochs, once for each epoch. They are forgotten here, until they are acknowledged again. */
  takeBefore(epoch: Epoch): readonly Settlement[] {
    if (this.#takenFor !== null && compareEpochs(epoch, this.#takenFor) <= 0) return [];
    this.#takenFor = epoch;
    const taken = [...this.#recent.values()].filter(
      (one) => one.epoch !== null && compareEpochs(one.epoch, epoch) < 0,
    );
    for (const { id } of taken) this.#recent.delete(id);
    return taken;
  }
}
