import { ADVISORY_LOCKS } from '../domain/advisory-locks.ts';
import type { Epoch } from '../domain/revision.ts';
import { pause, repeat } from './loop.ts';
import type { Database, Log } from './ports.ts';

export interface PrunerOptions {
  readonly database: Database;
  /** The epoch in which this task is at home; null: it isn't, and nothing is pruned. */
  readonly epoch: () => Epoch | null;
  readonly log: Log;
  /** Change rows are kept for so long; a task further behind starts over. @default 6 hours */
  readonly changesMs?: number;
  /** @default 24 hours */
  readonly idempotencyMs?: number;
  /** Reports of tasks that have stopped. @default 1 hour */
  readonly stoppedTasksMs?: number;
  /** @default 10 minutes */
  readonly intervalMs?: number;
  /** Rows per statement, so that none holds the heartbeat up. @default 5000 */
  readonly batch?: number;
}

export interface PrunerCounters {
  changes: number;
  idempotencyKeys: number;
  tasks: number;
  failures: number;
}

const HOUR_MS = 3_600_000;
const PAUSE_BETWEEN_BATCHES_MS = 50;

/** Rows go in the order of their transactions, so what is left is everything from `pruned_below` on. */
const PRUNE_CHANGES = `
with cut as (
  select least(h.watermark, coalesce((select c.xid from changes c where c.epoch = h.epoch
    and c.at >= now() - make_interval(secs => $3::float8 / 1000) order by c.xid limit 1), h.watermark)) as xid
  from heartbeat h where h.epoch = $1 and h.epoch_id = $2
), gone as (
  delete from changes where (epoch, xid, seq) in (
    select c.epoch, c.xid, c.seq from changes c, cut where c.epoch = $1 and c.xid < cut.xid order by c.xid limit $4)
  returning xid
), told as (
  update heartbeat set pruned_below = greatest(pruned_below, (select (max(xid)::text::bigint + 1)::text::xid8 from gone))
  where epoch = $1 and epoch_id = $2 and exists (select from gone)
)
select count(*)::integer as rows from gone`;

const PRUNE_ENDED_EPOCHS = `
with gone as (
  delete from changes where (epoch, xid, seq) in (
    select c.epoch, c.xid, c.seq from changes c join epochs next on next.counter = $1
    where c.epoch < $1 and next.started_at < now() - make_interval(secs => $2::float8 / 1000) limit $3)
  returning 1)
select count(*)::integer as rows from gone`;

const PRUNE_IDEMPOTENCY = `
with gone as (
  delete from idempotency_keys where (root_key_id, key) in (
    select root_key_id, key from idempotency_keys
    where created_at < now() - make_interval(secs => $1::float8 / 1000) limit $2)
  returning 1)
select count(*)::integer as rows from gone`;

const PRUNE_TASKS = `
with gone as (
  delete from task_status where task_id in (select task_id from task_status
    where stopped_at < now() - make_interval(secs => $1::float8 / 1000) limit $2)
  returning 1)
select count(*)::integer as rows from gone`;

/** Deletes at home what nobody needs any more, in small pieces. Owned by main. */
export class Pruner {
  readonly counters: PrunerCounters = { changes: 0, idempotencyKeys: 0, tasks: 0, failures: 0 };
  readonly #options: PrunerOptions;
  readonly #batch: number;
  readonly #abort = new AbortController();
  #loop: Promise<void> | null = null;

  constructor(options: PrunerOptions) {
    this.#options = options;
    this.#batch = options.batch ?? 5000;
  }

  start(): void {
    const intervalMs = this.#options.intervalMs ?? 600_000;
    this.#loop ??= repeat(async () => {
      try {
        await this.prune();
      } catch (error) {
        this.counters.failures += 1;
        this.#options.log.warn({ err: error }, 'old rows could not be pruned');
      }
      return intervalMs;
    }, this.#abort.signal);
  }

  async stop(): Promise<void> {
    this.#abort.abort();
    await this.#loop;
  }

  /** One round over all tables. Does nothing while the task isn't at home. */
  async prune(): Promise<void> {
    const { changesMs = 6 * HOUR_MS, idempotencyMs = 24 * HOUR_MS, stoppedTasksMs = HOUR_MS } = this.#options;
    const epoch = this.#options.epoch();
    if (epoch === null) return;
    const { counters } = this;
    counters.changes += await this.#inBatches(PRUNE_CHANGES, [epoch.counter, epoch.id, changesMs]);
    counters.changes += await this.#inBatches(PRUNE_ENDED_EPOCHS, [epoch.counter, changesMs]);
    counters.idempotencyKeys += await this.#inBatches(PRUNE_IDEMPOTENCY, [idempotencyMs]);
    counters.tasks += await this.#inBatches(PRUNE_TASKS, [stoppedTasksMs]);
  }

  async #inBatches(statement: string, values: readonly unknown[]): Promise<number> {
    let total = 0;
    while (!this.#abort.signal.aborted && this.#options.epoch() !== null) {
      const rows = await this.#options.database.transaction(async (transaction) => {
        // Nothing may be counted and pruned at the same time.
        await transaction.query(`select pg_advisory_xact_lock(${ADVISORY_LOCKS.heartbeat})`);
        const [pruned] = await transaction.query<{ rows: number }>(statement, [...values, this.#batch]);
        return pruned?.rows ?? 0;
      });
      total += rows;
      if (rows < this.#batch) break;
      await pause(PAUSE_BETWEEN_BATCHES_MS, this.#abort.signal);
    }
    return total;
  }
}
