import { expect, test } from 'vitest';
import { isNpm } from './npm-watch.ts';

test('npm is known by its command line, and no shell or other program is', () => {
  for (const npm of [
    'npm start',
    'npm',
    'npm exec keyhearth local up',
    '/usr/bin/node /usr/lib/node_modules/npm/bin/npm-cli.js start',
    'node /usr/local/bin/npm start',
  ]) {
    expect([npm, isNpm(npm)]).toEqual([npm, true]);
  }
  for (const other of [
    'bash',
    'sh -c npm start',
    '/bin/bash -c npm start && x',
    'timeout 60 npm start',
    'node a.js npm',
  ])
    expect([other, isNpm(other)]).toEqual([other, false]);
});
