import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { startTestPostgres, type TestPostgres } from '../../test/postgres.ts';
import { makeWriteSide, type WriteSide } from '../../test/write-side.ts';
import type { Revision } from '../domain/revision.ts';
import { databaseOf } from '../store/database.ts';
import { rowsOf } from '../store/rows.ts';
import { startEpoch } from './epochs.ts';
import { forgetTask } from './known-tasks.ts';
import type { Database } from './ports.ts';
import { TaskStatusStore } from './task-status-store.ts';
import type { TaskReport } from './types.ts';

vi.setConfig({ testTimeout: 30_000, hookTimeout: 30_000 });

const HOME = 'us-east-1';
const EUROPE = 'eu-west-1';

let postgres: TestPostgres;
let side: WriteSide;
let store: TaskStatusStore;
/** Added to the clock that the store measures revisions by. */
let passedMs: number;
beforeAll(async () => {
  postgres = await startTestPostgres();
});
afterAll(() => postgres.stop());
beforeEach(async () => {
  side = await makeWriteSide(await postgres.createDatabase());
  passedMs = 0;
  store = makeStore();
});
afterEach(() => side.end());

function makeStore(
  regions: readonly string[] = [HOME, EUROPE],
  database: Database = databaseOf(side.pool),
): TaskStatusStore {
  return new TaskStatusStore({
    database,
    epoch: () => side.epoch,
    ownRegion: HOME,
    regions,
    monotonicMs: () => performance.now() + passedMs,
  });
}

async function writeOne(): Promise<Revision> {
  const { revision } = await side.writer.write(async (transaction) => {
    transaction.changed('probe', 'one');
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
  return revision;
}

function report(revision: Revision, applied: boolean, change: Partial<TaskReport> = {}): TaskReport {
  return {
    taskId: 'task_1',
    region: EUROPE,
    slot: null,
    epoch: revision.epoch,
    watermark: revision.xid - 10n,
    appliedXids: applied ? [revision.xid] : [],
    stalenessMs: Number.POSITIVE_INFINITY,
    cutOffAfterMs: null,
    ...change,
  };
}

async function stateOf(revision: Revision, region: string): Promise<string | undefined> {
  return (await store.progress(revision)).find((one) => one.region === region)?.state;
}

async function silence(taskId: string, ms: number): Promise<void> {
  await side.pool.query(
    `update task_status set reported_at = clock_timestamp() - make_interval(secs => $2::float8 / 1000) where task_id = $1`,
    [taskId, ms],
  );
}

async function stoppedSince(region: string, seconds: number): Promise<void> {
  await side.pool.query(
    `update task_status set stopped_at = clock_timestamp() - make_interval(secs => $2) where region = $1 and stopped_at is not null`,
    [region, seconds],
  );
}

test('a region goes from unknown to pending to applied', async () => {
  const revision = await writeOne();
  expect(await stateOf(revision, EUROPE)).toBe('unknown');
  await store.report(report(revision, false));
  expect(await stateOf(revision, EUROPE)).toBe('pending');
  await store.report(report(revision, true));
  expect(await store.progress(revision)).toContainEqual({
    region: EUROPE,
    state: 'applied',
    afterMs: expect.any(Number),
  });
  expect(await stateOf(revision, HOME)).toBe('unknown');
});

test('a silent task makes its region unknown until it reports again, or says that it stopped', async () => {
  const revision = await writeOne();
  await store.report(report(revision, true, { taskId: 'task_2' }));
  await store.report(report(revision, false));
  await silence('task_1', 10_000);
  expect(await stateOf(revision, EUROPE)).toBe('unknown');
  await store.report(report(revision, false));
  expect(await stateOf(revision, EUROPE)).toBe('pending');
  await silence('task_1', 10_000);
  await store.stopped('task_1');
  expect(await stateOf(revision, EUROPE)).toBe('applied');
});

test('a silent task that cuts itself off is not waited for once it has', async () => {
  const revision = await writeOne();
  await store.report(report(revision, false, { cutOffAfterMs: 8000 }));
  await silence('task_1', 7000);
  expect(await stateOf(revision, EUROPE)).toBe('unknown');
  await silence('task_1', 9000);
  expect(await stateOf(revision, EUROPE)).toBe('unknown');
  passedMs = 8000;
  expect(await stateOf(revision, EUROPE)).toBe('applied');
});

test('a report under the name of a task that has stopped is refused, never dropped in silence', async () => {
  const revision = await writeOne();
  await store.report(report(revision, true));
  await store.stopped('task_1');
  const again = store.report(report(revision, false));
  await expect(again).rejects.toMatchObject({ code: 'invalid_input' });
  await expect(again).rejects.toThrow('Task task_1 of eu-west-1 is known to have stopped');
  expect(await stateOf(revision, EUROPE)).toBe('unknown');
});

test('a task that stopped before its first report arrived stays stopped', async () => {
  const revision = await writeOne();
  await store.report(report(revision, true, { taskId: 'task_2' }));
  await store.stopped('task_1');
  await expect(store.report(report(revision, false))).rejects.toThrow('task_1');
  expect(await stateOf(revision, EUROPE)).toBe('applied');
  await store.stopped('task_1');
  expect(await stateOf(revision, EUROPE)).toBe('applied');
});

test('a new task in a slot says that the one before has stopped, for good', async () => {
  const revision = await writeOne();
  await store.report(report(revision, false, { taskId: 'task_1', slot: 'a' }));
  await store.report(report(revision, false, { taskId: 'task_2', slot: 'b' }));
  await store.report(report(revision, true, { taskId: 'task_3', slot: 'a' }));
  expect(await stateOf(revision, EUROPE)).toBe('pending');
  await store.report(report(revision, true, { taskId: 'task_2', slot: 'b' }));
  expect(await stateOf(revision, EUROPE)).toBe('applied');
  // A last report that was under way for long.
  const late = store.report(report(revision, false, { taskId: 'task_1', slot: 'a' }));
  await expect(late).rejects.toThrow('Task task_1 of eu-west-1 is known to have stopped');
  expect(await stateOf(revision, EUROPE)).toBe('applied');
});

test('the same slot of another region is another one', async () => {
  const revision = await writeOne();
  await store.report(report(revision, false, { taskId: 'task_1', slot: 'a' }));
  await store.report(report(revision, true, { taskId: 'task_2', slot: 'a', region: HOME }));
  expect(await stateOf(revision, EUROPE)).toBe('pending');
});

test('waiting ends with the report that completes it, told to this task or to another of the region', async () => {
  const revision = await writeOne();
  await store.report(report(revision, false));
  const told = store.wait(revision, 'another', 10_000);
  await store.report(report(revision, true));
  expect(await told).toContainEqual(expect.objectContaining({ region: EUROPE, state: 'applied' }));
  const next = await writeOne();
  const polled = store.wait(next, 'another', 10_000);
  await makeStore().report(report(next, true));
  expect(await polled).toContainEqual(expect.objectContaining({ region: EUROPE, state: 'applied' }));
  expect(store.counters).toMatchObject({ waits: 2, timedOutWaits: 0 });
});

test('however many wait, the table is read once at a time, and an ended epoch is looked into once', async () => {
  const revision = await writeOne();
  await store.report(report(revision, false));
  const ended = { epoch: { counter: 0, id: 'zzzzzzzz' }, xid: 7n };
  const plain = databaseOf(side.pool);
  let [reads, underWay, most, looks] = [0, 0, 0, 0];
  store = makeStore([HOME, EUROPE], {
    transaction: plain.transaction,
    async query<Row>(text: string, values?: readonly unknown[]): Promise<readonly Row[]> {
      if (text.includes('exists')) looks += 1;
      if (!text.includes('from task_status')) return await plain.query<Row>(text, values);
      reads += 1;
      underWay += 1;
      most = Math.max(most, underWay);
      try {
        return await plain.query<Row>(text, values);
      } finally {
        underWay -= 1;
      }
    },
  });
  const began = performance.now();
  const waits = Array.from({ length: 200 }, (_, at) =>
    store.wait(at < 100 ? revision : ended, 'another', 400),
  );
  for (const progress of await Promise.all(waits)) expect(progress).toHaveLength(2);
  const tookMs = performance.now() - began;
  expect(most).toBe(1);
  // One each 25 ms, and a few for the beginning and the end of the waits.
  expect(reads).toBeLessThanOrEqual(tookMs / 25 + 20);
  expect(looks).toBe(1);
});

test('waiting for all waits for our own region too', async () => {
  const revision = await writeOne();
  await store.report(report(revision, true));
  const all = store.wait(revision, 'all', 10_000);
  await store.report(report(revision, true, { taskId: 'task_home', region: HOME }));
  expect((await all).map((one) => one.state)).toEqual(['applied', 'applied']);
});

test('a wait that is over tells how far everybody is', async () => {
  const revision = await writeOne();
  await store.report(report(revision, false));
  const progress = await store.wait(revision, 'another', 60);
  expect(progress.find((one) => one.region === EUROPE)?.state).toBe('pending');
  expect(store.counters).toMatchObject({ timedOutWaits: 1 });
});

test('a database that hangs does not hold up a wait', async () => {
  const plain = databaseOf(side.pool);
  const revision = await writeOne();
  store = makeStore([HOME, EUROPE], {
    transaction: plain.transaction,
    query: () => Promise.withResolvers<never>().promise,
  });
  const unknown = expect.objectContaining({ state: 'unknown', reason: 'the home database does not answer' });
  expect(await store.wait(revision, 'all', 60)).toEqual([unknown, unknown]);
});

test('in a zone of one region that region is enough', async () => {
  store = makeStore([HOME]);
  const revision = await writeOne();
  await store.report(report(revision, true, { region: HOME }));
  expect((await store.wait(revision, 'another', 5000)).map((one) => one.state)).toEqual(['applied']);
});

test('of an ended epoch, what survived is applied where the next one is reported; what did not is unknown', async () => {
  const revision = await writeOne();
  await store.report(report(revision, false));
  const former = side.epoch;
  if (former === null) throw new Error('the side starts at home');
  const next = { epoch: { counter: 2, id: 'bbbbbbbb' }, region: HOME };
  await startEpoch(databaseOf(side.pool), { expected: { epoch: former, region: HOME }, next });
  side.epoch = next.epoch;
  expect(await stateOf(revision, EUROPE)).toBe('pending');
  await store.report(report(revision, false, { epoch: next.epoch, watermark: 0n }));
  expect(await stateOf(revision, EUROPE)).toBe('applied');
  expect(await stateOf({ ...revision, xid: revision.xid + 1000n }, EUROPE)).toBe('unknown');
});

test('a take-over starts silence over, for it was measured by another clock', async () => {
  const revision = await writeOne();
  await store.report(report(revision, false, { cutOffAfterMs: 8000 }));
  await silence('task_1', 9000);
  await stateOf(revision, EUROPE);
  passedMs = 9000;
  const former = side.epoch;
  if (former === null) throw new Error('the side starts at home');
  const next = { epoch: { counter: 2, id: 'bbbbbbbb' }, region: HOME };
  await startEpoch(databaseOf(side.pool), { expected: { epoch: former, region: HOME }, next });
  side.epoch = next.epoch;
  expect(await stateOf(revision, EUROPE)).toBe('pending');
});

/** A store that is told of its own region only. */
function makeDiscovering(): TaskStatusStore {
  return new TaskStatusStore({
    database: databaseOf(side.pool),
    epoch: () => side.epoch,
    ownRegion: HOME,
    regions: [HOME],
    discovers: true,
    monotonicMs: () => performance.now() + passedMs,
  });
}

async function statesOf(revision: Revision): Promise<Readonly<Record<string, string>>> {
  return Object.fromEntries((await store.progress(revision)).map(({ region, state }) => [region, state]));
}

test('found in the data, a region is the zone’s from the first report on until its last task has stopped for long', async () => {
  store = makeDiscovering();
  const revision = await writeOne();
  expect(await statesOf(revision)).toEqual({ [HOME]: 'unknown' });
  await store.report(report(revision, true, { taskId: 'task_home', region: HOME }));
  await store.report(report(revision, true, { taskId: 'task_1' }));
  await store.report(report(revision, false, { taskId: 'task_2' }));
  expect(await statesOf(revision)).toEqual({ [HOME]: 'applied', [EUROPE]: 'pending' });
  await store.stopped('task_1');
  expect(await statesOf(revision)).toEqual({ [HOME]: 'applied', [EUROPE]: 'pending' });
  await silence('task_2', 3_600_000);
  expect(await statesOf(revision)).toEqual({ [HOME]: 'applied', [EUROPE]: 'unknown' });
  await store.stopped('task_2');
  // One that only just starts there may not know yet that they have stopped.
  expect(await statesOf(revision)).toEqual({ [HOME]: 'applied', [EUROPE]: 'unknown' });
  await stoppedSince(EUROPE, 25 * 3600 - 60);
  expect(await statesOf(revision)).toEqual({ [HOME]: 'applied', [EUROPE]: 'unknown' });
  await stoppedSince(EUROPE, 25 * 3600 + 60);
  expect(await statesOf(revision)).toEqual({ [HOME]: 'applied' });
  // It stopped before its first report, and belongs to no region.
  await store.stopped('task_3');
  expect(await statesOf(revision)).toEqual({ [HOME]: 'applied' });
});

test('a region that joins while others wait is waited for, and no longer once it has left', async () => {
  store = makeDiscovering();
  const revision = await writeOne();
  await store.report(report(revision, false, { taskId: 'task_home', region: HOME }));
  const all = store.wait(revision, 'all', 20_000);
  const another = store.wait(revision, 'another', 400);
  await store.report(report(revision, false));
  await store.report(report(revision, true, { taskId: 'task_home', region: HOME }));
  expect(await another).toContainEqual({ region: EUROPE, state: 'pending' });
  await store.stopped('task_1');
  await stoppedSince(EUROPE, 26 * 3600);
  expect((await all).map(({ region, state }) => [region, state])).toEqual([[HOME, 'applied']]);
});

test('whoever knows that a region is left for good takes it out at once', async () => {
  store = makeDiscovering();
  const revision = await writeOne();
  await store.report(report(revision, true, { taskId: 'task_home', region: HOME }));
  await store.report(report(revision, true));
  await store.stopped('task_1');
  const rows = rowsOf(side.pool);
  await forgetTask(rows, { taskId: 'task_1', recentMs: 0, force: false });
  expect(await statesOf(revision)).toEqual({ [HOME]: 'applied', [EUROPE]: 'unknown' });
  await forgetTask(rows, { taskId: 'task_1', recentMs: 0, force: true });
  expect(await statesOf(revision)).toEqual({ [HOME]: 'applied' });
});

test('whoever registers gets a number above all that was called applied without it', async () => {
  store = makeDiscovering();
  const before = await writeOne();
  await store.report(report(before, true, { taskId: 'task_home', region: HOME }));
  expect((await store.wait(before, 'all', 5000)).map((one) => one.state)).toEqual(['applied']);
  const floor = await store.register(report(before, false));
  expect(floor.epoch).toEqual(before.epoch);
  expect(floor.xid).toBeGreaterThan(before.xid);
  const clock = async () =>
    (
      await side.pool.query<{ ms: number }>(
        `select extract(epoch from clock_timestamp())::float8 * 1000 as ms`,
      )
    ).rows[0]?.ms ?? 0;
  expect(Math.abs((floor.atMs ?? 0) - (await clock()))).toBeLessThan(10_000);
  // Written before the clock was set back: no heartbeat of after the registration.
  await side.pool.query(`update heartbeat set beat_at = clock_timestamp() + interval '1 hour'`);
  const { atMs = 0 } = await store.register(report(before, false));
  expect(atMs).toBeGreaterThan((await clock()) + 3_500_000);
  const after = await writeOne();
  expect(after.xid).toBeGreaterThanOrEqual(floor.xid);
  // Its first report counts at once.
  expect(await statesOf(after)).toMatchObject({ [EUROPE]: 'pending' });
});

test('where home has only just come, nothing is applied for a moment, for not all may have reported yet', async () => {
  store = makeDiscovering();
  const revision = await writeOne();
  await store.report(report(revision, true, { taskId: 'task_home', region: HOME }));
  store.settle();
  expect(await statesOf(revision)).toEqual({ [HOME]: 'unknown' });
  passedMs = 5000;
  expect(await statesOf(revision)).toEqual({ [HOME]: 'applied' });
  store = makeStore();
  await store.report(report(revision, true));
  store.settle();
  expect(await stateOf(revision, EUROPE)).toBe('applied');
});

test('a report of what can be no region is refused', async () => {
  const revision = await writeOne();
  for (const region of ['', 'evil.example/', 'EU-WEST-1']) {
    await expect(store.report(report(revision, true, { region }))).rejects.toMatchObject({
      code: 'invalid_input',
    });
  }
});

test('away from home every call is refused', async () => {
  const revision = await writeOne();
  side.epoch = null;
  await expect(store.report(report(revision, true))).rejects.toMatchObject({ code: 'no_home' });
  await expect(store.register(report(revision, true))).rejects.toMatchObject({ code: 'no_home' });
  await expect(store.stopped('task_1')).rejects.toMatchObject({ code: 'no_home' });
  await expect(store.progress(revision)).rejects.toMatchObject({ code: 'no_home' });
  const waited = await store.wait(revision, 'all', 40);
  expect(waited.every((one) => one.state === 'unknown')).toBe(true);
});
