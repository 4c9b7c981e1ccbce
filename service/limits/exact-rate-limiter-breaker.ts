/** Of one part. */
interface Breaker {
  /** Monotonic ms of the next look. */
  nextLookMs: number;
  isLooking: boolean;
}

/**
 * Lets calls pass to each part of the shared counters as long as it answers; after one that waited in vain, one at a time looks whether
 * there is an answer again. What one part does says nothing of the others.
 */
export class Breakers {
  readonly #retryMs: number;
  /** Of parts that didn't answer. */
  readonly #open = new Map<string, Breaker>();

  constructor(retryMs: number) {
    this.#retryMs = retryMs;
  }

  /** True: the last look at this part had no answer. */
  isOpen(part: string): boolean {
    return this.#open.has(part);
  }

  /** Null: it may not pass. Otherwise `end` follows, with what this returned. */
  tryPass(part: string, nowMs: number): 'call' | 'look' | null {
    const breaker = this.#open.get(part);
    if (breaker === undefined) return 'call';
    if (breaker.isLooking || nowMs < breaker.nextLookMs) return null;
    breaker.isLooking = true;
    return 'look';
  }

  /** `waitedInVain`: there was no answer, and it took its time to find out. */
  end(part: string, pass: 'call' | 'look', waitedInVain: boolean, nowMs: number): void {
    // A call that began before says nothing of how it is now.
    if (pass === 'call' && this.#open.has(part)) return;
    if (waitedInVain) this.#open.set(part, { nextLookMs: nowMs + this.#retryMs, isLooking: false });
    else if (pass === 'look') this.#open.delete(part);
  }
}
