/** Lets calls pass as long as they are answered; after one that isn't, one at a time looks whether there is an answer again. */
export class Breaker {
  readonly #retryMs: number;
  /** Monotonic ms of the next look; null: calls are answered. */
  #nextLookMs: number | null = null;
  #isLooking = false;

  constructor(retryMs: number) {
    this.#retryMs = retryMs;
  }

  /** True: the last look had no answer. */
  get isOpen(): boolean {
    return this.#nextLookMs !== null;
  }

  /** Null: it may not pass. Otherwise `end` follows, with what this returned. */
  tryPass(nowMs: number): 'call' | 'look' | null {
    if (this.#nextLookMs === null) return 'call';
    if (this.#isLooking || nowMs < this.#nextLookMs) return null;
    this.#isLooking = true;
    return 'look';
  }

  end(pass: 'call' | 'look', isAnswered: boolean, nowMs: number): void {
    if (pass === 'look') this.#isLooking = false;
    // A call that began before says nothing of how it is now.
    else if (this.#nextLookMs !== null) return;
    this.#nextLookMs = isAnswered ? null : nowMs + this.#retryMs;
  }
}
