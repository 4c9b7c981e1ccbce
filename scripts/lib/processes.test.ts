import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { BoundedLog } from './bounded-log.ts';
import { readJson, writeJson } from './json-file.ts';
import { commandOf, descendantsOf, endProcesses, identify, isRunning } from './processes.ts';

test('a process is known by pid and start time, and only that one is ended', async () => {
  const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' });
  const identity = identify(child.pid ?? 0);
  if (identity === undefined) throw new Error('the child does not run');
  expect(isRunning(identity)).toBe(true);
  expect(descendantsOf(process.pid).map(({ pid }) => pid)).toContain(identity.pid);
  expect(commandOf(identity.pid)).toContain('setInterval');

  const impostor = { ...identity, startTime: 'another process had this pid' };
  expect(isRunning(impostor)).toBe(false);
  await endProcesses([impostor], 'SIGKILL', 100);
  expect(isRunning(identity)).toBe(true);

  const exited = once(child, 'exit');
  await endProcesses([identity], 'SIGTERM', 5_000);
  await exited;
  expect(identify(identity.pid)).toBeUndefined();
});

test('one that ignores the request is killed', async () => {
  const program = 'process.on("SIGTERM", () => {}); process.stdout.write("."); setInterval(() => {}, 1000)';
  const child = spawn(process.execPath, ['-e', program], { stdio: ['ignore', 'pipe', 'ignore'] });
  await once(child.stdout, 'data');
  const identity = identify(child.pid ?? 0);
  if (identity === undefined) throw new Error('the child does not run');
  const exited = once(child, 'exit');
  await endProcesses([identity], 'SIGTERM', 50);
  expect(await exited).toEqual([null, 'SIGKILL']);
});

test('a log is bounded, with the part before it kept', () => {
  const dir = mkdtempSync(join(tmpdir(), 'keyhearth-log-'));
  const path = join(dir, 'logs', 'a.log');
  const log = new BoundedLog(path, 10);
  for (const line of ['first\n', 'second\n', 'third\n']) log.write(line);
  log.close();
  expect(readFileSync(path, 'utf8')).toBe('third\n');
  expect(readFileSync(`${path}.1`, 'utf8')).toBe('second\n');
  rmSync(dir, { recursive: true });
});

test('a JSON file is closed to others, and absent is undefined', () => {
  const dir = mkdtempSync(join(tmpdir(), 'keyhearth-json-'));
  const path = join(dir, 'a', 'b.json');
  expect(readJson(path)).toBeUndefined();
  writeJson(path, { one: 1 });
  expect(readJson(path)).toEqual({ one: 1 });
  expect(statSync(path).mode & 0o777).toBe(0o600);
  rmSync(dir, { recursive: true });
});
