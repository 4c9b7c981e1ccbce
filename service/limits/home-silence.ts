/**
 * Whether home answers at all. Where it hasn't for as long as a call may wait, one call at a time goes on looking, and the others needn't
 * wait in vain. That one account's draws aren't answered, while others' are, says nothing of home.
 */
export class HomeSilence {
  readonly #budgetMs: number;
  #heardMs = Number.NEGATIVE_INFINITY;
  #isSilent = false;
  #isLooking = false;

  /** @param budgetMs how long a call waits */
  constructor(budgetMs: number) {
    this.#budgetMs = budgetMs;
  }

  /** What ends the call's look; null: another call looks already, and this one is to fail. */
  tryPass(): (() => void) | null {
    if (!this.#isSilent) return nothing;
    if (this.#isLooking) return null;
    this.#isLooking = true;
    return () => {
      this.#isLooking = false;
    };
  }

  heard(nowMs: number): void {
    this.#heardMs = nowMs;
    this.#isSilent = false;
  }

  /** A call waited in vain. */
  unanswered(nowMs: number): void {
    if (nowMs - this.#heardMs >= this.#budgetMs) this.#isSilent = true;
  }
}

function nothing(): void {}
