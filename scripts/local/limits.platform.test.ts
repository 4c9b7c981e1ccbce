import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  makePlatformPlace,
  type PlatformPlace,
  type RunningPlatform,
  startPlatform,
} from '../../test/platform.ts';
import { hasValkey, NEEDS_VALKEY } from '../../test/valkey.ts';
import type { CreditTrial } from '../lib/credit-trial.ts';
import type { RateLimitTrial } from '../lib/ratelimit-trial.ts';
import type { LocalFile } from './local-file.ts';
import type { RegionStatus } from './zone-platform.ts';

/** Limits and credits on the platform: three regions with two tasks each, and what happens to them when parts are lost. */
let place: PlatformPlace;
let running: RunningPlatform;

beforeAll(async () => {
  place = await makePlatformPlace();
  running = await startPlatform(place, '--zone', 'global', '--tasks', '2');
});

afterAll(async () => {
  await running.stop();
  place.remove();
});

async function measured<T>(...args: readonly string[]): Promise<T> {
  const { code, stdout, stderr } = await place.run('measure', ...args, '--json');
  expect({ code, stderr, output: code === 0 ? '' : stdout }).toEqual({ code: 0, stderr: '', output: '' });
  // The command's documented output.
  return JSON.parse(stdout) as T;
}

async function valkeyOf(region: string): Promise<RegionStatus['valkey']> {
  const { stdout } = await place.run('local', 'status', '--json');
  const { regions } = JSON.parse(stdout) as { regions: RegionStatus[] };
  return regions.find((candidate) => candidate.region === region)?.valkey ?? null;
}

function regionOf(region: string, { zones }: LocalFile = running.local) {
  const found = zones['global']?.regions[region];
  if (found === undefined) throw new Error(`no region ${region}`);
  return found;
}

test('credits are spent to the last one in all regions, each of them once', async () => {
  const trial = await measured<CreditTrial>('credits', '--keys', '5', '--credits', '60');
  expect(trial).toMatchObject({ granted: 300, admitted: 300, overspent: 0, lost: 0, isExhausted: true });
});

test('while tasks are killed and replication is paused, none is spent twice, and what is lost is within the bound', async () => {
  const trial = await measured<CreditTrial>(
    'credits',
    '--credits',
    '150',
    '--kill',
    '--pause',
    '--seconds',
    '80',
  );
  process.stdout.write(
    `credits: ${trial.granted} granted, ${trial.admitted} admitted, ${trial.lost} lost, ${trial.out} out by the ledger, at most ${trial.lossBound}, ${trial.kills} kills, ${trial.pauses} pauses\n`,
  );
  expect(trial).toMatchObject({ keys: 50, granted: 7500, overspent: 0, held: true, isExhausted: true });
  expect(trial.kills).toBeGreaterThan(0);
  expect(trial.pauses).toBeGreaterThan(0);
  expect(trial.lost).toBeLessThanOrEqual(trial.out);
  expect(trial.out).toBeLessThanOrEqual(trial.lossBound);
});

test.skipIf(!hasValkey)(
  `two tasks that share counters let through no more than the bound ${NEEDS_VALKEY}`,
  async () => {
    // 500 units a second: two tasks that count alone let 500 too many through; the bound is some 120 where exchanges are quick.
    const limit = 500;
    const rate = ['--limit', `${limit}`, '--duration', '5000', '--times', '5'];
    const args = ['--region', 'eu-west-1', ...rate, '--seconds', '5'];
    const { runs } = await measured<{ runs: RateLimitTrial[] }>('ratelimit', ...args);
    expect(runs.map(({ kind }) => kind)).toEqual(['shared', 'exact']);
    for (const run of runs) {
      expect(run).toMatchObject({ tasks: 2, limit, held: true, isExchangeAssumed: false });
      expect(run.asked).toBeGreaterThan(2_000);
      expect(run.admitted).toBeGreaterThanOrEqual(100);
      // Only while there are answers is the bound less than what tasks let through that count alone.
      expect(run.failedExchanges).toBeLessThan(5);
    }
  },
);

test.skipIf(!hasValkey)(
  `a region goes on without its shared counters, and gets them back ${NEEDS_VALKEY}`,
  async () => {
    expect(regionOf('eu-west-1').valkey).toMatchObject({ port: place.basePort + 161 });
    const killed = await place.run('local', 'kill', 'eu-west-1', '--only', 'valkey');
    expect(killed).toMatchObject({ code: 0, stderr: '' });
    expect(await valkeyOf('eu-west-1')).toMatchObject({ pid: null, ready: false });
    for (const { url } of regionOf('eu-west-1').tasks)
      expect((await fetch(`${url}/readyz`)).status).toBe(200);
    expect((await place.run('local', 'start', 'eu-west-1')).code).toBe(0);
    expect(await valkeyOf('eu-west-1')).toMatchObject({ ready: true });
  },
);
