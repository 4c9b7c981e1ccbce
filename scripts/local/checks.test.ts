import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { expect, test } from 'vitest';
import topology from '../../test/topology-fixture.ts';
import { freePort } from '../lib/ports.ts';
import { parseLag } from './commands.ts';
import { checkDisk, neededMb } from './disk-check.ts';
import { planPlatform, type UpOptions } from './plan.ts';
import { checkPorts, takenSentence } from './port-check.ts';

const options: UpOptions = { zones: [], basePort: 8700, tasks: 1, reset: false, json: false };

test('a taken port is named with its use and its owner', async () => {
  const port = await freePort();
  await checkPorts(new Map([[port, 'the service of eu-west-1']]));
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  const check = checkPorts(new Map([[port, 'the service of eu-west-1']]));
  await expect(check).rejects.toThrow(`Port ${port}, needed for the service of eu-west-1, is taken by`);
  await new Promise((resolve) => server.close(resolve));
});

test('an owner that the system hides is not made up', () => {
  expect(takenSentence(8750, 'the database of eu-west-1', undefined)).toBe(
    'Port 8750, needed for the database of eu-west-1, is in use (by what could not be found out): free it, or choose other ports with --port.',
  );
  expect(takenSentence(8750, 'x', { pid: 7, command: 'node a.js' })).toContain(
    'process 7 (node a.js): end that process',
  );
});

test('a disk without room is refused before anything starts', () => {
  expect(neededMb(5, 0)).toBe(500);
  expect(neededMb(0, 5)).toBe(100);
  expect(() => checkDisk(tmpdir(), 1_000_000, 0)).toThrow(/The disk under .* is too full: \d+ MB are free/);
});

test('zones are chosen, and keep their ports', () => {
  const all = planPlatform(topology, options);
  const one = planPlatform(topology, { ...options, zones: ['eu'] });
  expect(one.zones.map(({ name }) => name)).toEqual(['eu']);
  expect(one.ports.zones).toEqual(all.ports.zones.filter(({ zone }) => zone === 'eu'));
  expect(() => planPlatform(topology, { ...options, zones: ['mars'] })).toThrow(
    'There is no zone mars in regions.config.ts; there are global, eu.',
  );
});

test('a lag is a whole number of milliseconds', () => {
  expect(parseLag('250')).toBe(250);
  for (const wrong of ['', '-1', '1.5', '1e3', '0x10', ' 5', 'much', '700000'])
    expect(() => parseLag(wrong)).toThrow('The lag must be');
});
