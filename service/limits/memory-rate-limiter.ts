import { exceeds } from '../domain/sliding-window.ts';
import type { RateLimitAsk, RateLimiter, RateLimitState } from '../verify/ports.ts';
import { CountedWindow, DUE } from './window-queue.ts';
import { WorkspaceWindows } from './workspace-windows.ts';

export interface MemoryRateLimiterOptions {
  /** Counters held at most; expired ones leave first. */
  readonly maxCounters: number;
}

/** Whoever tells other tasks what is counted here. Called on each ask, so it has to be cheap. */
export interface DueWindows {
  /** Asked, or changed in another way: others should know, and it should know of others. */
  mark(window: CountedWindow): void;
  /** Not held any more. */
  drop(window: CountedWindow): void;
}

/** What the region's shared counter said of an exact ask. */
export interface ToldUsed {
  readonly used: number;
  /** Epoch ms, by that counter's clock. */
  readonly startMs: number;
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
 * Rate limits of one task, in its memory: exact for what this task sees, and as good as what an exchange of counts has told of others
 * (`count-exchange.ts`). Without one, nothing is noted for it.
 *
 * An exact ask is counted apart from others of the same counter: what is counted here only stands in for the shared counter.
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
  #due: DueWindows | null = null;
  readonly #onDrop = (window: CountedWindow): void => this.#due?.drop(window);

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
    const due = this.#due;
    const windows: CountedWindow[] = [];
    const made: CountedWindow[] = [];
    const states: State[] = [];
    let exceeded = false;
    for (const ask of asks) {
      const { durationMs, cost, limit } = ask;
      const counter = nameOf(ask);
      let window = held?.find(counter, durationMs, nowMs);
      if (window !== undefined) due?.mark(window);
      else window = madeFor(made, counter, durationMs);
      if (window === undefined) {
        window = newWindow(ask, counter, nowMs);
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
        if (states[index]?.exceeded === false) windows[index]?.undo(cost);
      }
    } else {
      for (const window of made) {
        // Only looked at, it is held where others may have counted: the next look knows of them.
        if (window.usedAt(nowMs) > 0 || (due !== null && window.due !== DUE.never))
          this.#hold(workspaceId, window, nowMs);
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

  giveBack(workspaceId: string, asks: readonly RateLimitAsk[], takenAtMs: number): void {
    for (const ask of asks) this.giveBackOne(workspaceId, ask, takenAtMs);
  }

  /** The same for one of them; returns how many units were there to be given back. */
  giveBackOne(workspaceId: string, ask: RateLimitAsk, takenAtMs: number): number {
    const window = this.#workspaces.get(workspaceId)?.peek(nameOf(ask), ask.durationMs);
    if (window === undefined) return 0;
    this.#due?.mark(window);
    return window.giveBack(ask.cost, takenAtMs);
  }

  /** Own units of an exact ask's counter in the present window: counted here, because the shared counter couldn't be asked. */
  standInUnits(workspaceId: string, ask: RateLimitAsk, nowMs: number): number {
    return this.#workspaces.get(workspaceId)?.find(nameOf(ask), ask.durationMs, nowMs)?.units ?? 0;
  }

  /** What the shared counter of an exact ask has: counting here would go on from there. */
  learnUsed(workspaceId: string, ask: RateLimitAsk, told: ToldUsed, nowMs: number): void {
    const counter = nameOf(ask);
    const held = this.#workspaces.get(workspaceId)?.find(counter, ask.durationMs, nowMs);
    const window = held ?? newWindow(ask, counter, nowMs);
    window.learn(told.startMs, { units: told.used, unitsBefore: 0 });
    if (held === undefined && window.othersKnown > 0) this.#hold(workspaceId, window, nowMs);
  }

  /** So many units of an exact ask were given back to the shared counter. */
  unlearnUsed(workspaceId: string, ask: RateLimitAsk, units: number): void {
    this.#workspaces.get(workspaceId)?.peek(nameOf(ask), ask.durationMs)?.unlearn(units);
  }

  /** From now on what is asked is noted there; null: nowhere. */
  shareThrough(due: DueWindows | null): void {
    this.#due = due;
  }

  /** Every window that is held. Also goes on where some come or go meanwhile. */
  *held(): Generator<CountedWindow, void> {
    for (const windows of this.#workspaces.values()) yield* windows.held();
  }

  /** From its first unit on, a window is held. */
  #hold(workspaceId: string, window: CountedWindow, nowMs: number): void {
    this.#dropSomeExpired(nowMs);
    if (this.#size >= this.#maxCounters) this.#makeRoom(nowMs);
    let windows = this.#workspaces.get(workspaceId);
    if (windows === undefined) {
      windows = new WorkspaceWindows(workspaceId, this.#onDrop);
      this.#workspaces.set(workspaceId, windows);
    }
    windows.append(window);
    this.#size += 1;
    this.#due?.mark(window);
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

/** Name of the window that an ask is counted in. No other counter's name begins so: they begin with an id or `workspace`. */
function nameOf({ counter, exact }: RateLimitAsk): string {
  return exact === undefined ? counter : `exact ${counter}`;
}

function newWindow({ durationMs, exact }: RateLimitAsk, counter: string, nowMs: number): CountedWindow {
  return new CountedWindow(counter, durationMs, nowMs, exact === undefined ? DUE.not : DUE.never);
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
