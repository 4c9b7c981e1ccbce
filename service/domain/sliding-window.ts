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
 *   used = floor((own + others before) × share still in) + own + others now
 *
 * Own units were taken here; others' are what is known of other tasks that count the same.
 *
 * Error, against a true sliding window that knows when each unit was taken, for a limit L, a duration of d ms, all units known, and a clock
 * that doesn't step back. Of B units in the window before, b really lie in the true window; what is counted is floor(B × share), and the
 * share is s/d with 0 ≤ s < d.
 *
 * - Too many: what was let through is at most L − floor(B × s/d) in the present window, so the true window holds at most
 *   L + b − floor(B × s/d) units. With b ≤ B ≤ L, and s ≥ 1 where b isn't 0, that is at most `L − floor(L / d)` above the limit: less than
 *   twice the limit. It takes a window before that was filled in its last millisecond.
 * - Too few: as long as floor(B × s/d) − b units too few are let through, at most `L − ceil(L / d)`. It takes a window before that was filled
 *   in its first millisecond.
 * - None, where the units before were spread evenly: then b is what is counted, but for rounding. It is rounded down: rounded up, a limit
 *   of 1 would let through one unit in every other window.
 * - In no aligned window more than L, whatever is guessed.
 *
 * Times are epoch ms, units are whole numbers up to 1e12.
 */
export class SlidingWindow {
  readonly durationMs: number;
  #startMs: number;
  #units = 0;
  #unitsBefore = 0;
  #others = 0;
  #othersBefore = 0;
  /** The clock has stepped back behind the present window's start. */
  #isClockBehind = false;
  /** Of the own units of the present window, those taken meanwhile. */
  #unitsBehind = 0;

  constructor(durationMs: number, nowMs: number) {
    this.durationMs = durationMs;
    this.#startMs = startOf(nowMs, durationMs);
  }

  /** When the present window began. */
  get startMs(): number {
    return this.#startMs;
  }

  /** Own units of the present window. */
  get units(): number {
    return this.#units;
  }

  /** Own units of the window before. */
  get unitsBefore(): number {
    return this.#unitsBefore;
  }

  /** Units of others, of both windows. */
  get othersKnown(): number {
    return this.#others + this.#othersBefore;
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
   * taken, in the later window, until the clock is there again. Only where that is more than a whole duration away it starts over: the
   * clock was wrong before, and nobody is to be refused for as long as it was.
   */
  moveTo(nowMs: number): boolean {
    const startMs = startOf(nowMs, this.durationMs);
    this.#isClockBehind = nowMs < this.#startMs && nowMs >= this.#startMs - this.durationMs;
    if (startMs === this.#startMs || this.#isClockBehind) return false;
    const isNext = startMs === this.#startMs + this.durationMs;
    this.#unitsBefore = isNext ? this.#units : 0;
    this.#othersBefore = isNext ? this.#others : 0;
    this.#units = 0;
    this.#others = 0;
    this.#unitsBehind = 0;
    this.#startMs = startMs;
    return true;
  }

  /** Units that count at this moment; `moveTo` comes first. */
  usedAt(nowMs: number): number {
    const before = this.#unitsBefore + this.#othersBefore;
    const present = this.#units + this.#others;
    if (before === 0) return present;
    // Of the last `durationMs` milliseconds, this one included, so many lie in the window before.
    const stillInMs = Math.min(this.durationMs - 1, Math.max(0, this.resetMs - 1 - nowMs));
    return present + Math.floor((before * stillInMs) / this.durationMs);
  }

  take(units: number): void {
    this.#units += units;
    if (this.#isClockBehind) this.#unitsBehind += units;
  }

  /** Undoes a `take`, before the window moves on. */
  undo(units: number): void {
    this.#units -= units;
    if (this.#isClockBehind) this.#unitsBehind -= units;
  }

  /** Gives own units back that were taken at that moment, as far as they still count; returns how many that were. */
  giveBack(units: number, takenAtMs: number): number {
    const startMs = startOf(takenAtMs, this.durationMs);
    if (startMs >= this.#startMs) return this.giveBackIn(this.#startMs, units);
    if (startMs !== this.#startMs - this.durationMs) return 0;
    // Taken under a clock that had stepped back, they were counted in the present window.
    const behind = this.giveBackIn(this.#startMs, Math.min(this.#unitsBehind, units));
    this.#unitsBehind -= behind;
    return behind + this.giveBackIn(startMs, units - behind);
  }

  /** The same for units that were counted in the window that began at `startMs`. */
  giveBackIn(startMs: number, units: number): number {
    if (startMs === this.#startMs) {
      const given = Math.min(this.#units, units);
      this.#units -= given;
      return given;
    }
    if (startMs !== this.#startMs - this.durationMs) return 0;
    const given = Math.min(this.#unitsBefore, units);
    this.#unitsBefore -= given;
    return given;
  }

  /**
   * What others have taken, as of the window that began at `startMs` and the one before it. It replaces what was known, so that it may be
   * told twice; of windows that count no more, or not yet, it is let go.
   */
  learn(startMs: number, others: { readonly units: number; readonly unitsBefore: number }): void {
    if (startMs === this.#startMs) {
      this.#others = others.units;
      this.#othersBefore = others.unitsBefore;
    } else if (startMs === this.#startMs - this.durationMs) {
      this.#othersBefore = others.units;
    }
  }

  /** Others gave back so many units of the present window. */
  unlearn(units: number): void {
    this.#others = Math.max(0, this.#others - units);
  }
}

/** Whether so many units more are too many. A limit of 0 lets nothing through, not even a look. */
export function exceeds(used: number, cost: number, limit: number): boolean {
  return limit === 0 || used + cost > limit;
}

function startOf(nowMs: number, durationMs: number): number {
  return nowMs - (nowMs % durationMs);
}
