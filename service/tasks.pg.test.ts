import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { startTestPostgres, type TestPostgres } from '../test/postgres.ts';
import { makeWriteSide, type WriteSide } from '../test/write-side.ts';
import { TaskStatusStore } from './home/task-status-store.ts';
import type { TaskReport } from './home/types.ts';
import { databaseOf } from './store/database.ts';

vi.setConfig({ testTimeout: 30_000, hookTimeout: 30_000 });

let postgres: TestPostgres;
let url: string;
let side: WriteSide;
let store: TaskStatusStore;
beforeAll(async () => {
  postgres = await startTestPostgres();
});
afterAll(() => postgres.stop());
beforeEach(async () => {
  url = await postgres.createDatabase();
  side = await makeWriteSide(url);
  store = new TaskStatusStore({
    database: databaseOf(side.pool),
    epoch: () => side.epoch,
    ownRegion: 'us-east-1',
    regions: ['us-east-1', 'eu-west-1'],
    monotonicMs: () => performance.now(),
  });
});
afterEach(() => side.end());

function run(...args: readonly string[]) {
  const script = fileURLToPath(new URL('./tasks.ts', import.meta.url));
  const { status, stdout, stderr } = spawnSync(process.execPath, [script, ...args], {
    env: { ...process.env, KEYHEARTH_WRITER_URL: url },
    encoding: 'utf8',
  });
  return { status, stdout, stderr };
}

async function report(taskId: string, watermark: bigint, silentMs = 0): Promise<void> {
  if (side.epoch === null) throw new Error('the side starts at home');
  const text: TaskReport = {
    taskId,
    region: 'eu-west-1',
    slot: null,
    epoch: side.epoch,
    watermark,
    appliedXids: [],
    stalenessMs: 0,
    cutOffAfterMs: null,
  };
  await store.report(text);
  await side.pool.query(
    `update task_status set reported_at = clock_timestamp() - make_interval(secs => $2::float8 / 1000) where task_id = $1`,
    [taskId, silentMs],
  );
}

async function stateOfEurope(): Promise<string | undefined> {
  if (side.epoch === null) throw new Error('the side starts at home');
  const progress = await store.progress({ epoch: side.epoch, xid: 100n });
  return progress.find((one) => one.region === 'eu-west-1')?.state;
}

test('a task that was killed and will never report again is listed, and forgotten when it is known to have stopped', async () => {
  await report('eu/killed', 50n, 3_600_000);
  await report('eu/runs', 101n);
  await store.stopped('eu/stopped');
  const lines = run('list')
    .stdout.trim()
    .split('\n')
    .map((line): unknown => JSON.parse(line));
  expect(lines).toEqual([
    {
      taskId: 'eu/killed',
      region: 'eu-west-1',
      slot: null,
      stopped: false,
      reportedMsAgo: expect.any(Number),
      cutOffAfterMs: null,
      epoch: `1.${side.epoch?.id}`,
    },
    expect.objectContaining({ taskId: 'eu/runs', stopped: false }),
    expect.objectContaining({ taskId: 'eu/stopped', stopped: true, region: '' }),
  ]);
  expect(await stateOfEurope()).toBe('unknown');
  const done = { status: 0, stdout: '{"taskId":"eu/killed","stopped":true}\n', stderr: '' };
  expect(run('forget', 'eu/killed')).toEqual(done);
  expect(await stateOfEurope()).toBe('applied');
  expect(run('forget', 'eu/killed')).toEqual(done);
});

test('a task that reported just now is only forgotten by force', async () => {
  await report('eu/runs', 50n);
  const { status, stdout, stderr } = run('forget', 'eu/runs');
  expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
  expect(stderr).toMatch(/^Nothing was done: task eu\/runs reported \d+ ms ago, so it runs.*\n$/);
  expect(await stateOfEurope()).toBe('pending');
  expect(run('forget', 'eu/runs', '--force')).toMatchObject({ status: 0 });
  await expect(report('eu/runs', 60n)).rejects.toThrow('eu/runs');
});

test.each([
  [['forget', 'no/such'], 'home knows no task no/such.'],
  [['forget'], 'use: tasks.ts list'],
  [['list', 'all'], 'use: tasks.ts list'],
  [[], 'use: tasks.ts list'],
])('%j is one sentence and exit code 1', (args, sentence) => {
  const { status, stdout, stderr } = run(...args);
  expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
  expect(stderr).toContain(`Nothing was done: ${sentence}`);
  expect(stderr.trim().split('\n')).toHaveLength(1);
});
