import type { Rows } from '../manage/ports.ts';
import { readTasks } from './task-rows.ts';

/** A task as home knows it, for people who look after a zone. */
export interface TaskLine {
  readonly taskId: string;
  /** Empty for a task that stopped before its first report. */
  readonly region: string;
  readonly slot: string | null;
  readonly stopped: boolean;
  readonly reportedMsAgo: number;
  /** After so long without a report it has cut itself off; null: it serves for ever, and makes its region unknown for as long. */
  readonly cutOffAfterMs: number | null;
  readonly epoch: string;
}

/** The longest silent first; those that have stopped, which are kept for an hour or, the last of a region, for a day, last. */
export async function listTasks(rows: Rows): Promise<readonly TaskLine[]> {
  const lines = (await readTasks(rows)).map(({ report, ageMs, stopped }): TaskLine => {
    const { taskId, region, slot, cutOffAfterMs, epoch } = report;
    const reportedMsAgo = Math.round(ageMs);
    return {
      taskId,
      region,
      slot,
      stopped,
      reportedMsAgo,
      cutOffAfterMs,
      epoch: `${epoch.counter}.${epoch.id}`,
    };
  });
  return lines.toSorted((a, b) => Number(a.stopped) - Number(b.stopped) || b.reportedMsAgo - a.reportedMsAgo);
}

export interface ForgetOptions {
  readonly taskId: string;
  /** A task that reported within so long is taken for running, and refused. */
  readonly recentMs: number;
  /** Forgets it all the same. Of a task that has stopped: it keeps its region in the zone no longer. */
  readonly force: boolean;
}

/**
 * States that a task's process is known to have stopped: nobody waits for it any more, and no report of it is taken. Where that is
 * known already, it does nothing; with `force`, the task also keeps its region in the zone no longer, which is right where no task
 * runs there and none will start behind home's back. Fails, with a sentence that says why, where there is no such task or it seems to run.
 */
export async function forgetTask(rows: Rows, { taskId, recentMs, force }: ForgetOptions): Promise<void> {
  const [found] = await rows.query<{ forgotten: boolean; ageMs: number }>(
    `with found as (
       select task_id, stopped_at, extract(epoch from clock_timestamp() - reported_at)::float8 * 1000 as age_ms
       from task_status where task_id = $1 for update
     ), forgotten as (
       update task_status t set stopped_at = clock_timestamp() from found f
       where t.task_id = f.task_id and f.stopped_at is null and ($3 or f.age_ms > $2) returning true
     ), left_behind as (
       update task_status t set stopped_at = to_timestamp(0) from found f
       where t.task_id = f.task_id and f.stopped_at is not null and $3
     )
     select stopped_at is not null or exists (select from forgotten) as forgotten, age_ms as "ageMs" from found`,
    [taskId, recentMs, force],
  );
  if (found === undefined) throw new Error(`home knows no task ${taskId}.`);
  if (found.forgotten) return;
  throw new Error(
    `task ${taskId} reported ${Math.round(found.ageMs)} ms ago, so it runs: stop it first, or say --force if you know that it has stopped.`,
  );
}
