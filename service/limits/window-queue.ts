import { SlidingWindow } from '../domain/sliding-window.ts';

/** What an exchange of counts has to do with a window (`count-exchange-due.ts`). */
export const DUE = {
  /** It isn't exchanged at all: the counter is kept elsewhere, and this window stands in for it. */
  never: -1,
  /** All is told. */
  not: 0,
  /** It waits to be told. */
  ready: 1,
  /** It was told a short while ago. */
  told: 2,
  /** It was, and has been asked since. */
  toldAndAsked: 3,
  /** It was told, and there was no answer. */
  lost: 4,
} as const;
export type Due = (typeof DUE)[keyof typeof DUE];

/** One counter and its place in a queue. */
export class CountedWindow extends SlidingWindow {
  readonly counter: string;
  before: CountedWindow | null = null;
  after: CountedWindow | null = null;
  /** Who holds it; null: nobody does, not yet or not any more. */
  holder: { readonly workspaceId: string } | null = null;
  due: Due;

  constructor(counter: string, durationMs: number, nowMs: number, due: Due = DUE.not) {
    super(durationMs, nowMs);
    this.counter = counter;
    this.due = due;
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

  values(): Iterable<CountedWindow> {
    return this.#byCounter.values();
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
