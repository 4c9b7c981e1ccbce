import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import {
  COMMAND,
  makePlatformPlace,
  type PlatformPlace,
  type RunningPlatform,
  startPlatform,
  waitUntilGone,
} from '../../test/platform.ts';
import { endProcesses, identify, isRunning, type ProcessIdentity } from '../lib/processes.ts';
import { waitFor } from '../lib/wait.ts';
import { callApi } from './credentials.ts';
import type { LocalFile, LocalZone } from './local-file.ts';
import type { RegionStatus } from './zone-platform.ts';

let place: PlatformPlace;
let running: RunningPlatform[] = [];

beforeAll(async () => {
  place = await makePlatformPlace();
});

afterEach(async () => {
  await Promise.all(running.map((platform) => platform.stop()));
  running = [];
});

afterAll(() => {
  place.remove();
});

async function start(...args: readonly string[]): Promise<RunningPlatform> {
  const platform = await startPlatform(place, ...args);
  running.push(platform);
  return platform;
}

function zoneNamed(local: LocalFile, name: string): LocalZone {
  const zone = local.zones[name];
  if (zone === undefined) throw new Error(`there is no zone ${name}`);
  return zone;
}

async function verdictIn(zone: LocalZone, region: string, key = zone.sampleKey): Promise<unknown> {
  const url = zone.regions[region]?.url ?? '';
  const { data } = await callApi(url, zone.rootKey, 'keys.verifyKey', { key });
  return data;
}

test('every zone and region comes up, says so in local.json, and stops on Ctrl-C', async () => {
  const { local, tookMs, stop } = await start();
  expect(tookMs).toBeLessThan(60_000);
  expect(Object.keys(local.zones)).toEqual(['global', 'eu']);
  for (const zone of Object.values(local.zones)) {
    for (const region of Object.keys(zone.regions)) {
      expect(await verdictIn(zone, region)).toMatchObject({ valid: true, code: 'VALID' });
    }
    for (const client of Object.values(zone.clients)) {
      const { data } = await callApi(client, zone.rootKey, 'keys.verifyKey', { key: zone.sampleKey });
      expect(data).toMatchObject({ valid: true });
    }
  }
  const file = join(place.dir, 'local.json');
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual(local);

  const second = await place.run('local', 'up', '--port', String(place.basePort));
  expect(second.code).toBe(1);
  expect(second.stderr).toMatch(/^The platform runs already \(process \d+\): .*\n$/);

  const processes = place.processes();
  expect(await stop()).toBe(0);
  await waitUntilGone(processes, 1_000);
  expect(existsSync(file)).toBe(false);
});

test('data and keys survive a restart, and --reset throws them away', async () => {
  const first = await start('--zone', 'eu');
  const before = zoneNamed(first.local, 'eu');
  const vaultKey = join(place.dir, 'vault-key.json');
  expect(statSync(vaultKey).mode & 0o777).toBe(0o600);
  const keys = readFileSync(vaultKey, 'utf8');
  await first.stop();
  const second = await start('--zone', 'eu');
  const after = zoneNamed(second.local, 'eu');
  expect(after.rootKey).toBe(before.rootKey);
  expect(after.sampleKey).toBe(before.sampleKey);
  expect(await verdictIn(after, 'eu-west-3')).toMatchObject({ valid: true });
  await second.stop();
  // Zones share it, and one of them is reset: the others' texts are still to be read.
  const third = await start('--zone', 'eu', '--reset');
  expect(readFileSync(vaultKey, 'utf8')).toBe(keys);
  const anew = zoneNamed(third.local, 'eu');
  expect(anew.workspaceId).not.toBe(before.workspaceId);
  expect(await verdictIn(anew, 'eu-west-3', before.sampleKey)).toMatchObject({ code: 'NOT_FOUND' });
});

test('after kill -9 of the parent nothing goes on running, and the next start works', async () => {
  const { parent } = await start('--zone', 'eu');
  const processes = place.processes();
  expect(processes.length).toBeGreaterThanOrEqual(4);
  parent.kill('SIGKILL');
  await once(parent, 'exit');
  await waitUntilGone(processes, 10_000);
  // Its local.json is still there.
  const { code, stderr } = await place.run('measure', 'revocation', '--count', '1');
  expect([code, stderr]).toEqual([1, "The platform isn't running: start it with `npm start`.\n"]);
  const { local } = await start('--zone', 'eu');
  expect(await verdictIn(zoneNamed(local, 'eu'), 'eu-central-1')).toMatchObject({ valid: true });
});

test('what even the guard could not end is cleared by the next start', async () => {
  const { parent } = await start('--zone', 'eu');
  const left = place.processes();
  // A run.json as it is left when parent and guard are killed together.
  const run = readFileSync(join(place.dir, 'run.json'), 'utf8');
  // From here on it can only be killed, which stop() does in time whatever happens below.
  parent.kill('SIGSTOP');
  const forged = run.replace(/"startTime": "[^"]*"/, '"startTime": "an earlier process"');
  writeFileSync(join(place.dir, 'run.json'), forged);
  const { local } = await start('--zone', 'eu', '--port', String(place.otherBasePort));
  await waitUntilGone(left, 1_000);
  expect(Object.keys(local.zones)).toEqual(['eu']);
  parent.kill('SIGKILL');
});

test('Ctrl-C in the middle of a start ends with 130 and leaves nothing running', async () => {
  const args = [COMMAND, 'local', 'up', '--zone', 'eu', '--reset', '--port', String(place.basePort)];
  for (const hasDatabase of [false, true]) {
    const parent = spawn(process.execPath, args, { env: place.env, stdio: 'ignore' });
    const exited = once(parent, 'exit');
    const seen = (): readonly ProcessIdentity[] => place.processes().filter(isRunning);
    const isMidway = (): boolean => place.parent() === parent.pid && (!hasDatabase || seen().length > 0);
    await waitFor(isMidway, { what: 'the start to be under way', timeoutMs: 30_000 });
    parent.kill('SIGINT');
    expect(await exited).toEqual([130, null]);
    await waitFor(() => seen().length === 0, { what: 'everything to end', timeoutMs: 10_000 });
  }
});

test('a platform that npm started lives without the shell, and not without npm', async () => {
  const args = `--zone eu --port ${place.basePort}`;
  const npm = join(place.dir, 'npm');
  // Stands in for npm: known by its name, starts the script as npm does, and ends at once when it is killed.
  writeFileSync(
    npm,
    `require('node:child_process').spawn('sh', ['-c', 'exec "${process.execPath}" "${COMMAND}" local up ${args}'], { stdio: 'inherit' });\n`,
  );
  const env = { ...place.env, npm_lifecycle_event: 'start' };
  const shell = spawn('sh', ['-c', `"${process.execPath}" "${npm}" start & echo $!; wait`], {
    env,
    stdio: ['ignore', 'pipe', 'ignore'],
    detached: true,
  });
  const [line] = (await once(shell.stdout, 'data')) as [Buffer];
  const npmPid = Number(line.toString());
  try {
    await waitFor(() => existsSync(join(place.dir, 'local.json')), { what: 'it to run', timeoutMs: 60_000 });
    const processes = place.processes();
    shell.kill('SIGKILL');
    // Longer than the interval at which it looks whether npm is still there.
    await delay(1_500);
    expect(processes.every(isRunning)).toBe(true);
    process.kill(npmPid, 'SIGKILL');
    await waitUntilGone(processes, 15_000);
  } finally {
    for (const pid of [npmPid, place.parent()]) await endProcesses(found(pid), 'SIGKILL', 5_000);
  }
});

function found(pid: number | undefined): readonly ProcessIdentity[] {
  const identity = pid === undefined ? undefined : identify(pid);
  return identity === undefined ? [] : [identity];
}

test('a taken port is named, with what it is for and who has it', async () => {
  const server = createServer();
  const port = place.basePort + 10;
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  try {
    const { code, stderr } = await place.run('local', 'up', '--port', String(place.basePort));
    expect(code).toBe(1);
    expect(stderr).toContain(`Port ${port}, needed for the accelerator of zone global, is taken by`);
    expect(stderr.trim().split('\n')).toHaveLength(1);
  } finally {
    await new Promise((resolve) => server.close(resolve));
  }
});

test('several tasks share a region, without a server for shared counters too, and one of them is enough', async () => {
  // Where macOS has programs that are needed, nobody installs one.
  const env = { ...place.env, PATH: process.platform === 'linux' ? place.dir : '/usr/bin:/bin' };
  const platform = await startPlatform({ ...place, env }, '--zone', 'eu', '--tasks', '2');
  running.push(platform);
  const { local, parent } = platform;
  expect(platform.notices()).toContain(
    'rate limits count in each task alone: no valkey-server or redis-server',
  );
  const zone = zoneNamed(local, 'eu');
  expect(zone.regions['eu-west-3']?.valkey).toBeNull();
  const first = zone.regions['eu-west-3']?.pid;
  if (first === null || first === undefined) throw new Error('no task runs in eu-west-3');
  process.kill(first, 'SIGKILL');
  // A connection that was under way to it is lost with it; the next one goes to the other.
  await expect
    .poll(async () => await verdictIn(zone, 'eu-west-3').catch(() => null))
    .toMatchObject({ valid: true });
  // Without a terminal a hang-up is none of its business, as with nohup.
  parent.kill('SIGHUP');
  await waitFor(async () => (await place.run('local', 'status')).code === 0, {
    what: 'the platform to answer',
    timeoutMs: 5_000,
  });
  expect(parent.exitCode).toBeNull();
  // Told to kill one, it leaves the other alone, and that one down.
  const tasks = async (): Promise<unknown> => {
    const { stdout } = await place.run('local', 'status', '--json');
    const { regions } = JSON.parse(stdout) as { regions: RegionStatus[] };
    return regions.find(({ region }) => region === 'eu-west-3')?.tasks;
  };
  const [one, other] = zone.regions['eu-west-3']?.tasks ?? [];
  expect((await place.run('local', 'kill', 'eu-west-3', '--task', '1')).stdout).toContain(
    'Task 1 of eu-west-3',
  );
  await expect.poll(tasks, { timeout: 20_000 }).toMatchObject([
    { url: one?.url, ready: true },
    { url: other?.url, pid: null, ready: false },
  ]);
  const { code, stderr } = await place.run('local', 'kill', 'eu-west-3', '--task', '2');
  expect([code, stderr]).toEqual([1, 'There is no task 2 in eu-west-3: it has 2 tasks, 0 to 1.\n']);
  expect((await place.run('local', 'start', 'eu-west-3')).code).toBe(0);
  expect(await tasks()).toMatchObject([{ ready: true }, { ready: true }]);
});
