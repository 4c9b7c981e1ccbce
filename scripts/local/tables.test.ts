import { expect, test } from 'vitest';
import type { LocalFile } from './local-file.ts';
import { overview, sampleCall, statusTable } from './tables.ts';
import type { RegionStatus } from './zone-platform.ts';

const local: LocalFile = {
  zones: {
    eu: {
      url: 'http://127.0.0.1:8910',
      rootKey: 'kh_root_example',
      workspaceId: 'ws_1',
      apiId: 'api_1',
      sampleKey: 'sample_example',
      clients: { london: 'http://127.0.0.1:8913' },
      regions: {
        'eu-west-3': {
          url: 'http://127.0.0.1:8931',
          role: 'home',
          pid: 17,
          tasks: [{ url: 'http://127.0.0.1:8931', pid: 17 }],
          postgres: { port: 8951, pid: null },
          valkey: { port: 9061, pid: 19 },
        },
        'ap-southeast-1': {
          url: 'http://127.0.0.1:8932',
          role: 'replica',
          pid: 4194301,
          tasks: [
            { url: 'http://127.0.0.1:8970', pid: 4194301 },
            { url: 'http://127.0.0.1:8971', pid: null },
          ],
          postgres: { port: 8952, pid: null },
          valkey: null,
        },
      },
    },
  },
};

const status: RegionStatus = {
  zone: 'eu',
  region: 'eu-west-3',
  url: 'http://127.0.0.1:8931',
  role: 'replica',
  tasks: [
    { url: 'http://127.0.0.1:8970', pid: 17, ready: true },
    { url: 'http://127.0.0.1:8971', pid: null, ready: false },
  ],
  postgres: {
    port: 8951,
    pid: 18,
    role: 'standby',
    streaming: true,
    replayPaused: true,
    applyDelayMs: 300,
    lagMs: 12,
  },
  valkey: { port: 9061, pid: 19, ready: true },
};

test('the overview shows URLs, keys and processes, and what is down', () => {
  const text = overview(local);
  for (const shown of [
    'http://127.0.0.1:8913',
    'kh_root_example',
    'sample_example',
    'api_1',
    'postgres 8951, down',
    'valkey   9061',
  ]) {
    expect(text).toContain(shown);
  }
});

test('where a region has several tasks, each has its URL and its process, and the reader is told what the region’s URL is', () => {
  const text = overview(local);
  expect(text).toMatch(/8932 │ any of 2 /);
  expect(text).toMatch(/8970 │ 0: pid 4194301 /);
  expect(text).toMatch(/8971 │ 1: down /);
  expect(text).toMatch(/8931 │ pid 17 /);
  expect(text).toContain('leads to any of its tasks');
  const states = statusTable([status]);
  expect(states).toMatch(/1 of 2 ready .*8931/);
  expect(states).toMatch(/0: ready \(pid 17\) .*8970/);
  expect(states).toMatch(/1: down .*8971/);
  expect(states).toContain('leads to any of its tasks');
  const [first] = status.tasks;
  if (first === undefined) throw new Error('a region without tasks');
  expect(statusTable([{ ...status, tasks: [first] }])).not.toContain('any of its tasks');
});

test('the curl can be pasted', () => {
  expect(sampleCall(local)).toBe(
    [
      `curl -s http://127.0.0.1:8913/v2/keys.verifyKey`,
      `  -H 'Authorization: Bearer kh_root_example'`,
      `  -H 'Content-Type: application/json'`,
      `  -d '{"key":"sample_example"}'`,
    ].join(' \\\n'),
  );
});

test('the status tells of tasks, the database, its replication and Valkey', () => {
  const text = statusTable([status]);
  for (const shown of [
    'ready (pid 17)',
    'down',
    'standby (pid 18, port 8951)',
    'streaming, paused, delayed by 300 ms, lag 12 ms',
    'ready (pid 19, port 9061)',
  ]) {
    expect(text).toContain(shown);
  }
});

test('a database that is down says so', () => {
  const postgres = { ...status.postgres, pid: null, role: null };
  expect(statusTable([{ ...status, tasks: [], postgres }])).toMatch(/down +│ down/);
});

test('Valkey that is down, busy or not there says so', () => {
  const valkey = { port: 9061, pid: 19, ready: false };
  expect(statusTable([{ ...status, valkey }])).toContain('not ready (pid 19, port 9061)');
  expect(statusTable([{ ...status, valkey: { ...valkey, pid: null } }])).toMatch(/lag 12 ms │ down/);
  expect(statusTable([{ ...status, valkey: null }])).toMatch(/lag 12 ms │ none/);
});

test('what is not known of the replication is not shown as 0', () => {
  const postgres = {
    ...status.postgres,
    streaming: false,
    replayPaused: false,
    applyDelayMs: 0,
    lagMs: null,
  };
  expect(statusTable([{ ...status, postgres }])).toContain('not streaming, lag –');
});

test('a dead home comes with the way to replace it', () => {
  const postgres = { ...status.postgres, pid: null, role: null };
  const home: RegionStatus = { ...status, region: 'eu-central-1', role: 'home', postgres };
  const text = statusTable([home, status]);
  expect(text).toContain('`npx keyhearth local promote eu-west-3` makes eu-west-3 the home');
  expect(text).toContain('`npx keyhearth local start eu-central-1`');
  expect(statusTable([home, status, { ...status, zone: 'other' }])).toContain('promote eu-west-3 --zone eu`');
  expect(statusTable([status])).not.toContain('promote');
});

test('the overview fits a terminal of 100 columns', () => {
  const wide = overview(local)
    .split('\n')
    .filter((line) => line.length > 100);
  expect(wide).toEqual([]);
});
