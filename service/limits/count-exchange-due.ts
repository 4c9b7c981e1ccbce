import type { DueWindows } from './memory-rate-limiter.ts';
import { type CountedWindow, DUE } from './window-queue.ts';

/**
 * Windows that wait to be told, the oldest first. A window is in here once, however often it is asked, and leaves when it isn't held any
 * more: there are never more than the limiters hold. Times are monotonic ms.
 */
export class WaitingWindows implements DueWindows {
  /** With when it came to wait. */
  readonly #ready = new Map<CountedWindow, number>();
  /** Told without an answer; they are tried again a few at a time. */
  readonly #lost = new Map<CountedWindow, number>();
  readonly #monotonicMs: () => number;
  readonly #onReady: () => void;

  /** `onReady` is called where a window came to wait and none did before. */
  constructor(options: { monotonicMs: () => number; onReady: () => void }) {
    this.#monotonicMs = options.monotonicMs;
    this.#onReady = options.onReady;
  }

  get readySize(): number {
    return this.#ready.size;
  }

  get lostSize(): number {
    return this.#lost.size;
  }

  /** Since when the oldest one waits; null: none does. Of those asked again while they were under way, it is a little early. */
  get oldestMs(): number | null {
    const [ready = null] = this.#ready.values();
    const [lost = null] = this.#lost.values();
    return ready === null || (lost !== null && lost < ready) ? lost : ready;
  }

  mark(window: CountedWindow): void {
    if (window.due === DUE.not) this.add(window, this.#monotonicMs());
    else if (window.due === DUE.told) window.due = DUE.toldAndAsked;
  }

  drop(window: CountedWindow): void {
    if (window.due === DUE.ready) this.#ready.delete(window);
    else if (window.due === DUE.lost) this.#lost.delete(window);
  }

  /** Waits since then. One that nobody holds doesn't wait. */
  add(window: CountedWindow, sinceMs: number): void {
    if (window.holder === null) return;
    window.due = DUE.ready;
    this.#ready.set(window, sinceMs);
    if (this.#ready.size === 1) this.#onReady();
  }

  addLost(window: CountedWindow, sinceMs: number): void {
    if (window.holder === null) return;
    window.due = DUE.lost;
    this.#lost.set(window, sinceMs);
  }

  /** Takes so many at most, the oldest first; they count as told. */
  take(most: number): CountedWindow[] {
    return takeFrom(this.#ready, most);
  }

  takeLost(most: number): CountedWindow[] {
    return takeFrom(this.#lost, most);
  }

  /** The lost ones wait like the others again. */
  findLost(): void {
    const lost = [...this.#lost];
    this.#lost.clear();
    for (const [window, sinceMs] of lost) this.add(window, sinceMs);
  }

  clear(): void {
    for (const waiting of [this.#ready, this.#lost]) {
      for (const window of waiting.keys()) window.due = DUE.not;
      waiting.clear();
    }
  }
}

function takeFrom(waiting: Map<CountedWindow, number>, most: number): CountedWindow[] {
  const taken: CountedWindow[] = [];
  for (const window of waiting.keys()) {
    if (taken.length === most) break;
    taken.push(window);
    waiting.delete(window);
    window.due = DUE.told;
  }
  return taken;
}
