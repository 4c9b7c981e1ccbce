import type { Outstanding } from './credit-ledger-rows.ts';

export interface OutstandingViewOptions {
  /** Reads a row for each lease that is out. */
  readonly read: () => Promise<Outstanding>;
  /** Elsewhere nothing is out: the table there is a copy, or nobody's. */
  readonly isHome: () => boolean;
  /** Between two reads, in ms. @default 15 seconds */
  readonly everyMs?: number;
  /** For durations, in ms. @default performance.now */
  readonly monotonicMs?: () => number;
}

const NOTHING: Outstanding = { leases: 0, leased: 0, lost: 0 };

/**
 * What is out, for metrics. Asked for it, this answers what it knows, and reads in the background what the next one is answered: whoever
 * collects metrics doesn't wait for the database, however often they come. A read that fails changes nothing.
 */
export class OutstandingView {
  readonly #read: OutstandingViewOptions['read'];
  readonly #isHome: () => boolean;
  readonly #everyMs: number;
  readonly #monotonicMs: () => number;
  #known = NOTHING;
  #readAtMs = Number.NEGATIVE_INFINITY;
  #reading = false;

  constructor({ read, isHome, everyMs = 15_000, monotonicMs }: OutstandingViewOptions) {
    this.#read = read;
    this.#isHome = isHome;
    this.#everyMs = everyMs;
    this.#monotonicMs = monotonicMs ?? (() => performance.now());
  }

  get current(): Outstanding {
    if (!this.#isHome()) {
      this.#known = NOTHING;
      this.#readAtMs = Number.NEGATIVE_INFINITY;
      return NOTHING;
    }
    const nowMs = this.#monotonicMs();
    if (!this.#reading && nowMs - this.#readAtMs >= this.#everyMs) {
      this.#readAtMs = nowMs;
      void this.#refresh();
    }
    return this.#known;
  }

  async #refresh(): Promise<void> {
    this.#reading = true;
    try {
      this.#known = await this.#read();
    } catch {
      // What is known is still the best that can be said, and the next one to ask tries again.
    } finally {
      this.#reading = false;
    }
  }
}
