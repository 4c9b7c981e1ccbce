import { exceeds } from '../domain/sliding-window.ts';
import type { RateLimitAsk, RateLimiter, RateLimitState } from '../verify/ports.ts';
import { CountedWindow, WindowQueue } from './window-queue.ts';

export interface MemoryRateLimiterOptions {
  /** Counters held at most; expired ones leave first. */
  readonly maxCounters: number;
}

/** Durations that are looked at for a counter to let go, where there is no room: callers may have many. */
const DURATIONS_LOOKED_AT = 16;

/** What a window says after it was asked; filled in once everything has been asked. */
interface State {
  exceeded: boolean;
  remaining: number;
  resetMs: number;
}

/**
 * Rate limits of one task, in its memory: exact for what this task sees. A counter is what `counter` and duration name together.
 *
 * For each duration the windows lie in the order in which they began, so that the first one is the first to expire: making room costs a
 * look at a few durations, and no walk over the counters. Where none has expired, the one that would be first goes, and is counted: its
 * caller gets a new window early.
 */
export class MemoryRateLimiter implements RateLimiter {
  readonly counters = { evicted: 0 };
  readonly #maxCounters: number;
  readonly #queues = new Map<number, WindowQueue>();
  #size = 0;
  /** Goes round the durations; a Map's iterator also meets what is added later. */
  #round: Iterator<WindowQueue>;

  constructor(options: MemoryRateLimiterOptions) {
    this.#maxCounters = options.maxCounters;
    this.#round = this.#queues.values();
  }

  /** Counters held. */
  get size(): number {
    return this.#size;
  }

  take(asks: readonly RateLimitAsk[], nowMs: number): readonly RateLimitState[] {
    const windows: CountedWindow[] = [];
    const states: State[] = [];
    let exceeded = false;
    for (const ask of asks) {
      const window = this.#find(ask, nowMs) ?? new CountedWindow(ask.counter, ask.durationMs, nowMs);
      const state = {
        exceeded: exceeds(window.usedAt(nowMs), ask.cost, ask.limit),
        remaining: 0,
        resetMs: window.resetMs,
      };
      // Taken at once, so that an ask of the same counter sees it.
      if (state.exceeded) exceeded = true;
      else if (ask.cost > 0) this.#take(window, ask.cost, nowMs);
      windows.push(window);
      states.push(state);
    }
    if (exceeded) {
      for (const [index, ask] of asks.entries()) {
        if (states[index]?.exceeded === false) windows[index]?.giveBack(ask.cost, nowMs);
      }
    }
    let index = 0;
    for (const state of states) {
      const used = windows[index]?.usedAt(nowMs) ?? 0;
      state.remaining = Math.max(0, (asks[index]?.limit ?? 0) - used);
      index += 1;
    }
    return states;
  }

  giveBack(asks: readonly RateLimitAsk[], takenAtMs: number): void {
    for (const ask of asks) {
      this.#queues.get(ask.durationMs)?.get(ask.counter)?.giveBack(ask.cost, takenAtMs);
    }
  }

  #find({ counter, durationMs }: RateLimitAsk, nowMs: number): CountedWindow | undefined {
    const queue = this.#queues.get(durationMs);
    const window = queue?.get(counter);
    if (window?.moveTo(nowMs) === true) queue?.moveToEnd(window);
    return window;
  }

  /** From its first unit on, a window is held. */
  #take(window: CountedWindow, units: number, nowMs: number): void {
    window.take(units);
    const { counter, durationMs } = window;
    if (this.#queues.get(durationMs)?.get(counter) === window) return;
    this.#makeRoom(nowMs);
    let queue = this.#queues.get(durationMs);
    if (queue === undefined) {
      queue = new WindowQueue();
      this.#queues.set(durationMs, queue);
    }
    queue.append(window);
    this.#size += 1;
  }

  /** Before one more comes: lets expired ones go that a short look finds, and, where there still is no room, a live one. */
  #makeRoom(nowMs: number): void {
    const looks = this.#size < this.#maxCounters ? 1 : Math.min(DURATIONS_LOOKED_AT, this.#queues.size);
    let soonest: CountedWindow | null = null;
    for (let looked = 0; looked < looks; looked += 1) {
      const queue = this.#nextQueue();
      if (queue === undefined) break;
      this.#dropExpired(queue, nowMs);
      const { first } = queue;
      if (first !== null && (soonest === null || first.endMs < soonest.endMs)) soonest = first;
    }
    if (this.#size < this.#maxCounters || soonest === null) return;
    this.#drop(soonest);
    this.counters.evicted += 1;
  }

  /** Two at a time: more leave than come, and nobody waits for a walk over all. */
  #dropExpired(queue: WindowQueue, nowMs: number): void {
    for (let dropped = 0; dropped < 2; dropped += 1) {
      const { first } = queue;
      if (first === null || !first.isOver(nowMs)) return;
      this.#drop(first);
    }
  }

  #drop(window: CountedWindow): void {
    const queue = this.#queues.get(window.durationMs);
    if (queue === undefined) return;
    queue.remove(window);
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
