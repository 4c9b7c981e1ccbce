import { ADVISORY_LOCKS } from '../domain/advisory-locks.ts';
import type { Epoch } from '../domain/revision.ts';
import type { Rows } from '../manage/ports.ts';
import type { Database } from './ports.ts';

export interface EpochRow {
  readonly epoch: Epoch;
  /** Region that started it. */
  readonly region: string;
}

/** What the region's writer endpoint says of itself. */
export type WriterView =
  | { readonly kind: 'unreachable'; readonly reason: string }
  /** A standby, or a server that is set to read-only. */
  | { readonly kind: 'readOnly' }
  /** Without schema: nothing was migrated yet. */
  | { readonly kind: 'empty' }
  /** It accepts writes; null where no epoch was ever started. */
  | { readonly kind: 'writable'; readonly latest: EpochRow | null };

/** The last epoch of this database; null where none was started. */
export async function readLatestEpoch(rows: Rows): Promise<EpochRow | null> {
  const [row] = await rows.query<{ counter: number; id: string; region: string }>(
    'select counter, id, region from epochs order by counter desc limit 1',
  );
  return row === undefined ? null : { epoch: { counter: row.counter, id: row.id }, region: row.region };
}

/** Looks at the writer endpoint. Fails as the database does. */
export async function viewWriter(rows: Rows): Promise<WriterView> {
  const [state] = await rows.query<{ read_only: boolean; migrated: boolean }>(
    `select pg_is_in_recovery() or current_setting('transaction_read_only') = 'on' as read_only,
       to_regclass('epochs') is not null and to_regclass('heartbeat') is not null as migrated`,
  );
  if (state === undefined || state.read_only) return { kind: 'readOnly' };
  if (!state.migrated) return { kind: 'empty' };
  return { kind: 'writable', latest: await readLatestEpoch(rows) };
}

export interface EpochStart {
  /** The epoch that it replaces: where another one is the last by now, nothing is done. */
  readonly expected: EpochRow | null;
  readonly next: EpochRow;
}

/**
 * Starts an epoch: from its commit on, this region is home. Waits for the writes of the epoch before, and keeps others out while
 * it runs. Returns false where somebody else was faster. The heartbeat starts over with it, so that no task takes rows of the
 * former epoch for vouched; ages of task reports start over too, for they were measured by another server's clock.
 */
export async function startEpoch(database: Database, { expected, next }: EpochStart): Promise<boolean> {
  return await database.transaction(async (rows) => {
    await rows.query(`select pg_advisory_xact_lock(${ADVISORY_LOCKS.heartbeat})`);
    await rows.query(`select pg_advisory_xact_lock(${ADVISORY_LOCKS.epoch})`);
    const latest = await readLatestEpoch(rows);
    if (latest?.epoch.counter !== expected?.epoch.counter || latest?.epoch.id !== expected?.epoch.id)
      return false;
    const { epoch, region } = next;
    const values = [epoch.counter, epoch.id, region];
    // The epoch's own rows can only follow this transaction's snapshot, so its oldest transaction is a lower bound for them.
    await rows.query(
      `insert into epochs (counter, id, region, started_xid)
       values ($1, $2, $3, pg_snapshot_xmin(pg_current_snapshot()))`,
      values,
    );
    await rows.query(
      `insert into heartbeat (epoch, epoch_id, region, beat_at, watermark, changes_below_watermark, pruned_below)
       select counter, id, region, clock_timestamp(), started_xid, 0, started_xid from epochs where counter = $1
       on conflict (only_row) do update set epoch = excluded.epoch, epoch_id = excluded.epoch_id,
         region = excluded.region, beat_at = excluded.beat_at, watermark = excluded.watermark,
         changes_below_watermark = 0, pruned_below = excluded.pruned_below`,
      [epoch.counter],
    );
    await rows.query('update task_status set reported_at = clock_timestamp() where stopped_at is null');
    return true;
  });
}
