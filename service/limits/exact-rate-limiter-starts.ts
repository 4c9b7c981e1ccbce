import type { RateLimitAsk } from '../verify/ports.ts';

interface Start {
  /** Epoch ms, by the shared counter's clock. */
  readonly startMs: number;
  /** By this task's clock: the first moment whose units were counted in that window. */
  sinceMs: number;
  /** Start of the window before. Undefined: not known. */
  readonly beforeMs: number | undefined;
}

/**
 * In which windows of its shared counter the units of an ask were taken: the two clocks differ, and what is given back has to name the
 * window by the counter's. Remembered for as long as the ask itself is held by whoever asks it.
 */
export class WindowStarts {
  readonly #starts = new WeakMap<RateLimitAsk, Start>();

  /** Units that were asked at `nowMs`, by this task's clock, were taken in the window that began at `startMs`. */
  note(ask: RateLimitAsk, startMs: number, nowMs: number): void {
    const held = this.#starts.get(ask);
    if (held?.startMs === startMs) held.sinceMs = Math.min(held.sinceMs, nowMs);
    else this.#starts.set(ask, { startMs, sinceMs: nowMs, beforeMs: held?.startMs });
  }

  /** Of units that were asked at that moment; where it isn't known, what it is if the clocks agree. */
  startOf(ask: RateLimitAsk, takenAtMs: number): number {
    const held = this.#starts.get(ask);
    const asHere = takenAtMs - (takenAtMs % ask.durationMs);
    if (held === undefined) return asHere;
    return takenAtMs >= held.sinceMs ? held.startMs : (held.beforeMs ?? asHere);
  }
}
