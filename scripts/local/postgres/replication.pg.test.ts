import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { freePort } from '../../lib/ports.ts';
import { ZoneDatabases } from '../zone-databases.ts';
import { findPostgres } from './binaries.ts';
import { makeDataRoot } from './data-root.ts';
import { PostgresNode } from './node.ts';
import { newPasswords } from './passwords.ts';
import { hasDiverged, replicationState, waitForCatchUp } from './replication.ts';

const regions = ['home-1', 'replica-1', 'replica-2'] as const;
type Region = (typeof regions)[number];

const notices: string[] = [];
let dir: string;
let databases: ZoneDatabases;

beforeAll(async () => {
  dir = makeDataRoot(mkdtempSync(join(tmpdir(), 'keyhearth-replication-'))).path;
  const [binaries, passwords] = [findPostgres(dir), newPasswords()];
  const nodes = new Map<string, PostgresNode>();
  for (const name of regions) {
    const [port, logFile] = [await freePort(), join(dir, `${name}.log`)];
    nodes.set(name, new PostgresNode({ name, port, binaries, passwords, logFile, dataDir: join(dir, name) }));
  }
  const onNotice = (sentence: string): number => notices.push(sentence);
  databases = new ZoneDatabases({ zone: 'test', origin: 'home-1', nodes, dataDir: dir, onNotice });
  await databases.startHome();
  await databases.startStandbys();
  await home().asAdmin((client) => client.query('create table written (value int)'));
});

afterAll(async () => {
  await Promise.all(regions.map((region) => databases.node(region).stop('immediate')));
  rmSync(dir, { recursive: true, force: true });
});

function home(): PostgresNode {
  return databases.node(databases.home);
}

async function write(value: number, at = home()): Promise<void> {
  await at.asAdmin((client) => client.query('insert into written values ($1)', [value]));
}

async function shows(region: Region, value: number): Promise<boolean> {
  return databases.node(region).asAdmin(async (client) => {
    const { rowCount } = await client.query('select from written where value = $1', [value]);
    return rowCount === 1;
  });
}

async function expectEverywhere(value: number): Promise<void> {
  for (const region of regions) {
    if (region !== databases.home) await waitForCatchUp(databases.node(region), home(), 5_000);
    expect(await shows(region, value), `${region} shows ${value}`).toBe(true);
  }
}

test('what is written at home arrives at both standbys', async () => {
  await write(1);
  await expectEverywhere(1);
});

test('a database without the password is closed, and its files are nobody else’s', async () => {
  const node = databases.node('home-1');
  expect(statSync(node.dataDir).mode & 0o077).toBe(0);
  const { Client } = await import('pg');
  const stranger = new Client({
    host: '127.0.0.1',
    port: node.port,
    user: 'postgres',
    password: 'wrong',
    database: 'postgres',
  });
  await expect(stranger.connect()).rejects.toThrow(/password authentication failed/);
});

test('a paused standby shows nothing new until it is resumed', async () => {
  await databases.pause('replica-1');
  await write(2);
  await waitForCatchUp(databases.node('replica-2'), home(), 5_000);
  expect(await shows('replica-1', 2)).toBe(false);
  expect((await replicationState(databases.node('replica-1'))).replayPaused).toBe(true);
  await databases.resume('replica-1');
  await expectEverywhere(2);
});

test('a lag holds each commit back by so much', async () => {
  await databases.setLag('replica-1', 400);
  const writtenAt = performance.now();
  await write(3);
  await waitForCatchUp(databases.node('replica-1'), home(), 5_000);
  expect(performance.now() - writtenAt).toBeGreaterThan(390);
  await databases.setLag('replica-1', 0);
  await expectEverywhere(3);
});

test('a switchover loses nothing, even with the candidate paused and late', async () => {
  await databases.setLag('replica-1', 60_000);
  await databases.pause('replica-1');
  await write(4);
  expect(await databases.promote('replica-1')).toBe('switchover');
  expect(databases.home).toBe('replica-1');
  await write(5);
  await expectEverywhere(4);
  await expectEverywhere(5);
  expect((await replicationState(databases.node('home-1'))).role).toBe('standby');
});

test('after a failover the others follow; one that had received more is made anew, as is the old home', async () => {
  // replica-2 gets a write that home-1, which is promoted then, never saw.
  await databases.node('home-1').stop('fast');
  await write(6);
  await waitForCatchUp(databases.node('replica-2'), home(), 5_000);
  await home().kill();
  await databases.node('home-1').start();
  expect(await databases.promote('home-1')).toBe('failover');
  expect(notices.at(-1)).toContain("replica-2 can't follow home-1");
  await write(7);
  expect(await databases.start('replica-1')).toBe(true);
  expect(notices.at(-1)).toContain('replica-1 was the home');
  await expectEverywhere(7);
  expect(await shows('replica-2', 6)).toBe(false);
  expect(await hasDiverged(databases.node('replica-2'), home())).toBe(false);
});

test('all of it survives being killed and started again', async () => {
  await write(8);
  await Promise.all(regions.map((region) => databases.node(region).kill()));
  await databases.startHome();
  await databases.startStandbys();
  expect(databases.home).toBe('home-1');
  await write(9);
  await expectEverywhere(8);
  await expectEverywhere(9);
});

test('a promotion of the home, or of a database that is down, is a mistake', async () => {
  await expect(databases.promote('home-1')).rejects.toThrow('home-1 is the home of zone test already.');
  await databases.node('replica-1').stop('fast');
  await expect(databases.promote('replica-1')).rejects.toThrow("The database of replica-1 doesn't run");
  await databases.start('replica-1');
});
