import type { Clock } from '../verify/ports.ts';

const SPAN_MS = 30_000;

/** How long exchanges take that are answered, in ms. */
export class ExchangeTimes {
  /** Of the last one; 0: there was none. */
  lastMs = 0;
  readonly #clock: Pick<Clock, 'monotonicMs'>;
  /** Two numbers, so that adding one costs nothing and what is long past is forgotten. */
  #span = 0;
  #maxMs = 0;
  #maxBeforeMs = 0;

  constructor(clock: Pick<Clock, 'monotonicMs'>) {
    this.#clock = clock;
  }

  /** The longest of the last 30 to 60 s; 0: there was none. */
  get maxMs(): number {
    this.#moveTo(this.#clock.monotonicMs());
    return Math.max(this.#maxMs, this.#maxBeforeMs);
  }

  add(sentMs: number): void {
    const nowMs = this.#clock.monotonicMs();
    this.#moveTo(nowMs);
    this.lastMs = nowMs - sentMs;
    this.#maxMs = Math.max(this.#maxMs, this.lastMs);
  }

  #moveTo(nowMs: number): void {
    const span = Math.floor(nowMs / SPAN_MS);
    if (span === this.#span) return;
    this.#maxBeforeMs = span === this.#span + 1 ? this.#maxMs : 0;
    this.#maxMs = 0;
    this.#span = span;
  }
}
