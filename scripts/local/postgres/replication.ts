import { join } from 'node:path';
import { waitFor, WaitTimeout } from '../../lib/wait.ts';
import { type Lsn, parseLsn, readControlFile } from './control-file.ts';
import { copyDataDirectory } from './copy.ts';
import type { PostgresNode } from './node.ts';

/** How a node stands towards the others of its zone. */
export interface ReplicationState {
  readonly role: 'primary' | 'standby';
  /** Of a standby: does it receive from its primary now? */
  readonly streaming: boolean;
  /** Of a standby: was replay paused by hand? */
  readonly replayPaused: boolean;
  /** Of a standby: how long it holds commits back on purpose, ms. */
  readonly applyDelayMs: number;
  /** Of a standby: age of the last commit it shows while there is more to show, ms; 0 once it shows everything it received. */
  readonly lagMs: number | null;
}

/**
 * Makes `standby` a copy of `primary` that follows it, replacing what was in its directory, starts it and returns once it streams.
 * The primary must run; it goes on working meanwhile. There is no pg_basebackup in the package, so this does what that does.
 */
export async function makeStandby(
  primary: PostgresNode,
  standby: PostgresNode,
  timeoutMs = 30_000,
): Promise<void> {
  if (standby.isRunning) await standby.stop('immediate');
  standby.beginDirectory();
  await primary.asAdmin(async (client) => {
    await client.query("select pg_backup_start('standby', fast => true)");
    await copyDataDirectory(primary.dataDir, standby.dataDir, standby.account);
    const { rows } = await client.query<{ labelfile: string }>(
      'select labelfile from pg_backup_stop(wait_for_archive => false)',
    );
    const label = rows[0]?.labelfile;
    if (label === undefined) throw new Error('pg_backup_stop gave no label');
    standby.writeOwned(join(standby.dataDir, 'backup_label'), label);
  });
  follow(standby, primary);
  await standby.syncToDisk();
  standby.finishDirectory();
  await standby.start(timeoutMs);
  await waitUntilStreaming(standby, timeoutMs);
}

/**
 * Points `standby` (running or not) at `primary`, across a change of timeline too. A node that was a primary becomes a standby at its
 * next start; whether its history allows that is for `hasDiverged` to say.
 */
export function follow(standby: PostgresNode, primary: PostgresNode, applyDelayMs = 0): void {
  standby.configureReplication({
    source: { port: primary.port, password: primary.passwords.replication, name: standby.name },
    applyDelayMs,
  });
  standby.writeOwned(join(standby.dataDir, 'standby.signal'), '');
  standby.reload();
}

/** Makes a standby the primary: it replays all it has received (a pause or delay ends) and begins a timeline. Returns once it accepts writes. */
export async function promote(standby: PostgresNode, timeoutMs = 15_000): Promise<void> {
  await standby.asAdmin(async (client) => {
    const { rows } = await client.query<{ pg_promote: boolean }>('select pg_promote(true, $1)', [
      Math.ceil(timeoutMs / 1_000),
    ]);
    if (rows[0]?.pg_promote !== true)
      throw new WaitTimeout(`${standby.name} wasn't promoted within ${timeoutMs} ms`);
  });
  standby.configureReplication({ source: null, applyDelayMs: 0 });
}

/** Stops a standby's replay, as if nothing more arrived (it still receives). Returns when it has stopped. */
export async function pauseReplay(standby: PostgresNode): Promise<void> {
  await standby.asAdmin(async (client) => {
    await client.query('select pg_wal_replay_pause()');
    await waitFor(
      async () => {
        const { rows } = await client.query<{ state: string }>(
          'select pg_get_wal_replay_pause_state() as state',
        );
        return rows[0]?.state === 'paused';
      },
      { what: `replay of ${standby.name} to pause`, timeoutMs: 10_000 },
    );
  });
}

export async function resumeReplay(standby: PostgresNode): Promise<void> {
  await standby.asAdmin((client) => client.query('select pg_wal_replay_resume()'));
}

/** Makes a standby show each commit `applyDelayMs` after it was made; 0 for none. */
export async function setApplyDelay(
  standby: PostgresNode,
  primary: PostgresNode,
  applyDelayMs: number,
): Promise<void> {
  follow(standby, primary, applyDelayMs);
  await waitFor(async () => (await replicationState(standby)).applyDelayMs === applyDelayMs, {
    what: `${standby.name} to take up its delay`,
    timeoutMs: 5_000,
  });
}

export async function replicationState(node: PostgresNode): Promise<ReplicationState> {
  return node.asAdmin(async (client) => {
    const { rows } = await client.query<{
      standby: boolean;
      streaming: boolean;
      paused: boolean;
      delay: string;
      lag: number | null;
    }>(`select pg_is_in_recovery() as standby,
        coalesce((select status = 'streaming' from pg_stat_wal_receiver), false) as streaming,
        case when pg_is_in_recovery() then pg_get_wal_replay_pause_state() <> 'not paused' else false end as paused,
        (select setting from pg_settings where name = 'recovery_min_apply_delay') as delay,
        case when not pg_is_in_recovery() then null
          when not exists (select from pg_stat_wal_receiver where status = 'streaming') then null
          when pg_last_wal_receive_lsn() = pg_last_wal_replay_lsn() then 0
          else greatest(0, extract(epoch from clock_timestamp() - pg_last_xact_replay_timestamp()) * 1000)::float8 end as lag`);
    const row = rows[0];
    if (row === undefined) throw new Error('a query without a row');
    return {
      role: row.standby ? 'standby' : 'primary',
      streaming: row.streaming,
      replayPaused: row.paused,
      applyDelayMs: row.standby ? Number(row.delay) : 0,
      lagMs: row.lag === null ? null : Math.round(row.lag),
    };
  });
}

export async function waitUntilStreaming(standby: PostgresNode, timeoutMs: number): Promise<void> {
  await waitFor(async () => (await replicationState(standby)).streaming, {
    what: `${standby.name} to stream from its primary`,
    timeoutMs,
  });
}

/** Waits until a standby shows everything that `primary` had written by now. */
export async function waitForCatchUp(
  standby: PostgresNode,
  primary: PostgresNode,
  timeoutMs: number,
): Promise<void> {
  const written = await primary.asAdmin((client) => readLsn(client, 'pg_current_wal_flush_lsn()'));
  if (written === null) throw new Error(`${primary.name} doesn't say how far it has written`);
  await waitForReplay(standby, written, timeoutMs);
}

/** Waits until a standby has replayed the record that starts at the end of a primary that was stopped cleanly. */
export async function waitForStopped(
  standby: PostgresNode,
  stopped: PostgresNode,
  timeoutMs: number,
): Promise<void> {
  // What is replayed is told as the end of the last record, so anything beyond the start of the last one will do.
  await waitForReplay(standby, readControlFile(stopped.dataDir).checkpoint + 1n, timeoutMs);
}

/** Waits until a standby has replayed up to `position`. */
async function waitForReplay(standby: PostgresNode, position: Lsn, timeoutMs: number): Promise<void> {
  await standby.asAdmin((client) =>
    waitFor(async () => ((await readLsn(client, 'pg_last_wal_replay_lsn()')) ?? -1n) >= position, {
      what: `${standby.name} to replay all of its primary's writes`,
      timeoutMs,
    }),
  );
}

/**
 * Has a running standby received writes that `primary`, promoted since, never had? Then it can't follow: `makeStandby` it again. Both must
 * run. Compares how far the standby has received with where the primary's timeline left the one that the standby is on.
 */
export async function hasDiverged(standby: PostgresNode, primary: PostgresNode): Promise<boolean> {
  const { timeline, received } = await standby.asAdmin(async (client) => {
    const { rows } = await client.query<{ timeline: number }>(
      'select greatest(c.timeline_id, coalesce(r.received_tli, 0)) as timeline from pg_control_checkpoint() c left join pg_stat_wal_receiver r on true',
    );
    const inReceive = (await readLsn(client, 'pg_last_wal_receive_lsn()')) ?? 0n;
    const inReplay = (await readLsn(client, 'pg_last_wal_replay_lsn()')) ?? 0n;
    return { timeline: rows[0]?.timeline ?? 0, received: inReceive > inReplay ? inReceive : inReplay };
  });
  const left = await leftTimelineAt(primary, timeline);
  return left !== 'still-on-it' && (left === 'never-on-it' || received > left);
}

/** May a node that was stopped cleanly as the primary follow `primary`, promoted since? A crashed one never may. */
export async function mayFollowAfterStop(
  stopped: PostgresNode,
  primary: PostgresNode,
  timeline: number,
): Promise<boolean> {
  const { state, checkpoint } = readControlFile(stopped.dataDir);
  if (state !== 'shut-down') return false;
  const left = await leftTimelineAt(primary, timeline);
  return typeof left === 'bigint' && checkpoint < left;
}

/** The timeline that a running primary writes on. */
export async function currentTimeline(primary: PostgresNode): Promise<number> {
  return primary.asAdmin(async (client) => {
    const { rows } = await client.query<{ timeline: number }>(
      "select ('x' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8))::bit(32)::int as timeline",
    );
    return rows[0]?.timeline ?? 0;
  });
}

async function leftTimelineAt(
  primary: PostgresNode,
  timeline: number,
): Promise<Lsn | 'still-on-it' | 'never-on-it'> {
  const current = await currentTimeline(primary);
  if (current === timeline) return 'still-on-it';
  const file = `pg_wal/${current.toString(16).toUpperCase().padStart(8, '0')}.history`;
  const history = await primary.asAdmin(async (client) => {
    const { rows } = await client.query<{ history: string | null }>(
      'select pg_read_file($1, true) as history',
      [file],
    );
    return rows[0]?.history ?? '';
  });
  return leftAccordingTo(history, timeline);
}

/** Reads a timeline history file: lines of `timeline <tab> position where it was left <tab> reason`. */
export function leftAccordingTo(history: string, timeline: number): Lsn | 'never-on-it' {
  for (const line of history.split('\n')) {
    const [number, position] = line.trim().split(/\s+/);
    if (number !== undefined && position !== undefined && Number(number) === timeline)
      return parseLsn(position);
  }
  return 'never-on-it';
}

type Query = Parameters<Parameters<PostgresNode['asAdmin']>[0]>[0];

async function readLsn(client: Query, expression: string): Promise<Lsn | null> {
  const { rows } = await client.query<{ position: string | null }>(`select ${expression}::text as position`);
  const position = rows[0]?.position;
  return position === null || position === undefined ? null : parseLsn(position);
}
