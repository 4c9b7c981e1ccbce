import type { Heartbeat } from '../domain/feed.ts';
import { compareEpochs, sameEpoch, type Epoch } from '../domain/revision.ts';
import type { Log } from './ports.ts';
import type { HomeState, JoinFloor } from './types.ts';

export interface JoiningOptions {
  /** Tells home of this task; null: nobody is known to be home, or there is nothing to tell yet. Fails as home does. */
  readonly register: () => Promise<JoinFloor | null>;
  /** Whether the zone's data, as this task sees it now, says that home counts this region. Never fails. */
  readonly isCounted: () => Promise<boolean>;
  /** This task still moves from one home's history to the next one's, and has no position to tell; home isn't gone for that. */
  readonly isMoving: () => boolean;
  /** Whether this task shows all that came before; false where the floor is of another epoch than what this task shows. */
  readonly hasReached: (floor: JoinFloor) => boolean;
  /** Monotonic ms. */
  readonly monotonicMs: () => number;
  /** Waits for a moment; never fails. */
  readonly pause: () => Promise<void>;
  readonly aborted: () => boolean;
  readonly log: Log;
  /** Home is gone when it hasn't answered for so long. @default 5000 */
  readonly patienceMs?: number;
  /** How often home is told again, which also shows that it is still there. @default 2000 */
  readonly repeatMs?: number;
}

/**
 * A task becomes part of its zone before it serves: home knows of it, and all that was called applied while home did not is applied
 * here. As long as home answers, that is waited for. Home that hasn't answered for a while is gone: then the task of a region that
 * home counts serves all the same, or capacity would decay. The first task of a new region waits for as long as it takes, since of
 * such a region nobody would know. Returns when it may serve (`floor`: it shows all that it has to; `counted`: without home), or
 * when it was aborted.
 */
export async function joinZone(options: JoiningOptions): Promise<'floor' | 'counted' | 'aborted'> {
  const { isCounted, isMoving, hasReached, monotonicMs, pause, aborted, log } = options;
  const { patienceMs = 5000, repeatMs = 2000 } = options;
  let floor: JoinFloor | null = null;
  let askedAtMs = Number.NEGATIVE_INFINITY;
  let answeredAtMs = monotonicMs();
  while (!aborted()) {
    if (floor === null || monotonicMs() - askedAtMs >= repeatMs) {
      askedAtMs = monotonicMs();
      const told = await tellHome(options);
      if (told !== null) {
        answeredAtMs = monotonicMs();
        floor = firstOfLatestEpoch(floor, told);
      }
    }
    if (isMoving()) answeredAtMs = monotonicMs();
    else if (floor !== null && hasReached(floor)) return 'floor';
    const silentMs = monotonicMs() - answeredAtMs;
    if (silentMs >= patienceMs && (await isCounted())) {
      log.warn({ silentMs, floor }, 'this task serves without home, which counts its region');
      return 'counted';
    }
    await pause();
  }
  return 'aborted';
}

async function tellHome({ register, log }: JoiningOptions): Promise<JoinFloor | null> {
  try {
    return await register();
  } catch (error) {
    log.warn({ err: error }, 'home could not be told that this task is about to serve');
    return null;
  }
}

/** A later floor of the same home is no better: home knows of this task since the first. */
function firstOfLatestEpoch(known: JoinFloor | null, told: JoinFloor): JoinFloor {
  return known === null || compareEpochs(told.epoch, known.epoch) > 0 ? told : known;
}

/** What a task that joins waits for, for people who wonder why it isn't ready. `told`: home has answered it. */
export function whatIsMissing(told: boolean, home: HomeState): string {
  if (told) return 'home knows of this task, which has yet to apply all that came before';
  const missing = 'home does not know yet that this task is about to serve';
  return home.at === 'unknown' ? `${missing}; where home is, is unknown: ${home.reason}` : missing;
}

/** What a task's feed shows. */
export interface FeedProgress {
  readonly epoch: Epoch | null;
  readonly watermark: bigint | null;
  readonly heartbeat: Heartbeat | null;
}

/**
 * Whether the feed has applied all that home had committed when it told the floor; pure. By its watermark, or because it shows a
 * heartbeat that was committed after all that, as a reader shows commits in their order: the watermark stands still while some
 * transaction takes long. A later home's history has a floor of its own.
 */
export function showsFloor(feed: FeedProgress, floor: JoinFloor): boolean {
  const { epoch, watermark, heartbeat } = feed;
  if (epoch === null || watermark === null || heartbeat === null) return false;
  if (!sameEpoch(epoch, floor.epoch) || !sameEpoch(heartbeat.epoch, floor.epoch)) return false;
  return watermark >= floor.xid || (floor.atMs !== undefined && heartbeat.beatAtMs > floor.atMs);
}
