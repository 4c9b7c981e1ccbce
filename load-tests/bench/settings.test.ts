import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

import { expect, test } from 'vitest';

import { parseSettings, UsageError } from './settings.ts';

function run(...args: readonly string[]): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(process.execPath, [join(import.meta.dirname, 'main.ts'), ...args], {
    encoding: 'utf8',
    env: { ...process.env, KEYHEARTH_DIR: '/nonexistent/keyhearth' },
  });
}

test('settings have defaults, and only whole numbers above 0 are taken', () => {
  expect(parseSettings(['--region', 'eu-west-1', '--rounds', '2'])).toEqual({
    zone: undefined,
    region: 'eu-west-1',
    roundS: 4,
    rounds: 2,
    keys: 100,
    isJson: false,
  });
  for (const wrong of ['0', '-1', '1e3', 'x', ''])
    expect(() => parseSettings([`--keys=${wrong}`])).toThrow(UsageError);
});

test('help is there without a platform', () => {
  const { status, stdout } = run('--help');
  expect(status).toBe(0);
  for (const name of ['--zone', '--region', '--seconds', '--rounds', '--keys', '--json'])
    expect(stdout).toContain(name);
});

test('a wrong option is one sentence and exits with 2', () => {
  expect(run('--bogus')).toMatchObject({ status: 2, stdout: '' });
  expect(run('--bogus').stderr).toBe("Unknown option '--bogus'; --help shows what there is.\n");
  expect(run('--rounds', '0').stderr).toBe('--rounds must be a whole number above 0, not "0".\n');
});

test('without a platform it says so, as JSON too where that was asked for', () => {
  const { status, stdout, stderr } = run('--json');
  expect(status).toBe(1);
  expect(stderr).toBe("The platform isn't running: start it with `npm start`.\n");
  expect(JSON.parse(stdout)).toEqual({ error: stderr.trim() });
});
