import { type CreditLedger, type Settlement, SETTLEMENTS_MAX } from '../verify/ports.ts';
import type { LeaseCounters, LeaseLog, LeaseNumbers, LeaseTimers } from './credit-leases-options.ts';

export interface LeaseSettlementsOptions {
  readonly ledger: Pick<CreditLedger, 'settle'>;
  readonly timers: LeaseTimers;
  readonly numbers: LeaseNumbers;
  readonly counters: LeaseCounters;
  readonly log: LeaseLog;
  readonly onAnswer: () => void;
  /** Home has acknowledged the end of a draw that it granted. */
  readonly onEnded: (settlement: Settlement) => void;
  /** Home wants these leases back. */
  readonly onRecalled: (draws: readonly Pick<Settlement, 'id' | 'accountId'>[]) => void;
}

interface Entry {
  readonly settlement: Settlement;
  /** Since when home could have known, monotonic ms. */
  readonly sinceMs: number;
}

/**
 * Tells home what became of draws, until it has acknowledged it. Settlements are absolute, so that one that is told twice does no harm;
 * of each draw only the latest is kept, and nothing follows a closed one. Those that free something are told first.
 */
export class LeaseSettlements {
  readonly #options: LeaseSettlementsOptions;
  readonly #closed = new Map<string, Entry>();
  readonly #open = new Map<string, Entry>();
  /** What another home had acknowledged: nobody waits for it. */
  readonly #again = new Map<string, Entry>();
  readonly #inOrder = [this.#closed, this.#open, this.#again];
  /** Draws whose settlement is under way. */
  readonly #telling = new Set<string>();
  /** Draws that were called off and whose end home hasn't acknowledged. */
  #cancelled = 0;
  #failures = 0;
  /** Halved with each failure, so that one settlement that home can't take doesn't keep back all others. */
  #batchSize = SETTLEMENTS_MAX;
  /** Batches under way, and how many may be at a time. */
  #underWay = 0;
  #atOnce = 1;
  #callOff: (() => void) | null = null;
  #ended = false;
  #whenDone: (() => void) | null = null;

  constructor(options: LeaseSettlementsOptions) {
    this.#options = options;
  }

  /** Settlements that home hasn't acknowledged. */
  get size(): number {
    return this.#closed.size + this.#open.size + this.#again.size;
  }

  get cancelled(): number {
    return this.#cancelled;
  }

  /** Since when the oldest waits, monotonic ms; null: none does. */
  get oldestMs(): number | null {
    let oldest: number | null = null;
    for (const entries of this.#inOrder) {
      for (const { sinceMs } of entries.values()) {
        if (oldest === null || sinceMs < oldest) oldest = sinceMs;
      }
    }
    return oldest;
  }

  /** Tells what was told before to another home, after everything else. */
  putAgain(settlement: Settlement, sinceMs: number): void {
    this.#again.set(settlement.id, { settlement, sinceMs });
    this.#schedule(this.#waitMs());
  }

  put(settlement: Settlement, sinceMs: number): void {
    const { id, closed } = settlement;
    if (this.#closed.has(id)) return;
    const before = this.#open.get(id);
    const entry = { settlement, sinceMs: Math.min(sinceMs, before?.sinceMs ?? sinceMs) };
    if (closed) {
      this.#open.delete(id);
      this.#closed.set(id, entry);
      if (settlement.epoch === null) this.#cancelled += 1;
    } else {
      this.#open.set(id, entry);
    }
    this.#schedule(this.#waitMs());
  }

  /** Another home answers now: what failed before says nothing about it. */
  wake(): void {
    this.#failures = 0;
    this.#callOff?.();
    this.#callOff = null;
    this.#schedule(0);
  }

  /** Resolves once home has acknowledged everything, or the time is over; nothing is told after that. */
  async drain(withinMs: number): Promise<void> {
    if (this.size > 0) {
      await new Promise<void>((resolve) => {
        const callOff = this.#options.timers.after(withinMs, resolve);
        this.#whenDone = () => {
          callOff();
          resolve();
        };
        this.#atOnce = this.#options.numbers.drainAtOnce;
        this.wake();
      });
    }
    this.#ended = true;
    this.#callOff?.();
    if (this.size > 0) {
      this.#options.log.warn(
        { settlements: this.size },
        'stopped before home had taken back all credits: what these leases hold is lost',
      );
    }
  }

  #waitMs(): number {
    const { settleRetryMs, settleRetryMaxMs } = this.#options.numbers;
    if (this.#failures === 0) return 0;
    return Math.min(settleRetryMaxMs, settleRetryMs * 2 ** Math.min(this.#failures - 1, 16));
  }

  #schedule(ms: number): void {
    const isFull = this.#underWay >= this.#atOnce;
    if (isFull || this.#callOff !== null || this.#ended || this.size <= this.#telling.size) return;
    this.#callOff = this.#options.timers.after(ms, () => {
      this.#callOff = null;
      void this.#tell();
    });
  }

  /** Never rejects. */
  async #tell(): Promise<void> {
    const { counters, log } = this.#options;
    const batch = this.#nextBatch();
    if (batch.length === 0) return;
    this.#underWay += 1;
    this.#schedule(this.#waitMs());
    try {
      const recalled = await this.#settle(batch.map(({ settlement }) => settlement));
      this.#options.onAnswer();
      if (this.#failures > 0) log.info({ failures: this.#failures }, 'home takes settlements again');
      this.#failures = 0;
      this.#batchSize = Math.min(SETTLEMENTS_MAX, this.#batchSize * 2);
      counters.settlements += batch.length;
      for (const entry of batch) this.#acknowledged(entry);
      if (recalled.length > 0) this.#recalled(batch, new Set(recalled));
    } catch (error) {
      if (this.#failures === 0) log.warn({ error, waiting: this.size }, 'home takes no settlements');
      this.#failures += 1;
      this.#batchSize = Math.max(1, this.#batchSize >> 1);
      counters.settlementFailures += 1;
      for (const entry of batch) this.#putLast(entry);
    } finally {
      this.#underWay -= 1;
      for (const { settlement } of batch) this.#telling.delete(settlement.id);
    }
    if (this.size === 0) this.#whenDone?.();
    this.#schedule(this.#waitMs());
  }

  #nextBatch(): readonly Entry[] {
    const batch: Entry[] = [];
    for (const entries of this.#inOrder) {
      for (const [id, entry] of entries) {
        if (batch.length >= this.#batchSize) return batch;
        if (this.#telling.has(id)) continue;
        this.#telling.add(id);
        batch.push(entry);
      }
    }
    return batch;
  }

  async #settle(settlements: readonly Settlement[]): Promise<readonly string[]> {
    const { ledger, timers, numbers } = this.#options;
    return await new Promise((resolve, reject) => {
      const callOff = timers.after(numbers.settleTimeoutMs, () =>
        reject(new Error('home did not acknowledge in time')),
      );
      void ledger
        .settle(settlements)
        .then(({ recalled }) => resolve(recalled), reject)
        .finally(callOff);
    });
  }

  #recalled(batch: readonly Entry[], ids: ReadonlySet<string>): void {
    this.#options.onRecalled(batch.map(({ settlement }) => settlement).filter(({ id }) => ids.has(id)));
  }

  #entriesOf(entry: Entry): Map<string, Entry> {
    if (this.#again.get(entry.settlement.id) === entry) return this.#again;
    return entry.settlement.closed ? this.#closed : this.#open;
  }

  /** What was replaced while it was told is told again. */
  #acknowledged(entry: Entry): void {
    const { id, closed, epoch } = entry.settlement;
    const entries = this.#entriesOf(entry);
    if (entries.get(id) !== entry) return;
    entries.delete(id);
    if (!closed) return;
    if (epoch === null) this.#cancelled -= 1;
    else this.#options.onEnded(entry.settlement);
  }

  #putLast(entry: Entry): void {
    const { id } = entry.settlement;
    const entries = this.#entriesOf(entry);
    if (entries.get(id) !== entry) return;
    entries.delete(id);
    entries.set(id, entry);
  }
}
