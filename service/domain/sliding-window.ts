/**
 * A sliding window that remembers two numbers. Time is cut into fixed windows, aligned to multiples of the duration since 1970, so that
 * all tasks cut it alike; units are counted in the present one and kept of the one before. Of the latter counts the share that still lies
 * in the window that slides:
 *
 *        the window before            the present window
 *   ├────────────────────────────┼────────────────────────────┤
 *                    ╔═══════════╪═══════════════╗
 *                    ║ still in  │ all of it     ║
 *                    ╚═══════════╪═══════════════╝
 *                     └────── duration ──────────┘ now
 *
 *   used = floor(units before × share still in) + units now
 *
 * The share is exact where the units before were spread evenly, and a good guess otherwise. It is rounded down: rounded up, a limit of
 * 1 would let through one unit in every other window. Whatever is guessed, no window gets more than the limit.
 *
 * Times are epoch ms, units are whole numbers up to 1e12.
 */
export class SlidingWindow {
  readonly durationMs: number;
  #startMs: number;
  #units = 0;
  #unitsBefore = 0;

  constructor(durationMs: number, nowMs: number) {
    this.durationMs = durationMs;
    this.#startMs = startOf(nowMs, durationMs);
  }

  /** When the present window ends. */
  get resetMs(): number {
    return this.#startMs + this.durationMs;
  }

  /** True where nothing that was counted can matter any more. */
  isOver(nowMs: number): boolean {
    return nowMs >= this.#startMs + 2 * this.durationMs;
  }

  /**
   * Moves on to the window of this moment; true where that is another one. A clock that steps back moves nothing: what was taken stays
   * taken, in the later window, until the clock is there again.
   */
  moveTo(nowMs: number): boolean {
    const startMs = startOf(nowMs, this.durationMs);
    if (startMs <= this.#startMs) return false;
    this.#unitsBefore = startMs === this.#startMs + this.durationMs ? this.#units : 0;
    this.#units = 0;
    this.#startMs = startMs;
    return true;
  }

  /** Units that count at this moment; `moveTo` comes first. */
  usedAt(nowMs: number): number {
    if (this.#unitsBefore === 0) return this.#units;
    // Of the last `durationMs` milliseconds, this one included, so many lie in the window before.
    const stillInMs = Math.min(this.durationMs - 1, Math.max(0, this.resetMs - 1 - nowMs));
    return this.#units + Math.floor((this.#unitsBefore * stillInMs) / this.durationMs);
  }

  take(units: number): void {
    this.#units += units;
  }

  /** Gives back what was taken at that moment, as far as it still counts. */
  giveBack(units: number, takenAtMs: number): void {
    const startMs = startOf(takenAtMs, this.durationMs);
    // Taken under a clock that had stepped back, it was counted in the present window.
    if (startMs >= this.#startMs) this.#units = Math.max(0, this.#units - units);
    else if (startMs === this.#startMs - this.durationMs) {
      this.#unitsBefore = Math.max(0, this.#unitsBefore - units);
    }
  }
}

/** Whether so many units more are too many. A limit of 0 lets nothing through, not even a look. */
export function exceeds(used: number, cost: number, limit: number): boolean {
  return limit === 0 || used + cost > limit;
}

function startOf(nowMs: number, durationMs: number): number {
  return nowMs - (nowMs % durationMs);
}
