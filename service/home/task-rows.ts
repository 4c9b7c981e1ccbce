import { Problem } from '../domain/problem.ts';
import type { Epoch, Revision } from '../domain/revision.ts';
import type { Rows } from '../manage/ports.ts';
import { REGION_KEPT_MS } from './member-rows.ts';
import type { KnownTask } from './region-progress.ts';
import type { TaskReport } from './types.ts';

/**
 * A report of a task that has stopped changes nothing, and is told from one that does: no `taken`. A task's first report says that
 * the one before it in the same slot has stopped.
 */
const REPORT = `
with me as (
  insert into task_status (task_id, region, slot, epoch, epoch_id, watermark, applied_xids, staleness_ms, cut_off_after_ms,
    reported_at)
  values ($1, $2, $3, $4, $5, $6::text::xid8, $7::text[]::xid8[], $8, $9, clock_timestamp())
  on conflict (task_id) do update set epoch = excluded.epoch, epoch_id = excluded.epoch_id, watermark = excluded.watermark,
    applied_xids = excluded.applied_xids, staleness_ms = excluded.staleness_ms,
    cut_off_after_ms = excluded.cut_off_after_ms, reported_at = excluded.reported_at
  where task_status.stopped_at is null
  returning xmax = 0 as first
), before as (
  update task_status set stopped_at = clock_timestamp()
  where region = $2 and slot = $3 and task_id <> $1 and stopped_at is null and exists (select from me where first)
)
select true as taken from me`;

/**
 * Refuses (`invalid_input`) a report of a task that is known to have stopped: either it was under way for too long, or a process
 * uses the name of one that ended. The latter must hear of it, for nobody waits for such a task.
 */
export async function writeReport(rows: Rows, report: TaskReport): Promise<void> {
  const { taskId, region, slot, epoch, watermark, appliedXids, stalenessMs, cutOffAfterMs } = report;
  const taken = await rows.query(REPORT, [
    taskId,
    region,
    slot,
    epoch.counter,
    epoch.id,
    watermark.toString(),
    appliedXids.map(String),
    toMs(stalenessMs),
    cutOffAfterMs === null ? null : toMs(cutOffAfterMs),
  ]);
  if (taken.length > 0) return;
  throw new Problem(
    'invalid_input',
    `Task ${taskId} of ${region} is known to have stopped, and its reports are not taken: a process that runs needs a name of its own.`,
  );
}

/**
 * The transaction id from which on everything lies that no snapshot has seen until now, and a moment after all that one has seen was
 * committed. To be asked after a write was answered, in a statement of its own: whoever looked without seeing that write then saw
 * nothing from here on. The moment is no earlier than the last heartbeat, or one that was written before the clock was set back would
 * be taken for a later one.
 */
export async function readFloor(rows: Rows): Promise<{ readonly xid: bigint; readonly atMs: number }> {
  const [row] = await rows.query<{ next: string; at_ms: number }>(
    `select pg_snapshot_xmax(pg_current_snapshot())::text as next,
       (extract(epoch from greatest(clock_timestamp(), (select beat_at from heartbeat))) * 1000)::float8 as at_ms`,
  );
  if (row === undefined) throw new Error('a snapshot without an end');
  return { xid: BigInt(row.next), atMs: row.at_ms };
}

/** Whole ms that a bigint column can hold; staleness is infinite before the first poll. */
function toMs(ms: number): number {
  return Math.min(Math.max(0, Math.round(ms)), Number.MAX_SAFE_INTEGER);
}

/**
 * A stop may overtake the task's first report. The row that it leaves then belongs to no region and has applied nothing; it is
 * there to refuse that report.
 */
const STOPPED = `
insert into task_status (task_id, region, epoch, epoch_id, watermark, applied_xids, staleness_ms, reported_at, stopped_at)
values ($1, '', 0, '', '0', '{}', 0, clock_timestamp(), clock_timestamp())
on conflict (task_id) do update set stopped_at = excluded.stopped_at where task_status.stopped_at is null`;

export async function writeStopped(rows: Rows, taskId: string): Promise<void> {
  await rows.query(STOPPED, [taskId]);
}

interface TaskRow {
  readonly task_id: string;
  readonly region: string;
  readonly slot: string | null;
  readonly epoch: number;
  readonly epoch_id: string;
  readonly watermark: string;
  readonly applied_xids: readonly string[];
  readonly staleness_ms: string;
  readonly cut_off_after_ms: string | null;
  readonly age_ms: number;
  readonly stopped: boolean;
}

/** Tasks that haven't stopped, and those that still keep their region in the zone, or are there to refuse a late report. */
export async function readTasks(rows: Rows): Promise<readonly KnownTask[]> {
  const found = await rows.query<TaskRow>(
    `select task_id, region, slot, epoch, epoch_id, watermark::text, applied_xids::text[], staleness_ms, cut_off_after_ms,
       extract(epoch from clock_timestamp() - reported_at)::float8 * 1000 as age_ms, stopped_at is not null as stopped
     from task_status where stopped_at is null or stopped_at > clock_timestamp() - make_interval(secs => $1::float8 / 1000)`,
    [REGION_KEPT_MS],
  );
  return found.map((row) => ({
    report: {
      taskId: row.task_id,
      region: row.region,
      slot: row.slot,
      epoch: { counter: row.epoch, id: row.epoch_id },
      watermark: BigInt(row.watermark),
      appliedXids: row.applied_xids.map(BigInt),
      stalenessMs: Number(row.staleness_ms),
      cutOffAfterMs: row.cut_off_after_ms === null ? null : Number(row.cut_off_after_ms),
    },
    ageMs: row.age_ms,
    stopped: row.stopped,
  }));
}

/** True where the home's database holds rows of the revision: it has survived whatever ended its epoch. */
export async function hasRevision(rows: Rows, { epoch, xid }: Revision): Promise<boolean> {
  const [found] = await rows.query<{ present: boolean }>(
    `select exists (select from changes c join epochs e on e.counter = c.epoch
       where c.epoch = $1 and e.id = $2 and c.xid = $3::text::xid8) as present`,
    [epoch.counter, epoch.id, xid.toString()],
  );
  return found?.present === true;
}

export function isOfEndedEpoch(revision: Revision, present: Epoch): boolean {
  return revision.epoch.counter !== present.counter || revision.epoch.id !== present.id;
}
