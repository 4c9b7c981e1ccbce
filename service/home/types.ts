import type { Epoch, Revision } from '../domain/revision.ts';

/** Where this task believes the home to be. */
export type HomeState =
  | { readonly at: 'here'; readonly epoch: Epoch }
  | { readonly at: 'elsewhere'; readonly epoch: Epoch; readonly region: string }
  | { readonly at: 'unknown'; readonly reason: string };

export interface HomeLocator {
  current(): HomeState;
}

/** How far a task has applied the feed. */
export interface TaskReport {
  readonly taskId: string;
  readonly region: string;
  /** Place that one process fills at a time (a new one there means that the one before has stopped); null where unknown. */
  readonly slot: string | null;
  readonly epoch: Epoch;
  /** All transactions below it are applied. */
  readonly watermark: bigint;
  /** Transactions from the watermark on that are applied already. */
  readonly appliedXids: readonly bigint[];
  readonly stalenessMs: number;
  /** After so long without a report, a task in mode confirm or refuse has cut itself off; null: it serves for ever. */
  readonly cutOffAfterMs: number | null;
}

/** What a task must have applied before it serves: it has if it applied all below `xid`, or shows a heartbeat of after `atMs`. */
export interface JoinFloor extends Revision {
  /** Epoch ms by the home database's clock, and no earlier than its last heartbeat. Absent: told by an older version. */
  readonly atMs?: number;
}

export type RegionProgress =
  | { readonly region: string; readonly state: 'applied'; readonly afterMs: number }
  | { readonly region: string; readonly state: 'pending' }
  | { readonly region: string; readonly state: 'unknown'; readonly reason: string };

/** Who has applied what; kept at home. */
export interface TaskStatus {
  report(report: TaskReport): Promise<void>;
  /**
   * Takes a task's first report, and returns the transaction id, at home, below which everything lies that was called applied
   * without this task, and a moment that came later: it may serve once its feed's watermark is no less, or its heartbeat is of after
   * that moment (which comes earlier where some transaction takes long).
   */
  register(report: TaskReport): Promise<JoinFloor>;
  /** The task is known to have stopped: nobody waits for it any more. */
  stopped(taskId: string): Promise<void>;
  /** Progress of each region of the zone as of now. */
  progress(revision: Revision): Promise<readonly RegionProgress[]>;
  /**
   * Waits until every region has applied the revision (`all`), or one region other than this one (`another`; in a zone of one
   * region: this one), or the time is over. Returns the progress at that moment.
   */
  wait(revision: Revision, until: 'all' | 'another', timeoutMs: number): Promise<readonly RegionProgress[]>;
}
