import type { Rows } from '../manage/ports.ts';

/**
 * As many rows as there are tasks. A row without a region is that of a task that stopped before its first report. The last epoch is
 * named besides the heartbeat, since a take-over is what must never be overlooked.
 */
const MEMBERS = `
select region from task_status where stopped_at is null and region <> ''
union select region from heartbeat
union select region from (select region from epochs order by counter desc limit 1) as last`;

/** Regions that this database shows as part of the zone: those with a task that hasn't stopped, and the home's. */
export async function readMemberRegions(rows: Rows): Promise<readonly string[]> {
  return (await rows.query<{ region: string }>(MEMBERS)).map(({ region }) => region);
}
