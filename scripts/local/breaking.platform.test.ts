import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  makePlatformPlace,
  type PlatformPlace,
  type RunningPlatform,
  startPlatform,
} from '../../test/platform.ts';
import { waitFor } from '../lib/wait.ts';
import { callApi } from './credentials.ts';
import type { ZoneFeedCheck } from './feed-check.ts';
import type { LocalZone } from './local-file.ts';
import type { RegionStatus } from './zone-platform.ts';

let place: PlatformPlace;
let running: RunningPlatform;

beforeAll(async () => {
  place = await makePlatformPlace();
  running = await startPlatform(place, '--zone', 'global');
});

afterAll(async () => {
  await running.stop();
  place.remove();
});

async function statusOf(region: string): Promise<RegionStatus> {
  const { stdout } = await place.run('local', 'status', '--json');
  const { regions } = JSON.parse(stdout) as { regions: RegionStatus[] };
  const status = regions.find((candidate) => candidate.region === region);
  if (status === undefined) throw new Error(`no status of ${region}`);
  return status;
}

async function succeed(...args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await place.run('local', ...args);
  expect(stderr).toBe('');
  expect(code).toBe(0);
  return stdout;
}

function zone(): LocalZone {
  const global = running.local.zones['global'];
  if (global === undefined) throw new Error('zone global does not run');
  return global;
}

function createKeyIn(region: string): Promise<{ status: number }> {
  const { apiId, rootKey, regions } = zone();
  return callApi(regions[region]?.url ?? '', rootKey, 'keys.createKey', { apiId });
}

test('replication is paused and resumed, and a lag holds', async () => {
  await succeed('pause-replication', 'eu-west-1');
  expect((await statusOf('eu-west-1')).postgres.replayPaused).toBe(true);
  await succeed('resume-replication', 'eu-west-1');
  expect((await statusOf('eu-west-1')).postgres.replayPaused).toBe(false);
  await succeed('lag', 'eu-west-1', '250');
  expect((await statusOf('eu-west-1')).postgres.applyDelayMs).toBe(250);
  await succeed('lag', 'eu-west-1', '0');
  expect((await statusOf('eu-west-1')).postgres.applyDelayMs).toBe(0);
});

test('a region that is cut off is left out of the measurement, and the others are measured', async () => {
  await succeed('pause-replication', 'eu-west-1');
  const { code, stdout } = await place.run('measure', 'revocation', '--count', '1', '--json');
  await succeed('resume-replication', 'eu-west-1');
  expect(code).toBe(1);
  expect(JSON.parse(stdout)).toMatchObject({
    zones: {
      global: {
        count: 1,
        regions: {
          'us-east-1': { problem: null, neverRefused: 0, refusedAfterMs: { count: 1 } },
          'eu-west-1': { problem: 'not within 10 s', refusedAfterMs: { count: 0 } },
          'ap-southeast-1': { problem: null, neverRefused: 0, refusedAfterMs: { count: 1 } },
        },
      },
    },
  });
});

test('the trial of the feed finds nothing wrong in any region', async () => {
  const { code, stdout } = await place.run('doctor', 'feed', '--seconds', '1', '--json');
  expect(code).toBe(0);
  const { zones } = JSON.parse(stdout) as { zones: Record<string, ZoneFeedCheck> };
  expect(Object.keys(zones['global']?.regions ?? {})).toEqual(Object.keys(zone().regions));
  for (const region of Object.values(zones['global']?.regions ?? {}))
    expect(region).toMatchObject({ missed: 0, doubled: 0, madeUp: 0 });
});

test('a planned switchover moves the home, and the old one follows', async () => {
  expect(await succeed('promote', 'eu-west-1')).toContain('nothing was lost');
  expect((await createKeyIn('eu-west-1')).status).toBe(200);
  expect((await statusOf('eu-west-1')).role).toBe('home');
  const old = await statusOf('us-east-1');
  expect(old.postgres).toMatchObject({ role: 'standby', streaming: true });
});

test('a home whose database is dead is replaced, and comes back as a standby', async () => {
  await succeed('kill', 'eu-west-1', '--only', 'database');
  expect((await statusOf('eu-west-1')).postgres.pid).toBeNull();
  expect(await succeed('promote', 'us-east-1')).toContain('is the home');
  expect((await createKeyIn('us-east-1')).status).toBe(200);
  expect(await succeed('start', 'eu-west-1')).toContain('rebuilt as a standby of us-east-1');
  expect((await statusOf('eu-west-1')).postgres).toMatchObject({ role: 'standby', streaming: true });
  expect((await statusOf('ap-southeast-1')).postgres).toMatchObject({ role: 'standby', streaming: true });
});

test('a killed region stays down until it is started', async () => {
  await succeed('kill', 'ap-southeast-1');
  expect(await statusOf('ap-southeast-1')).toMatchObject({
    tasks: [{ pid: null, ready: false }],
    postgres: { pid: null, role: null },
  });
  await succeed('start', 'ap-southeast-1');
  expect(await statusOf('ap-southeast-1')).toMatchObject({
    tasks: [{ ready: true }],
    postgres: { streaming: true },
  });
});

test('a service that crashes is started again', async () => {
  const before = (await statusOf('us-east-1')).tasks[0]?.pid;
  if (before === null || before === undefined) throw new Error('no task runs in us-east-1');
  process.kill(before, 'SIGKILL');
  await waitFor(
    async () => {
      const task = (await statusOf('us-east-1')).tasks[0];
      return task?.ready === true && task.pid !== before;
    },
    { what: 'another task to be ready', timeoutMs: 20_000, intervalMs: 100 },
  );
  expect((await createKeyIn('us-east-1')).status).toBe(200);
});

test('mistakes are one sentence', async () => {
  const wrong = [
    ['promote', 'us-east-1'],
    ['pause-replication', 'us-east-1'],
    ['kill', 'mars-north-1'],
    ['lag', 'eu-west-1', 'much'],
    ['start', 'eu-west-1', '--zone', 'eu'],
  ];
  for (const args of wrong) {
    const { code, stdout, stderr } = await place.run('local', ...args);
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toMatch(/^[A-Z-a-z].*\.\n$/);
  }
});
