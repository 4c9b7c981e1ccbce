import type { PeerState } from '../peers/types.ts';
import { isHomeAlready } from './decide-home.ts';
import type { FeedView, Log } from './ports.ts';

export interface ListeningOptions {
  readonly region: string;
  /** Whether tasks of this region may serve before there is a home; until they do, nobody reaches them. Null: not known yet. */
  readonly isCounted: () => boolean | null;
  /** Monotonic ms. */
  readonly monotonicMs: () => number;
  readonly log: Log;
}

/** Longer than two looks of a home are apart. */
const LISTEN_MS = 3000;
/** A region that nobody reaches, not even itself, is no worse off as a home that nobody asked. */
const UNREACHABLE_MS = 60_000;

/**
 * What a task does before it takes its region for home. An old home that comes back asks the regions that its data shows, which may
 * lack one that has become home since. That one knows the old home, though, and asks it at each look: so a task that has only just
 * started waits until the region's own URL leads to a task, as it then does for others, and for some looks more. While it listens it
 * asks by that URL, and so hears what its region's other tasks have heard. Nobody loses by it: until then, no write could have come
 * here. Over once and for all when it is over.
 */
export class Listening {
  readonly #options: ListeningOptions;
  /** When this region was first found to be home by all that was known; null: it wasn't yet. */
  #startedAtMs: number | null = null;
  #reachableAtMs: number | null = null;
  #over = false;

  constructor(options: ListeningOptions) {
    this.#options = options;
  }

  get isOver(): boolean {
    return this.#over;
  }

  /** This region would be home by all that is known, but listens first. */
  get isWaiting(): boolean {
    return this.#startedAtMs !== null && !this.#over;
  }

  /** The answer of the own region's URL, on its way through. Fails as it does. */
  async heed(answer: Promise<PeerState>): Promise<PeerState> {
    const state = await answer;
    this.#reachableAtMs ??= this.#options.monotonicMs();
    return state;
  }

  /** Asked at each look that finds this region to be home by all that is known. */
  mustWait(feed: FeedView | null): boolean {
    if (this.#over) return false;
    const { region, isCounted, monotonicMs, log } = this.#options;
    const nowMs = monotonicMs();
    // Before that, it may have asked nobody: time alone is no listening.
    this.#startedAtMs ??= nowMs;
    const waitedMs = nowMs - this.#startedAtMs;
    const sinceMs = isCounted() === false ? this.#startedAtMs : this.#reachableAtMs;
    const listenedMs = sinceMs === null ? 0 : nowMs - Math.max(sinceMs, this.#startedAtMs);
    this.#over = isHomeAlready(region, feed) || listenedMs >= LISTEN_MS;
    if (!this.#over && waitedMs >= UNREACHABLE_MS) {
      this.#over = true;
      log.warn({ waitedMs }, 'this region becomes home, though its own URL leads to none of its tasks');
    }
    return !this.#over;
  }
}
