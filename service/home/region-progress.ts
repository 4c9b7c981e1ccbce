import { compareEpochs, type Revision } from '../domain/revision.ts';
import type { RegionProgress, TaskReport } from './types.ts';

/** A task's last report and what is known of it since. */
export interface KnownTask {
  readonly report: TaskReport;
  /** Since the report, by the home database's clock. */
  readonly ageMs: number;
  /** It said so itself, or another one has taken its place. */
  readonly stopped: boolean;
}

/** What is known of the revision itself. */
export interface RevisionFacts {
  readonly revision: Revision;
  /** Of a revision whose epoch has ended: its rows are in the home's database. */
  readonly survived: boolean;
  /** Time since its commit, or since we first heard of it. */
  readonly knownForMs: number;
}

export type RegionState =
  | { readonly state: 'applied' | 'pending' }
  | { readonly state: 'unknown'; readonly reason: string };

/**
 * How far one region has come, without the time it took; pure. Every task of the region that may still serve must have applied
 * the revision. A task that has gone silent may serve from memory for ever, so it makes the region `unknown`: unless it has
 * stopped, or is one that cuts itself off when it hears nothing for so long.
 */
export function regionState(
  tasks: readonly KnownTask[],
  facts: RevisionFacts,
  silentAfterMs: number,
): RegionState {
  const running = tasks.filter((task) => !task.stopped);
  if (running.length === 0) {
    const reason = tasks.length === 0 ? 'no task has reported' : 'no task is running';
    return { state: 'unknown', reason };
  }
  let pending = false;
  for (const task of running) {
    if (hasApplied(task.report, facts) || isCutOff(task, facts)) continue;
    if (task.ageMs > silentAfterMs) {
      return {
        state: 'unknown',
        reason: `task ${task.report.taskId} has been silent for ${Math.round(task.ageMs)} ms`,
      };
    }
    if (compareEpochs(task.report.epoch, facts.revision.epoch) > 0) {
      return {
        state: 'unknown',
        reason: 'the revision is of an epoch that has ended, and its rows are not there',
      };
    }
    pending = true;
  }
  return { state: pending ? 'pending' : 'applied' };
}

function hasApplied(
  { epoch, watermark, appliedXids }: TaskReport,
  { revision, survived }: RevisionFacts,
): boolean {
  const order = compareEpochs(epoch, revision.epoch);
  // A task that has moved to a later epoch has read everything again since.
  if (order !== 0) return order > 0 && survived;
  return revision.xid < watermark || appliedXids.includes(revision.xid);
}

/**
 * It refuses by now, or its view is younger than the revision: a task that only can't reach us, but whose feed goes on, stays
 * within the same limit. So both must be over: the time since its report and the time since the revision.
 */
function isCutOff({ report, ageMs }: KnownTask, { knownForMs }: RevisionFacts): boolean {
  const { cutOffAfterMs } = report;
  return cutOffAfterMs !== null && ageMs > cutOffAfterMs && knownForMs > cutOffAfterMs;
}

/** True where the wait for a revision is over. `another` means one region other than `ownRegion`, where there is one. */
export function isEnough(
  progress: readonly RegionProgress[],
  until: 'all' | 'another',
  ownRegion: string,
): boolean {
  if (until === 'all') return progress.every((one) => one.state === 'applied');
  const others = progress.filter((one) => one.region !== ownRegion);
  return (others.length > 0 ? others : progress).some((one) => one.state === 'applied');
}
