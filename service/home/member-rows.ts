import type { Rows } from '../manage/ports.ts';

const HOUR_MS = 3_600_000;

/**
 * Home counts a region for so long after its last task has stopped: until then, nothing is called applied there. It is longer than the
 * next one by enough for a task that relied on that one to tell home of itself.
 */
export const REGION_KEPT_MS = 25 * HOUR_MS;
/** A task takes what its reader shows for true for so long: it doesn't know what home has heard since. */
const TRUSTED_MS = 24 * HOUR_MS;

/**
 * As many rows as there are tasks. A row without a region is that of a task that stopped before its first report. The last epochs are
 * named besides the heartbeat, since a take-over is what must never be overlooked, and a former home must hear of its successors.
 */
const MEMBERS = `
select region from task_status where stopped_at is null and region <> ''
union select region from heartbeat
union select region from (select region from epochs order by counter desc limit 32) as last`;

/** A task that hasn't stopped ran at the last heartbeat that this instance shows; of a later time it knows nothing. */
const COUNTED = `
select exists (select from task_status t, heartbeat h where t.region = $1
  and coalesce(t.stopped_at, h.beat_at) > clock_timestamp() - make_interval(secs => $2::float8 / 1000)) as counted`;

/** Regions that this database shows as part of the zone: those with a task that hasn't stopped, the home's, and former homes'. */
export async function readMemberRegions(rows: Rows): Promise<readonly string[]> {
  return (await rows.query<{ region: string }>(MEMBERS)).map(({ region }) => region);
}

/** Whether home counts the region, by what this database shows: certainly so, however far behind home it is by now. */
export async function readCounted(rows: Rows, region: string): Promise<boolean> {
  const [found] = await rows.query<{ counted: boolean }>(COUNTED, [region, TRUSTED_MS]);
  return found?.counted === true;
}
