import type { MemoryRateLimiter } from './memory-rate-limiter.ts';
import { type CountedWindow, DUE } from './window-queue.ts';

/** Windows looked at for one batch, at most: nobody may wait for a walk over all of them. */
const LOOKS_MAX = 5000;

/** After this time everything is told again in any case: a task that isn't asked doesn't learn that what it told is lost. */
const ROUND_MS = 60_000;
/** Where others' counts vanish, everything is told again, at most once in this time. */
const AFTER_LOSS_MS = 10_000;

/** Goes once over all windows that are held when it starts, and picks those of which something is to be told. */
export class HeldWindows {
  readonly #limiters: readonly MemoryRateLimiter[];
  #round: Iterator<CountedWindow, void> | null = null;
  /** Those that come while it goes are told as they come. */
  #left = 0;
  #startedMs = Number.NEGATIVE_INFINITY;
  #lossMs = Number.NEGATIVE_INFINITY;

  constructor(limiters: readonly MemoryRateLimiter[]) {
    this.#limiters = limiters;
  }

  get isLeft(): boolean {
    return this.#round !== null;
  }

  /** When it goes over them the next time, if nobody starts it before; infinite while it does. */
  get nextRoundMs(): number {
    return this.isLeft ? Number.POSITIVE_INFINITY : this.#startedMs + ROUND_MS;
  }

  /** The first round is a minute from now. */
  startLater(nowMs: number): void {
    this.#startedMs = nowMs;
  }

  /** What others had told is gone, so what was told from here may be too. */
  startOverAfterLoss(nowMs: number): void {
    if (nowMs - this.#lossMs < AFTER_LOSS_MS) return;
    this.#lossMs = nowMs;
    this.startOver(nowMs);
  }

  /** `nowMs` is monotonic here. */
  startOver(nowMs: number): void {
    this.#startedMs = nowMs;
    this.#round = allOf(this.#limiters);
    this.#left = this.#limiters.reduce((sum, { size }) => sum + size, 0);
  }

  /** The next ones that don't wait anyway, at that epoch ms; they count as told. It may be none although some are left. */
  take(most: number, nowMs: number): CountedWindow[] {
    const taken: CountedWindow[] = [];
    for (let looks = 0; looks < LOOKS_MAX && taken.length < most; looks += 1) {
      const next = this.#left > 0 ? this.#round?.next() : undefined;
      if (next === undefined || next.done === true) {
        this.#round = null;
        break;
      }
      this.#left -= 1;
      const window = next.value;
      if (window.due !== DUE.not || window.isOver(nowMs) || window.units + window.unitsBefore === 0) continue;
      window.due = DUE.told;
      taken.push(window);
    }
    return taken;
  }
}

function* allOf(limiters: readonly MemoryRateLimiter[]): Generator<CountedWindow, void> {
  for (const limiter of limiters) yield* limiter.held();
}
