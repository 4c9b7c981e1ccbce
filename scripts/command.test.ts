import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { FIXTURE_OPTIONS } from '../test/fixture-options.ts';

const entry = join(import.meta.dirname, 'keyhearth.mjs');

function run(...args: readonly string[]): { status: number | null; stdout: string; stderr: string } {
  const env = { ...process.env, NODE_OPTIONS: FIXTURE_OPTIONS, KEYHEARTH_DIR: '/nonexistent/keyhearth' };
  return spawnSync(process.execPath, [entry, ...args], { encoding: 'utf8', env });
}

test('help is there for every level', () => {
  const { status, stdout } = spawnSync(process.execPath, [entry, 'local', '--help'], { encoding: 'utf8' });
  expect(status).toBe(0);
  for (const name of [
    'up',
    'status',
    'kill',
    'start',
    'pause-replication',
    'resume-replication',
    'lag',
    'promote',
  ]) {
    expect(stdout).toContain(name);
  }
  expect(run('local', 'up', '--help').stdout).toContain('--reset');
  expect(run('local', 'up', '--help').stdout).toContain('KEYHEARTH_DIR');
  expect(run('local', 'kill', '--help').stdout).toContain('--task');
  expect(run('measure', 'revocation', '--help').stdout).toContain('--count');
  expect(run('measure', 'ratelimit', '--help').stdout).toContain('--times');
  expect(run('measure', 'credits', '--help').stdout).toContain('--kill');
  expect(run('doctor', 'feed', '--help').stdout).toContain('--seconds');
});

test('a wrong command line exits with 2', () => {
  for (const args of [
    ['local', 'kill'],
    ['local', 'up', '--bogus'],
    ['local', 'up', '--port', 'x'],
    ['local', 'up', '--port', '1e3'],
    ['measure', 'revocation', '--count', '0'],
    ['measure', 'ratelimit', '--limit', '0'],
    ['measure', 'credits', '--keys', 'many'],
    ['doctor', 'feed', '--seconds', '0'],
    ['locla'],
    ['local', 'kill', 'a', '--only', 'x'],
    ['local', 'kill', 'a', '--task', 'first'],
    ['local', 'kill', 'a', '--task', '1', '--only', 'database'],
  ]) {
    const { status, stderr } = run(...args);
    expect([args, status]).toEqual([args, 2]);
    expect(stderr).toMatch(/^error: /);
  }
});

test('a mistake is one sentence and exits with 1', () => {
  const { status, stdout, stderr } = run('local', 'status');
  expect([status, stdout]).toEqual([1, '']);
  expect(stderr).toBe("The platform isn't running: start it with `npm start`.\n");
  expect(run('local', 'up', '--zone', 'mars').stderr).toBe(
    'There is no zone mars in regions.config.ts; there are global, eu.\n',
  );
});

test('with --json a mistake is one JSON object on stdout, too', () => {
  for (const args of [
    ['measure', 'revocation'],
    ['measure', 'ratelimit'],
    ['measure', 'credits'],
    ['doctor', 'feed'],
    ['local', 'status'],
  ]) {
    const { status, stdout, stderr } = run(...args, '--json');
    expect(status).toBe(1);
    expect(JSON.parse(stdout)).toEqual({ error: stderr.trim() });
    expect(stderr).toMatch(/^The platform isn't running/);
  }
});

test('the version is the one of the package', () => {
  const { version } = JSON.parse(readFileSync(join(import.meta.dirname, '..', 'package.json'), 'utf8')) as {
    version: string;
  };
  expect(run('--version')).toMatchObject({ status: 0, stdout: `${version}\n` });
});

test('output that goes nowhere is no success: a full disk is named, a reader who has gone isn’t told', () => {
  const shell = (text: string): { status: number | null; stderr: string } =>
    spawnSync('bash', ['-c', text, process.execPath, entry], { encoding: 'utf8' });
  const full = shell('"$0" "$1" --help > /dev/full');
  expect([full.status, full.stderr]).toEqual([1, 'The disk is full: make room and start again.\n']);
  const gone = shell('"$0" "$1" --help | true; exit "${PIPESTATUS[0]}"');
  expect([gone.status, gone.stderr]).toEqual([141, '']);
});

test('a region command says what happens without a terminal, and its exit codes', () => {
  for (const name of ['add', 'remove']) {
    const { stdout } = run('region', name, '--help');
    expect(stdout).toContain('Without a terminal');
    expect(stdout).toContain('Exit codes: 0');
  }
});
