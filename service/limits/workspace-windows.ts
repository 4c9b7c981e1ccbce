import { type CountedWindow, WindowQueue } from './window-queue.ts';

/** Durations that are looked at for a counter to let go, where there is no room: callers may have many. */
const DURATIONS_LOOKED_AT = 16;

/**
 * The counters of one workspace. A counter is what its name and duration name together.
 *
 * For each duration the windows lie in the order in which they began, so that the first one is the first to expire: letting one go costs
 * a look at a few durations, and no walk over the counters.
 */
export class WorkspaceWindows {
  readonly workspaceId: string;
  readonly #queues = new Map<number, WindowQueue>();
  #size = 0;
  /** Goes round the durations; a Map's iterator also meets what is added later. */
  #round: Iterator<WindowQueue> = this.#queues.values();

  readonly #onDrop: (window: CountedWindow) => void;

  /** `onDrop` is told of each window that goes. */
  constructor(workspaceId: string, onDrop: (window: CountedWindow) => void) {
    this.workspaceId = workspaceId;
    this.#onDrop = onDrop;
  }

  get size(): number {
    return this.#size;
  }

  /** All of them. Also goes on where some come or go meanwhile. */
  *held(): Generator<CountedWindow, void> {
    for (const queue of this.#queues.values()) yield* queue.values();
  }

  /** The held window, moved on to this moment; undefined: there is none. */
  find(counter: string, durationMs: number, nowMs: number): CountedWindow | undefined {
    const queue = this.#queues.get(durationMs);
    const window = queue?.get(counter);
    if (window?.moveTo(nowMs) === true) queue?.moveToEnd(window);
    return window;
  }

  /** As it stands, whenever it was last asked. */
  peek(counter: string, durationMs: number): CountedWindow | undefined {
    return this.#queues.get(durationMs)?.get(counter);
  }

  append(window: CountedWindow): void {
    let queue = this.#queues.get(window.durationMs);
    if (queue === undefined) {
      queue = new WindowQueue();
      this.#queues.set(window.durationMs, queue);
    }
    queue.append(window);
    window.holder = this;
    this.#size += 1;
  }

  /** Lets up to two expired ones of one duration go; returns how many went. */
  dropSomeExpired(nowMs: number): number {
    const queue = this.#nextQueue();
    let dropped = 0;
    for (; dropped < 2; dropped += 1) {
      const first = queue?.first ?? null;
      if (first === null || !first.isOver(nowMs)) break;
      this.#drop(first);
    }
    return dropped;
  }

  /** Lets one go: an expired one that a short look finds, or else the one of these that would be first. True where it was live. */
  dropOne(nowMs: number): boolean {
    let soonest: CountedWindow | null = null;
    const looks = Math.min(DURATIONS_LOOKED_AT, this.#queues.size);
    for (let looked = 0; looked < looks; looked += 1) {
      const first = this.#nextQueue()?.first ?? null;
      if (first !== null && (soonest === null || first.endMs < soonest.endMs)) soonest = first;
    }
    if (soonest === null) return false;
    this.#drop(soonest);
    return !soonest.isOver(nowMs);
  }

  #drop(window: CountedWindow): void {
    const queue = this.#queues.get(window.durationMs);
    if (queue === undefined) return;
    queue.remove(window);
    window.holder = null;
    this.#onDrop(window);
    this.#size -= 1;
    if (queue.size === 0) this.#queues.delete(window.durationMs);
  }

  #nextQueue(): WindowQueue | undefined {
    let next = this.#round.next();
    if (next.done === true) {
      this.#round = this.#queues.values();
      next = this.#round.next();
    }
    return next.done === true ? undefined : next.value;
  }
}
