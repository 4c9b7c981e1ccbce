import { afterAll, beforeAll, expect, test } from 'vitest';
import { databaseUrl, startTestPostgres, type TestPostgres } from '../../test/postgres.ts';
import { makeWriteSide, type WriteSide } from '../../test/write-side.ts';
import { systemClock } from '../clock.ts';
import { HeartbeatWriter } from '../home/heartbeat-writer.ts';
import { ChangeFeed } from './change-feed.ts';
import { databaseOf } from './database.ts';
import { PostgresFeedReader } from './feed-reader.ts';
import { runFeedTrial } from './feed-trial.ts';
import { createPool } from './pool.ts';

let postgres: TestPostgres;
let side: WriteSide;
let heartbeat: HeartbeatWriter;
const pools: ReturnType<typeof createPool>[] = [];

beforeAll(async () => {
  postgres = await startTestPostgres();
  const url = await postgres.createDatabase();
  const standbys = [await postgres.addStandby('standby-1'), await postgres.addStandby('standby-2')];
  side = await makeWriteSide(url);
  const log = { info() {}, warn() {}, error() {} };
  heartbeat = new HeartbeatWriter({
    database: databaseOf(side.pool),
    epoch: () => side.epoch,
    log,
    intervalMs: 200,
  });
  heartbeat.start();
  const name = new URL(url).pathname.slice(1);
  for (const node of [postgres.primary, ...standbys]) {
    const onIdleError = (): void => {};
    pools.push(
      createPool({
        url: databaseUrl(node.url, name),
        applicationName: 'trial',
        connections: 9,
        transactionTimeoutMs: 60_000,
        idleInTransactionTimeoutMs: 60_000,
        onIdleError,
      }),
    );
  }
});

afterAll(async () => {
  await heartbeat.stop();
  await side.end();
  await Promise.all(pools.map(async (pool) => await pool.end()));
  await postgres.stop();
});

test('on a primary and two standbys no change is missed or doubled under 8 writers, rollbacks, savepoints and an open transaction', async () => {
  const [writer] = pools;
  if (writer === undefined) throw new Error('there is no writer');
  const readers = pools.map((pool, at) => {
    return new PostgresFeedReader({ name: `reader ${at}`, pool, recordsPool: pool });
  });
  const result = await runFeedTrial({
    writer,
    readers,
    clock: systemClock,
    writers: 8,
    durationMs: 7000,
    openTransactionMs: 5000,
    pollMs: 50,
  });
  expect(result.rows).toBeGreaterThan(200);
  expect(result.rolledBack).toBeGreaterThan(20);
  for (const reader of result.readers) {
    expect(reader).toMatchObject({ missed: 0, doubled: 0, phantom: 0, distrusts: 0 });
  }
});

test('a row that vanishes from the feed is noticed with the next heartbeat', async () => {
  const quiet = await makeWriteSide(await postgres.createDatabase());
  const log = { info() {}, warn() {}, error() {} };
  const database = databaseOf(quiet.pool);
  const beats = new HeartbeatWriter({ database, epoch: () => quiet.epoch, log, intervalMs: 20 });
  const told: string[] = [];
  const reader = new PostgresFeedReader({
    name: 'reader',
    pool: quiet.pool,
    recordsPool: quiet.pool,
  });
  const feed = new ChangeFeed({
    readers: [reader],
    listener: {
      onChanges: (changes) => told.push(...changes.map(({ id }) => id)),
      onEpoch: () => {},
      onDistrust: () => told.push('distrust'),
    },
    clock: systemClock,
    pollMs: 10,
    switchAfterMs: 60_000,
    log,
  });
  try {
    await feed.start();
    await quiet.pool.query(
      "insert into changes (epoch, kind, id) values (1, 'probe', 'one'), (1, 'probe', 'two')",
    );
    await expect.poll(() => told).toEqual(['one', 'two']);
    await quiet.pool.query("delete from changes where id = 'one'");
    await expect
      .poll(async () => {
        await beats.beat();
        return told;
      })
      .toEqual(['one', 'two', 'distrust']);
    expect(feed.counters.distrusts).toBe(1);
  } finally {
    await feed.stop();
    await quiet.end();
  }
});
