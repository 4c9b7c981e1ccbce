import { ADVISORY_LOCKS } from '../domain/advisory-locks.ts';
import type { Epoch } from '../domain/revision.ts';
import { backoff, repeat } from './loop.ts';
import type { Database, Log } from './ports.ts';

export interface HeartbeatWriterOptions {
  readonly database: Database;
  /** The epoch in which this task is at home; null: it isn't, and nothing is written. */
  readonly epoch: () => Epoch | null;
  readonly log: Log;
  /** @default 1000 */
  readonly intervalMs?: number;
}

export interface HeartbeatCounters {
  /** Written by this task. */
  beats: number;
  /** Left to another task of the region, which was faster. */
  left: number;
  failures: number;
}

/** A beat may come so much early without being left out, so that two tasks in step don't skip one together. */
const EARLY_MS = 20;
const BACKOFF_MAX_MS = 2000;

const LOOK = `
select pg_try_advisory_xact_lock(${ADVISORY_LOCKS.heartbeat}) as locked,
  extract(epoch from clock_timestamp() - beat_at)::float8 * 1000 as age_ms
from heartbeat`;

/**
 * One statement, so one snapshot: its oldest running transaction is the watermark, and what it sees below that is all there is
 * and ever will be. `counted` covers exactly the transactions between the last watermark and this one. A beat as far in the
 * future as one that is due lies in the past comes from before the clock was set back.
 */
const BEAT = `
with seen as materialized (
  select pg_snapshot_xmin(pg_current_snapshot()) as xmin
), counted as materialized (
  select count(*) as rows from heartbeat h, seen s, changes c
  where c.epoch = $1 and c.xid >= h.watermark and c.xid < s.xmin
)
update heartbeat h set beat_at = clock_timestamp(), watermark = s.xmin,
  changes_below_watermark = h.changes_below_watermark + c.rows
from seen s, counted c
where h.epoch = $1 and h.epoch_id = $2 and s.xmin >= h.watermark
  and abs(extract(epoch from clock_timestamp() - h.beat_at)) * 1000 >= $3::float8
returning true as beat`;

/**
 * Writes the home's heartbeat at each interval, once per region however many tasks it has. Owned by main; does nothing while
 * the task isn't at home.
 */
export class HeartbeatWriter {
  readonly counters: HeartbeatCounters = { beats: 0, left: 0, failures: 0 };
  readonly #options: HeartbeatWriterOptions;
  readonly #intervalMs: number;
  readonly #abort = new AbortController();
  #failuresInARow = 0;
  #loop: Promise<void> | null = null;

  constructor(options: HeartbeatWriterOptions) {
    this.#options = options;
    this.#intervalMs = options.intervalMs ?? 1000;
  }

  start(): void {
    this.#loop ??= repeat(() => this.#step(), this.#abort.signal);
  }

  async stop(): Promise<void> {
    this.#abort.abort();
    await this.#loop;
  }

  async #step(): Promise<number> {
    try {
      const pauseMs = await this.beat();
      this.#failuresInARow = 0;
      return pauseMs;
    } catch (error) {
      this.counters.failures += 1;
      this.#failuresInARow += 1;
      this.#options.log.warn({ err: error }, 'the heartbeat could not be written');
      return backoff(this.#intervalMs, this.#failuresInARow, BACKOFF_MAX_MS);
    }
  }

  /** Writes one if it is due. Returns the ms until the next one is. */
  async beat(): Promise<number> {
    const epoch = this.#options.epoch();
    if (epoch === null) return this.#intervalMs;
    return await this.#options.database.transaction(async (rows) => {
      // The lock is a statement of its own: the next one's snapshot is then younger than every beat before it, so that no row is
      // counted twice.
      const [look] = await rows.query<{ locked: boolean; age_ms: number }>(LOOK);
      if (look === undefined) return this.#intervalMs;
      // A beat that lies in the future was written before the clock was set back: it is no reason to fall silent until then.
      const dueInMs = this.#intervalMs - Math.abs(look.age_ms);
      if (!look.locked || dueInMs > EARLY_MS) {
        this.counters.left += 1;
        return Math.max(EARLY_MS, Math.min(dueInMs, this.#intervalMs));
      }
      const beaten = await rows.query(BEAT, [epoch.counter, epoch.id, this.#intervalMs - EARLY_MS]);
      if (beaten.length > 0) this.counters.beats += 1;
      else this.counters.left += 1;
      return this.#intervalMs;
    });
  }
}
