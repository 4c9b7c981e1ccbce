import { SlidingWindow } from '../domain/sliding-window.ts';

/** One counter and its place in a queue. */
export class CountedWindow extends SlidingWindow {
  readonly counter: string;
  before: CountedWindow | null = null;
  after: CountedWindow | null = null;

  constructor(counter: string, durationMs: number, nowMs: number) {
    super(durationMs, nowMs);
    this.counter = counter;
  }

  /** Epoch ms at which nothing that it counts can matter any more. */
  get endMs(): number {
    return this.resetMs + this.durationMs;
  }
}

/**
 * The windows of one duration, in the order in which they began: whichever moves on to a new window goes to the end, so the first one is
 * the first to expire. A linked list beside the map, because a Map's first key takes a walk over all that was deleted before it.
 */
export class WindowQueue {
  readonly #byCounter = new Map<string, CountedWindow>();
  #first: CountedWindow | null = null;
  #last: CountedWindow | null = null;

  get size(): number {
    return this.#byCounter.size;
  }

  get first(): CountedWindow | null {
    return this.#first;
  }

  get(counter: string): CountedWindow | undefined {
    return this.#byCounter.get(counter);
  }

  append(window: CountedWindow): void {
    this.#byCounter.set(window.counter, window);
    this.#link(window);
  }

  moveToEnd(window: CountedWindow): void {
    if (window === this.#last) return;
    this.#unlink(window);
    this.#link(window);
  }

  remove(window: CountedWindow): void {
    this.#byCounter.delete(window.counter);
    this.#unlink(window);
  }

  #link(window: CountedWindow): void {
    window.before = this.#last;
    if (this.#last === null) this.#first = window;
    else this.#last.after = window;
    this.#last = window;
  }

  #unlink(window: CountedWindow): void {
    const { before, after } = window;
    if (before === null) this.#first = after;
    else before.after = after;
    if (after === null) this.#last = before;
    else after.before = before;
    window.before = null;
    window.after = null;
  }
}
