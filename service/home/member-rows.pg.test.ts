import type pg from 'pg';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { startTestPostgres, type TestPostgres } from '../../test/postgres.ts';
import { databaseOf } from '../store/database.ts';
import { migrate } from '../store/migrate.ts';
import { createPool } from '../store/pool.ts';
import { rowsOf } from '../store/rows.ts';
import { startEpoch } from './epochs.ts';
import { readCounted, readMemberRegions } from './member-rows.ts';

const [US, EU] = ['us-east-1', 'eu-west-1'] as const;
const FIRST = { epoch: { counter: 1, id: 'aaaaaaaa' }, region: US };

let postgres: TestPostgres;
let pool: pg.Pool;
beforeAll(async () => {
  postgres = await startTestPostgres();
  const url = await postgres.createDatabase();
  await migrate({ url, onWarning() {} });
  pool = createPool({ url, applicationName: 'test', onIdleError() {} });
  await startEpoch(databaseOf(pool), { expected: null, next: FIRST });
}, 60_000);
afterAll(async () => {
  await pool.end();
  await postgres.stop();
});
beforeEach(async () => {
  await pool.query('delete from task_status');
  await pool.query('update heartbeat set beat_at = clock_timestamp()');
});

/** `stoppedS`: seconds since it stopped; null: it runs. */
async function addTask(region: string, stoppedS: number | null): Promise<void> {
  await pool.query(
    `insert into task_status (task_id, region, epoch, epoch_id, watermark, applied_xids, staleness_ms, reported_at, stopped_at)
     values (gen_random_uuid()::text, $1, 1, 'aaaaaaaa', '0', '{}', 0, now(), clock_timestamp() - make_interval(secs => $2))`,
    [region, stoppedS],
  );
}

const counts = async () => await readCounted(rowsOf(pool), EU);
const beatAgo = async (seconds: number) =>
  await pool.query('update heartbeat set beat_at = clock_timestamp() - make_interval(secs => $1)', [seconds]);

test('a region none of whose tasks is known is not counted', async () => {
  await addTask(US, null);
  expect(await counts()).toBe(false);
});

test('a running task counts its region for as long after the last heartbeat as home keeps a region at least', async () => {
  await addTask(EU, null);
  expect(await counts()).toBe(true);
  await beatAgo(24 * 3600 - 60);
  expect(await counts()).toBe(true);
  await beatAgo(24 * 3600 + 60);
  expect(await counts()).toBe(false);
});

test('one that has stopped counts it for as long since then', async () => {
  await addTask(EU, 24 * 3600 + 60);
  expect(await counts()).toBe(false);
  await addTask(EU, 24 * 3600 - 60);
  expect(await counts()).toBe(true);
});

test('members are regions with a task that runs, and homes, former ones too, though their tasks have stopped', async () => {
  await addTask('ap-southeast-1', null);
  await addTask('sa-east-1', 5);
  await addTask(US, 5);
  expect(new Set(await readMemberRegions(rowsOf(pool)))).toEqual(new Set([US, 'ap-southeast-1']));
  const next = { epoch: { counter: 2, id: 'bbbbbbbb' }, region: EU };
  expect(await startEpoch(databaseOf(pool), { expected: FIRST, next })).toBe(true);
  expect(new Set(await readMemberRegions(rowsOf(pool)))).toEqual(new Set([US, EU, 'ap-southeast-1']));
});
