import { expect, test } from 'vitest';

import { cpuTimeS, parseProcStat, parsePsTime } from './cpu-time.ts';

test('user and system time are read although the name has spaces and brackets', () => {
  const text = '42 (no) de (x)) S 1 42 42 0 -1 4194560 9 0 0 0 1250 250 0 0 20 0 11 0 100 0 0 0';
  expect(parseProcStat(text)).toBe(15);
});

test('the time that ps prints is read with and without hours', () => {
  expect(parsePsTime('  0:07.25\n')).toBe(7.25);
  expect(parsePsTime('1:02:03')).toBe(3723);
});

test('the time of a running process grows', async () => {
  const before = await cpuTimeS(process.pid);
  const endMs = performance.now() + 10_000;
  while ((await cpuTimeS(process.pid)) <= before && performance.now() < endMs) {
    // Reading it is what uses the time.
  }
  expect(await cpuTimeS(process.pid)).toBeGreaterThan(before);
});
