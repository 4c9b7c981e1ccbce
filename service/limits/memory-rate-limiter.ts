import { exceeds } from '../domain/sliding-window.ts';
import type { RateLimitAsk, RateLimiter, RateLimitState } from '../verify/ports.ts';
import { CountedWindow } from './window-queue.ts';
import { WorkspaceWindows } from './workspace-windows.ts';

export interface MemoryRateLimiterOptions {
  /** Counters held at most; expired ones leave first. */
  readonly maxCounters: number;
}

/** What a window says after it was asked; filled in once everything has been asked. */
interface State {
  exceeded: boolean;
  remaining: number;
  resetMs: number;
}

interface Largest {
  readonly workspaceId: string;
  readonly windows: WorkspaceWindows;
  /** With fewer counters than these it may not be the largest any more. */
  readonly until: number;
}

/**
 * Rate limits of one task, in its memory: exact for what this task sees.
 *
 * Where there is no room, the workspace that holds most counters loses one: whoever makes many, on purpose or not, takes room from
 * itself, and what others count stays counted. A live one that goes is counted: its caller gets a new window early.
 */
export class MemoryRateLimiter implements RateLimiter {
  readonly counters = { evicted: 0 };
  readonly #maxCounters: number;
  readonly #workspaces = new Map<string, WorkspaceWindows>();
  #size = 0;
  /** Holds most, or did when it was last looked for: it is found again each time it has lost a tenth. */
  #largest: Largest | null = null;
  /** Goes round the workspaces, so that those which nobody asks for any more are emptied too. */
  #round: Iterator<[string, WorkspaceWindows]>;

  constructor(options: MemoryRateLimiterOptions) {
    this.#maxCounters = options.maxCounters;
    this.#round = this.#workspaces.entries();
  }

  /** Counters held. */
  get size(): number {
    return this.#size;
  }

  take(workspaceId: string, asks: readonly RateLimitAsk[], nowMs: number): readonly RateLimitState[] {
    const held = this.#workspaces.get(workspaceId);
    const windows: CountedWindow[] = [];
    const made: CountedWindow[] = [];
    const states: State[] = [];
    let exceeded = false;
    for (const { counter, durationMs, cost, limit } of asks) {
      let window = held?.find(counter, durationMs, nowMs) ?? madeFor(made, counter, durationMs);
      if (window === undefined) {
        window = new CountedWindow(counter, durationMs, nowMs);
        made.push(window);
      }
      const state = {
        exceeded: exceeds(window.usedAt(nowMs), cost, limit),
        remaining: 0,
        resetMs: window.resetMs,
      };
      // Taken at once, so that an ask of the same counter sees it.
      if (state.exceeded) exceeded = true;
      else window.take(cost);
      windows.push(window);
      states.push(state);
    }
    if (exceeded) {
      for (const [index, { cost }] of asks.entries()) {
        if (states[index]?.exceeded === false) windows[index]?.giveBack(cost, nowMs);
      }
    } else {
      for (const window of made) if (window.usedAt(nowMs) > 0) this.#hold(workspaceId, window, nowMs);
    }
    let index = 0;
    for (const state of states) {
      const used = windows[index]?.usedAt(nowMs) ?? 0;
      state.remaining = Math.max(0, (asks[index]?.limit ?? 0) - used);
      index += 1;
    }
    return states;
  }

  giveBack(workspaceId: string, asks: readonly RateLimitAsk[], takenAtMs: number): void {
    const held = this.#workspaces.get(workspaceId);
    for (const { counter, durationMs, cost } of asks) {
      held?.peek(counter, durationMs)?.giveBack(cost, takenAtMs);
    }
  }

  /** From its first unit on, a window is held. */
  #hold(workspaceId: string, window: CountedWindow, nowMs: number): void {
    this.#dropSomeExpired(nowMs);
    if (this.#size >= this.#maxCounters) this.#makeRoom(nowMs);
    let windows = this.#workspaces.get(workspaceId);
    if (windows === undefined) {
      windows = new WorkspaceWindows();
      this.#workspaces.set(workspaceId, windows);
    }
    windows.append(window);
    this.#size += 1;
  }

  #makeRoom(nowMs: number): void {
    let largest = this.#largest;
    if (largest === null || largest.windows.size < largest.until) largest = this.#findLargest();
    if (largest === null) return;
    if (largest.windows.dropOne(nowMs)) this.counters.evicted += 1;
    this.#dropped(largest.workspaceId, largest.windows, 1);
  }

  #findLargest(): Largest | null {
    let found: [string, WorkspaceWindows] | null = null;
    for (const entry of this.#workspaces) {
      if (found === null || entry[1].size > found[1].size) found = entry;
    }
    if (found === null) return null;
    const [workspaceId, windows] = found;
    this.#largest = { workspaceId, windows, until: Math.floor(windows.size * 0.9) };
    return this.#largest;
  }

  /** Two at a time, of one workspace: more leave than come, and nobody waits for a walk over all. */
  #dropSomeExpired(nowMs: number): void {
    let next = this.#round.next();
    if (next.done === true) {
      this.#round = this.#workspaces.entries();
      next = this.#round.next();
    }
    if (next.done === true) return;
    const [workspaceId, windows] = next.value;
    this.#dropped(workspaceId, windows, windows.dropSomeExpired(nowMs));
  }

  #dropped(workspaceId: string, windows: WorkspaceWindows, count: number): void {
    this.#size -= count;
    if (windows.size > 0) return;
    this.#workspaces.delete(workspaceId);
    if (this.#largest?.windows === windows) this.#largest = null;
  }
}

/** A window that an earlier ask of the same call made. */
function madeFor(
  made: readonly CountedWindow[],
  counter: string,
  durationMs: number,
): CountedWindow | undefined {
  for (const window of made) {
    if (window.counter === counter && window.durationMs === durationMs) return window;
  }
  return undefined;
}
