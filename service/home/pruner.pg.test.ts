import pg from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { startTestPostgres, type TestPostgres } from '../../test/postgres.ts';
import { explain, type PlanReads } from '../../test/query-plan.ts';
import type { Rows } from '../manage/ports.ts';
import { databaseOf } from '../store/database.ts';
import { createPool } from '../store/pool.ts';
import { rowsOf } from '../store/rows.ts';
import type { Database } from './ports.ts';
import { Pruner } from './pruner.ts';

/** Pruning of a large database. What is pruned at all: heartbeat-writer.pg.test.ts, since the two must agree. */
vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

const ROWS = 200_000;
const BATCH = 5000;
const FIRST_XID = 1_000_000;
const epoch = { counter: 2, id: 'bbbbbbbb' };
const log = { info() {}, warn() {}, error() {} };

let postgres: TestPostgres;
let url: string;
let pool: pg.Pool;
beforeAll(async () => {
  postgres = await startTestPostgres();
});
afterAll(() => postgres.stop());
beforeEach(async () => {
  url = await postgres.createDatabase();
  pool = createPool({
    url,
    applicationName: 'test',
    onIdleError: () => {},
    statementTimeoutMs: 1000,
    connections: 2,
  });
  await pool.query(`insert into epochs (counter, id, region, started_xid) values
    (1, 'aaaaaaaa', 'us-east-1', '1'), (2, 'bbbbbbbb', 'us-east-1', '1')`);
});
afterEach(() => pool.end());

/** One row for each of so many seconds up to now. */
async function fill(rows: number): Promise<void> {
  // Making the rows may take longer than pruning them.
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  await client.query(
    `insert into changes (epoch, xid, kind, id, at)
     select 2, (${FIRST_XID} + i)::text::xid8, 'probe', 'probe_' || i, now() - make_interval(secs => ${rows} - i)
     from generate_series(1, ${rows}) i`,
  );
  await client.query(
    `insert into heartbeat (epoch, epoch_id, region, beat_at, watermark, changes_below_watermark, pruned_below)
     values (2, 'bbbbbbbb', 'us-east-1', now(), '${FIRST_XID + rows - 50}', 0, '1')`,
  );
  await client.query('vacuum analyze');
  await client.end();
}

/** Runs each statement a second time before, rolled back, to see how it reads its tables. */
function watched(rows: Rows, seen: PlanReads[]): Rows {
  return {
    async query<Row>(text: string, values?: readonly unknown[]): Promise<readonly Row[]> {
      await rows.query('savepoint watched');
      seen.push(await explain(rows, text, values));
      await rows.query('rollback to savepoint watched');
      return await rows.query<Row>(text, values);
    },
  };
}

function watchedDatabase(seen: PlanReads[]): Database {
  const plain = databaseOf(pool);
  return {
    query: (text, values) => plain.transaction(async (rows) => await watched(rows, seen).query(text, values)),
    transaction: (work) => plain.transaction(async (rows) => await work(watched(rows, seen))),
  };
}

async function rest(): Promise<{ rows: number; first: number }> {
  const [left] = await rowsOf(pool).query<{ rows: number; first: number }>(
    'select count(*)::integer as rows, min(xid)::text::integer as first from changes where epoch = 2',
  );
  if (left === undefined) throw new Error('a count has one row');
  return left;
}

test('of many rows none is read that a batch does not take, whether there is much to prune or nothing', async () => {
  await fill(ROWS);
  const seen: PlanReads[] = [];
  const options = { database: watchedDatabase(seen), epoch: () => epoch, log, batch: BATCH };
  const idle = new Pruner({ ...options, changesMs: (ROWS + 60) * 1000 });
  await idle.prune();
  expect(idle.counters).toMatchObject({ changes: 0, failures: 0 });
  expect((await rest()).rows).toBe(ROWS);
  const pruner = new Pruner({ ...options, changesMs: (ROWS - 12_000) * 1000 });
  await pruner.prune();
  const left = await rest();
  // Rows grow older while the test runs.
  expect(pruner.counters.changes).toBe(ROWS - left.rows);
  expect(pruner.counters.changes).toBeGreaterThanOrEqual(11_999);
  expect(pruner.counters.changes).toBeLessThan(12_060);
  const [beat] = await rowsOf(pool).query('select pruned_below::text::integer as below from heartbeat');
  expect(beat).toEqual({ below: left.first });
  // One transaction more than a batch at most.
  expect(Math.max(...seen.map((reads) => reads.rowsMax))).toBeLessThanOrEqual(BATCH + 1);
  expect(seen.flatMap((reads) => reads.scanned)).not.toContain('changes');
});

test('rows from the watermark on stay, however old', async () => {
  await fill(1000);
  await pool.query(`update changes set at = now() - interval '1 day'`);
  const pruner = new Pruner({ database: databaseOf(pool), epoch: () => epoch, log, batch: 300 });
  await pruner.prune();
  expect(await rest()).toEqual({ rows: 51, first: FIRST_XID + 950 });
});

test('rows of an ended epoch go in batches, and the present one is not read for them', async () => {
  await fill(ROWS);
  await pool.query(`update epochs set started_at = now() - interval '1 day'`);
  await pool.query(
    `insert into changes (epoch, xid, kind, id) select 1, i::text::xid8, 'probe', 'old' from generate_series(1, 12000) i`,
  );
  await pool.query('analyze changes');
  const seen: PlanReads[] = [];
  const pruner = new Pruner({
    database: watchedDatabase(seen),
    epoch: () => epoch,
    log,
    batch: BATCH,
    changesMs: (ROWS + 600) * 1000,
  });
  // The epoch that follows is younger than that; nothing may go yet.
  await pruner.prune();
  expect(pruner.counters.changes).toBe(0);
  await pool.query(`update epochs set started_at = now() - interval '9 days'`);
  await pruner.prune();
  expect(pruner.counters.changes).toBe(12_000);
  expect((await rest()).rows).toBe(ROWS);
  expect(Math.max(...seen.map((reads) => reads.rowsMax))).toBeLessThanOrEqual(BATCH);
});
