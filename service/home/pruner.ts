import { ADVISORY_LOCKS } from '../domain/advisory-locks.ts';
import type { Epoch } from '../domain/revision.ts';
import { pause, repeat } from './loop.ts';
import { REGION_KEPT_MS } from './member-rows.ts';
import type { Database, Log } from './ports.ts';
import { PRUNE_ENDED_DRAWS, PRUNE_LEFT_DRAWS } from './prune-draws.ts';
import { TextWalk } from './prune-texts.ts';

export interface PrunerOptions {
  readonly database: Database;
  /** The epoch in which this task is at home; null: it isn't, and nothing is pruned. */
  readonly epoch: () => Epoch | null;
  readonly log: Log;
  /** Change rows are kept for so long; a task further behind starts over. @default 6 hours */
  readonly changesMs?: number;
  /** @default 24 hours */
  readonly idempotencyMs?: number;
  /** Reports of tasks that have stopped; a region's last one stays for as long as it keeps the region in the zone. @default 1 hour */
  readonly stoppedTasksMs?: number;
  /** Draws of credits that are settled, so that one that comes again is known. @default 6 hours */
  readonly drawsMs?: number;
  /**
   * Gives up leases of credits of which nothing was heard for so many ms, looking for `batch` of them; returns how many it gave up. The
   * ledger's own work, for it keeps what accounts have. @default leases stay as they are
   */
  readonly loseSilentLeases?: (afterMs: number, batch: number) => Promise<number>;
  /** A lease of credits is lost once nothing was heard of it for so long. @default 10 minutes */
  readonly silentLeasesMs?: number;
  /** @default 10 minutes */
  readonly intervalMs?: number;
  /** Rows per statement, so that none holds the heartbeat up. @default 5000 */
  readonly batch?: number;
}

export interface PrunerCounters {
  changes: number;
  idempotencyKeys: number;
  tasks: number;
  /** Texts of keys whose API is deleted. */
  texts: number;
  /** Draws of credits that nobody asks for any more. */
  draws: number;
  /** Leases of credits whose holder was silent for too long. */
  silentLeases: number;
  failures: number;
}

const HOUR_MS = 3_600_000;
const PAUSE_BETWEEN_BATCHES_MS = 50;
/** Leases that are given up at once at most: their accounts are locked meanwhile. */
const SILENT_BATCH_MAX = 200;

const READ_BEAT = `
select watermark::text, pruned_below::text as "prunedBelow" from heartbeat where epoch = $1 and epoch_id = $2`;

/**
 * The transaction below which the oldest `$5` rows may go, null where none may: they lie between what was pruned before and the
 * watermark, and none of them, in the order of transactions, follows one that is still young. The bounds are parameters and not a
 * join, so that the planner walks the primary key from `$2` on and reads no more than these rows.
 */
const FIND_BOUNDARY = `
select nullif(coalesce(min(xid) filter (where young), (max(xid)::text::bigint + 1)::text::xid8), min(xid))::text as below
from (
  select xid, at >= now() - make_interval(secs => $4::float8 / 1000) as young from changes
  where epoch = $1 and xid >= $2::text::xid8 and xid < $3::text::xid8 order by epoch, xid limit $5
) as oldest`;

/** Whole transactions, so what is left of an epoch is everything from `pruned_below` on. */
const PRUNE_CHANGES = `
with told as (
  update heartbeat set pruned_below = $4::text::xid8 where epoch = $1 and epoch_id = $2 and pruned_below <= $3::text::xid8
  returning true
), gone as (
  delete from changes where epoch = $1 and xid >= $3::text::xid8 and xid < $4::text::xid8 and exists (select from told)
  returning 1)
select count(*)::integer as rows from gone`;

/**
 * These rows are never changed any more, so they are named by where they lie, which needs no second search; whoever prunes at the
 * same time finds them gone.
 */
const PRUNE_ENDED_EPOCHS = `
with gone as (
  delete from changes where ctid = any (array(
    select ctid from changes where epoch < $1 and (
      select started_at < now() - make_interval(secs => $2::float8 / 1000) from epochs where counter = $1)
    order by epoch, xid, seq limit $3))
  returning 1)
select count(*)::integer as rows from gone`;

const PRUNE_IDEMPOTENCY = `
with gone as (
  delete from idempotency_keys where ctid = any (array(
    select ctid from idempotency_keys
    where created_at < now() - make_interval(secs => $1::float8 / 1000) order by created_at limit $2))
  returning 1)
select count(*)::integer as rows from gone`;

/** A table of as many rows as there are tasks, and some more of those that have stopped. */
const PRUNE_TASKS = `
with gone as (
  delete from task_status where ctid = any (array(
    select ctid from task_status t where stopped_at < now() - make_interval(secs => $1::float8 / 1000)
      and (region = '' or stopped_at < now() - make_interval(secs => $3::float8 / 1000)
        or exists (select from task_status later where later.region = t.region
          and (later.stopped_at is null or (later.stopped_at, later.task_id) > (t.stopped_at, t.task_id)))) limit $2))
  returning 1)
select count(*)::integer as rows from gone`;

/** Deletes at home what nobody needs any more, in small pieces. Owned by main. */
export class Pruner {
  readonly counters: PrunerCounters = {
    changes: 0,
    idempotencyKeys: 0,
    tasks: 0,
    texts: 0,
    draws: 0,
    silentLeases: 0,
    failures: 0,
  };
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
    const { database } = this.#options;
    const batch = this.#batch;
    counters.changes += await this.#inBatches(async () => await this.#pruneChanges(epoch, changesMs));
    counters.changes += await this.#inBatches(async () =>
      countOf(await database.query(PRUNE_ENDED_EPOCHS, [epoch.counter, changesMs, batch])),
    );
    counters.idempotencyKeys += await this.#inBatches(async () =>
      countOf(await database.query(PRUNE_IDEMPOTENCY, [idempotencyMs, batch])),
    );
    counters.tasks += await this.#inBatches(async () =>
      countOf(await database.query(PRUNE_TASKS, [stoppedTasksMs, batch, REGION_KEPT_MS])),
    );
    await this.#pruneDraws();
    await this.#pruneTexts();
  }

  async #pruneDraws(): Promise<void> {
    const { database, loseSilentLeases, drawsMs = 6 * HOUR_MS, silentLeasesMs = HOUR_MS / 6 } = this.#options;
    const { counters } = this;
    const pruned = async (statement: string, ms: number): Promise<number> =>
      await this.#inBatches(async () => countOf(await database.query(statement, [ms, this.#batch])));
    if (loseSilentLeases !== undefined) {
      const batch = Math.min(this.#batch, SILENT_BATCH_MAX);
      counters.silentLeases += await this.#inBatches(
        async () => await loseSilentLeases(silentLeasesMs, batch),
        batch,
      );
    }
    counters.draws += await pruned(PRUNE_ENDED_DRAWS, drawsMs);
    counters.draws += await pruned(PRUNE_LEFT_DRAWS, drawsMs);
  }

  /** All batches of all deleted APIs, as far as this round comes; a round that is cut short starts its API over. */
  async #pruneTexts(): Promise<void> {
    const walk = new TextWalk(this.#options.database, this.#batch);
    while (!this.#abort.signal.aborted && this.#options.epoch() !== null) {
      const texts = await walk.next();
      if (texts === null) break;
      this.counters.texts += texts;
      await pause(PAUSE_BETWEEN_BATCHES_MS, this.#abort.signal);
    }
  }

  /** The oldest rows of the present epoch; returns how many, 0 where none is old enough. */
  async #pruneChanges({ counter, id }: Epoch, changesMs: number): Promise<number> {
    const { database } = this.#options;
    const [beat] = await database.query<{ watermark: string; prunedBelow: string }>(READ_BEAT, [counter, id]);
    if (beat === undefined) return 0;
    const { watermark, prunedBelow } = beat;
    const [boundary] = await database.query<{ below: string | null }>(FIND_BOUNDARY, [
      counter,
      prunedBelow,
      watermark,
      changesMs,
      this.#batch,
    ]);
    const below = boundary?.below ?? null;
    if (below === null) return 0;
    return await database.transaction(async (rows) => {
      // The heartbeat's row is locked until this is done; a heartbeat that is due meanwhile leaves it and comes again at once.
      await rows.query(`select pg_advisory_xact_lock(${ADVISORY_LOCKS.heartbeat})`);
      return countOf(await rows.query(PRUNE_CHANGES, [counter, id, prunedBelow, below]));
    });
  }

  async #inBatches(prune: () => Promise<number>, batch = this.#batch): Promise<number> {
    let total = 0;
    while (!this.#abort.signal.aborted && this.#options.epoch() !== null) {
      const rows = await prune();
      total += rows;
      if (rows < batch) break;
      await pause(PAUSE_BETWEEN_BATCHES_MS, this.#abort.signal);
    }
    return total;
  }
}

function countOf(found: readonly { readonly rows: number }[]): number {
  return found[0]?.rows ?? 0;
}
