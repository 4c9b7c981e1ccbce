import type { WindowCount } from '../verify/ports.ts';
import type { WaitingWindows } from './count-exchange-due.ts';
import { type CountedWindow, DUE } from './window-queue.ts';

/** What is told in one call. Monotonic ms. */
export interface Batch {
  readonly windows: readonly CountedWindow[];
  readonly counts: readonly WindowCount[];
  /** Since when the oldest of them waits to be told. */
  readonly sinceMs: number;
  readonly sentMs: number;
}

/** Batches that were answered, until a period after they were sent: so long what is asked of them isn't told again. */
export class CoolingBatches {
  readonly #periodMs: number;
  readonly #due: WaitingWindows;
  #batches: Batch[] = [];

  constructor(periodMs: number, due: WaitingWindows) {
    this.#periodMs = periodMs;
    this.#due = due;
  }

  /** When the next one ends; infinite: there is none. */
  get nextEndMs(): number {
    let nextMs = Number.POSITIVE_INFINITY;
    for (const { sentMs } of this.#batches) nextMs = Math.min(nextMs, sentMs + this.#periodMs);
    return nextMs;
  }

  /** When the oldest was sent of which something was asked since; infinite: there is none. */
  get oldestAskedMs(): number {
    let oldestMs = Number.POSITIVE_INFINITY;
    for (const { windows, sentMs } of this.#batches) {
      if (sentMs < oldestMs && windows.some(({ due }) => due === DUE.toldAndAsked)) oldestMs = sentMs;
    }
    return oldestMs;
  }

  add(batch: Batch): void {
    this.#batches.push(batch);
  }

  /** Ends those whose time is over: what was asked since waits to be told. */
  end(nowMs: number): void {
    const over = this.#batches.filter(({ sentMs }) => sentMs + this.#periodMs <= nowMs);
    if (over.length === 0) return;
    this.#batches = this.#batches.filter((batch) => !over.includes(batch));
    for (const { windows, sentMs } of over) {
      for (const window of windows) {
        if (window.due === DUE.toldAndAsked) this.#due.add(window, sentMs);
        else if (window.due === DUE.told) window.due = DUE.not;
      }
    }
  }
}
