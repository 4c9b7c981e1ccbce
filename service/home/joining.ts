import type { Revision } from '../domain/revision.ts';
import type { Log } from './ports.ts';

export interface JoiningOptions {
  /** Tells home of this task; null: nobody is known to be home. Fails as home does. */
  readonly register: () => Promise<Revision | null>;
  /** Home counted this region before it was told of this task. */
  readonly counted: boolean;
  /** Whether this task's feed shows all that came before. */
  readonly hasReached: (floor: Revision) => boolean;
  /** Monotonic ms. */
  readonly monotonicMs: () => number;
  /** Waits for a moment; never fails. */
  readonly pause: () => Promise<void>;
  readonly aborted: () => boolean;
  readonly log: Log;
  /** A task of a region that home counts isn't held up for longer. @default 5000 */
  readonly patienceMs?: number;
}

/**
 * A task becomes part of its zone before it serves: home knows of it, and all that was called applied while home did not is applied
 * here. Where home can't be reached, the task of a region that home counts serves all the same, or capacity would decay while home is
 * gone; nobody takes that region for done without its tasks. The first task of a new region waits for as long as it takes, since of
 * such a region nobody would know. Returns when it may serve, or when it was aborted.
 */
export async function joinZone(options: JoiningOptions): Promise<void> {
  const { counted, hasReached, monotonicMs, pause, aborted } = options;
  const deadline = monotonicMs() + (options.patienceMs ?? 5000);
  const isPatient = (): boolean => !aborted() && (!counted || monotonicMs() < deadline);
  const floor = await tellHome(options, isPatient);
  if (floor === null) return;
  while (!hasReached(floor) && isPatient()) await pause();
}

async function tellHome(
  { register, counted, pause, log }: JoiningOptions,
  isPatient: () => boolean,
): Promise<Revision | null> {
  while (isPatient()) {
    try {
      const floor = await register();
      if (floor !== null) return floor;
    } catch (error) {
      log.warn({ err: error }, 'home could not be told that this task is about to serve');
    }
    if (counted) return null;
    await pause();
  }
  return null;
}
