import { randomBytes } from 'node:crypto';
import { setImmediate as turn } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { startTestPostgres, type TestPostgres } from '../../test/postgres.ts';
import { makeWriteSide, type WriteSide } from '../../test/write-side.ts';
import { newId } from '../domain/ids.ts';
import type { Epoch } from '../domain/revision.ts';
import { databaseOf } from '../store/database.ts';
import { startEpoch } from './epochs.ts';
import { HeartbeatWriter } from './heartbeat-writer.ts';
import { Pruner } from './pruner.ts';
import type { Database } from './ports.ts';

vi.setConfig({ testTimeout: 60_000, hookTimeout: 30_000 });

const INTERVAL_MS = 30;
const log = { info() {}, warn() {}, error() {} };

let postgres: TestPostgres;
let side: WriteSide;
let database: Database;
beforeAll(async () => {
  postgres = await startTestPostgres();
});
afterAll(() => postgres.stop());
beforeEach(async () => {
  side = await makeWriteSide(await postgres.createDatabase(), { connections: 16 });
  database = databaseOf(side.pool);
});
afterEach(() => side.end());

interface BeatRow {
  readonly epoch: number;
  readonly watermark: string;
  readonly counted: number;
  readonly pruned_below: string;
  readonly beat_at: Date;
  /** Rows below the watermark that really are there. */
  readonly rows: number;
}

/** The heartbeat and what it speaks of, in one snapshot. */
async function readBeat(): Promise<BeatRow> {
  const { rows } = await side.pool.query<BeatRow>(
    `select epoch, watermark::text, changes_below_watermark::integer as counted, pruned_below::text, beat_at,
       (select count(*)::integer from changes c where c.epoch = h.epoch and c.xid < h.watermark) as rows
     from heartbeat h`,
  );
  const [row] = rows;
  if (row === undefined) throw new Error('there is no heartbeat');
  return row;
}

function writer(intervalMs = INTERVAL_MS, epoch: () => Epoch | null = () => side.epoch): HeartbeatWriter {
  return new HeartbeatWriter({ database, epoch, log, intervalMs });
}

async function probe(rowCount = 1): Promise<void> {
  await side.writer.write(async (transaction) => {
    for (let count = 0; count < rowCount; count += 1) transaction.changed('probe', `probe_${count}`);
    transaction.audit({
      workspaceId: '',
      actorKind: 'system',
      actorId: 'test',
      requestId: '',
      clientAddress: '',
      action: 'probe',
      targetKind: 'probe',
      targetId: '',
      detail: {},
    });
  });
}

async function beatUntilDue(heartbeat: HeartbeatWriter): Promise<void> {
  const before = heartbeat.counters.beats;
  await expect
    .poll(async () => {
      await heartbeat.beat();
      return heartbeat.counters.beats;
    })
    .toBeGreaterThan(before);
}

/** Writers of a seed: some roll back, some use savepoints and roll back to them, some take their time. */
async function write(rounds: number, worker: number): Promise<void> {
  for (let round = 0; round < rounds; round += 1) {
    const kind = (round + worker) % 4;
    const client = await side.pool.connect();
    try {
      await client.query('begin');
      const insert = `insert into changes (epoch, kind, id) values (1, 'probe', '${newId('task', randomBytes)}')`;
      await client.query(insert);
      if (kind === 1) {
        await client.query('savepoint one');
        await client.query(insert);
        await client.query('rollback to savepoint one');
        await client.query(insert);
      }
      if (kind === 2) await client.query('select pg_sleep(0.02)');
      await client.query(kind === 3 ? 'rollback' : 'commit');
    } finally {
      client.release();
    }
  }
}

test('with 8 writers, rollbacks and savepoints every heartbeat counts exactly what is there', async () => {
  // Three tasks of the home region, which take turns.
  const tasks = [writer(), writer(), writer()];
  for (const task of tasks) task.start();
  const writers = Promise.all(Array.from({ length: 8 }, (_, worker) => write(60, worker)));
  const work = { done: false };
  void writers.finally(() => (work.done = true));
  let looks = 0;
  let last = await readBeat();
  while (!work.done) {
    const beat = await readBeat();
    expect(beat.counted).toBe(beat.rows);
    expect(BigInt(beat.watermark)).toBeGreaterThanOrEqual(BigInt(last.watermark));
    last = beat;
    looks += 1;
    await turn();
  }
  await writers;
  const { rows } = await side.pool.query<{ count: number }>('select count(*)::integer as count from changes');
  await expect.poll(async () => (await readBeat()).counted).toBe(rows[0]?.count);
  await Promise.all(tasks.map((task) => task.stop()));
  expect(rows[0]?.count).toBe(480);
  expect(looks).toBeGreaterThan(10);
  for (const task of tasks) expect(task.counters.failures).toBe(0);
  expect(tasks.reduce((sum, task) => sum + task.counters.beats, 0)).toBeGreaterThan(5);
});

test('a transaction that stays open holds the watermark down, and its row is counted when it has ended', async () => {
  const heartbeat = writer();
  const client = await side.pool.connect();
  await client.query('begin');
  const { rows } = await client.query<{ xid: string }>(
    `insert into changes (epoch, kind, id) values (1, 'probe', 'slow') returning xid::text`,
  );
  await probe();
  await beatUntilDue(heartbeat);
  expect((await readBeat()).watermark).toBe(rows[0]?.xid);
  expect((await readBeat()).counted).toBe(0);
  await client.query('commit');
  client.release();
  await beatUntilDue(heartbeat);
  expect((await readBeat()).counted).toBe(2);
});

test('several tasks write one heartbeat an interval between them', async () => {
  const tasks = [writer(60_000), writer(60_000), writer(60_000)];
  const before = (await readBeat()).beat_at;
  await Promise.all(tasks.map((task) => task.beat()));
  expect((await readBeat()).beat_at).toEqual(before);
  await side.pool.query(`update heartbeat set beat_at = beat_at - interval '2 minutes'`);
  const pauses = await Promise.all(tasks.map((task) => task.beat()));
  expect(tasks.reduce((sum, task) => sum + task.counters.beats, 0)).toBe(1);
  for (const pauseMs of pauses) expect(pauseMs).toBeGreaterThan(0);
});

test('a clock that was set back does not stop the heartbeat', async () => {
  await side.pool.query(`update heartbeat set beat_at = clock_timestamp() + interval '1 hour'`);
  const heartbeat = writer(60_000);
  await heartbeat.beat();
  expect(heartbeat.counters.beats).toBe(1);
  expect((await readBeat()).beat_at.getTime()).toBeLessThan(Date.now() + 60_000);
  // A beat of another task whose clock is a little ahead is no reason for one more.
  await side.pool.query(`update heartbeat set beat_at = clock_timestamp() + interval '1 second'`);
  await heartbeat.beat();
  expect(heartbeat.counters.beats).toBe(1);
});

test('a task that is away from home, or of a former epoch, writes none', async () => {
  const before = (await readBeat()).beat_at;
  await side.pool.query(`update heartbeat set beat_at = beat_at - interval '2 minutes'`);
  await writer(INTERVAL_MS, () => null).beat();
  await writer(INTERVAL_MS, () => ({ counter: 1, id: 'zzzzzzzz' })).beat();
  await writer(INTERVAL_MS, () => ({ counter: 2, id: side.epoch?.id ?? '' })).beat();
  expect((await readBeat()).beat_at.getTime()).toBe(before.getTime() - 120_000);
});

test('another epoch starts the count over, and rows of the former one stay out of it', async () => {
  await probe(3);
  await beatUntilDue(writer());
  expect((await readBeat()).counted).toBe(3);
  const former = side.epoch;
  if (former === null) throw new Error('the side starts at home');
  const next = { epoch: { counter: 2, id: 'bbbbbbbb' }, region: 'eu-west-1' };
  await startEpoch(database, { expected: { epoch: former, region: 'us-east-1' }, next });
  expect(await readBeat()).toMatchObject({ epoch: 2, counted: 0, rows: 0 });
  side.epoch = next.epoch;
  await probe(2);
  await beatUntilDue(writer());
  expect(await readBeat()).toMatchObject({ epoch: 2, counted: 2, rows: 2 });
});

test('pruning removes old rows, says below which transaction, and leaves the count alone', async () => {
  for (let count = 0; count < 5; count += 1) await probe(2);
  await beatUntilDue(writer());
  await side.pool.query(`update changes set at = now() - interval '7 hours' where xid in (
    select distinct xid from changes order by xid limit 3)`);
  const pruner = new Pruner({ database, epoch: () => side.epoch, log, batch: 3 });
  await pruner.prune();
  expect(pruner.counters.changes).toBe(6);
  const beat = await readBeat();
  expect(beat).toMatchObject({ counted: 10, rows: 4 });
  const { rows } = await side.pool.query<{ xid: string }>('select min(xid)::text as xid from changes');
  expect(BigInt(beat.pruned_below)).toBeLessThanOrEqual(BigInt(rows[0]?.xid ?? '0'));
  expect(BigInt(beat.pruned_below)).toBeGreaterThan(BigInt(rows[0]?.xid ?? '0') - 20n);
  await pruner.prune();
  expect(pruner.counters.changes).toBe(6);
});

test('pruning takes old idempotency keys, ended epochs and tasks that have stopped', async () => {
  await probe(2);
  const former = side.epoch;
  if (former === null) throw new Error('the side starts at home');
  const next = { epoch: { counter: 2, id: 'bbbbbbbb' }, region: 'us-east-1' };
  await startEpoch(database, { expected: { epoch: former, region: 'us-east-1' }, next });
  side.epoch = next.epoch;
  await side.pool.query(`update epochs set started_at = now() - interval '1 day'`);
  await side.pool
    .query(`insert into idempotency_keys (root_key_id, key, request_hash, salt, epoch, epoch_id, created_at)
    values ('r', 'old', 'h', '', 1, 'aaaaaaaa', now() - interval '25 hours'), ('r', 'new', 'h', '', 1, 'aaaaaaaa', now())`);
  await side.pool
    .query(`insert into task_status (task_id, region, epoch, epoch_id, watermark, applied_xids, staleness_ms,
    reported_at, stopped_at) values ('gone', 'r', 1, 'aaaaaaaa', '1', '{}', 0, now(), now() - interval '2 hours'),
    ('silent', 'r', 1, 'aaaaaaaa', '1', '{}', 0, now() - interval '1 year', null),
    ('left', 'long ago', 1, 'aaaaaaaa', '1', '{}', 0, now(), now() - interval '26 hours'),
    ('before', 'today', 1, 'aaaaaaaa', '1', '{}', 0, now(), now() - interval '3 hours'),
    ('last', 'today', 1, 'aaaaaaaa', '1', '{}', 0, now(), now() - interval '2 hours')`);
  const pruner = new Pruner({ database, epoch: () => side.epoch, log });
  await pruner.prune();
  expect(pruner.counters).toMatchObject({ changes: 2, idempotencyKeys: 1, tasks: 3 });
  // The last task of a region keeps that region in the zone for a while.
  const left = await side.pool.query<{ task_id: string }>('select task_id from task_status order by task_id');
  expect(left.rows.map((row) => row.task_id)).toEqual(['last', 'silent']);
});
