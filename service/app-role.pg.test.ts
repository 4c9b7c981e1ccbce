import { randomBytes } from 'node:crypto';
import { Writable } from 'node:stream';
import type pg from 'pg';
import { pino } from 'pino';
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from 'vitest';
import { freePort } from '../scripts/lib/ports.ts';
import { type MasteredDatabase, MasteredServer, runEntry, withClient } from '../test/prepared-database.ts';
import { startTestPostgres, type TestPostgres } from '../test/postgres.ts';
import { readEnv } from './env.ts';
import { readLatestEpoch } from './home/epochs.ts';
import { Pruner } from './home/pruner.ts';
import { databaseOf } from './store/database.ts';
import { createPool } from './store/pool.ts';
import { Task } from './task.ts';

/** The whole service, home and replica, as the role that the migrator made: nothing that it does may need more rights. */
const HOME = 'us-east-1';
const REPLICA = 'eu-west-1';
let postgres: TestPostgres;
let database: MasteredDatabase;
let rootKey: string;
const urls: Record<string, string> = {};
const tasks: Task[] = [];
const logged: string[] = [];

async function startTask(region: string, port: number, peer: string): Promise<void> {
  const reader = region === HOME ? database.appUrl : replicaUrl();
  const env = readEnv({
    KEYHEARTH_ZONE: 'global',
    KEYHEARTH_REGION: region,
    KEYHEARTH_HOST: '127.0.0.1',
    KEYHEARTH_PORT: String(port),
    KEYHEARTH_WRITER_URL: reader,
    KEYHEARTH_READER_URLS: reader,
    KEYHEARTH_PEERS: peer,
    KEYHEARTH_PEER_SECRET: 's'.repeat(32),
    KEYHEARTH_POLL_MS: '20',
    KEYHEARTH_HEARTBEAT_MS: '200',
  });
  const lines = new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      logged.push(chunk.toString());
      done();
    },
  });
  const task = new Task(env, pino({ level: 'debug' }, lines));
  tasks.push(task);
  await task.start();
}

let standbyPort = 0;
function replicaUrl(): string {
  return database.appUrl.replace(/:\d+\//, `:${standbyPort}/`);
}

/** What the entry printed. */
async function succeed(entry: string, settings: Readonly<Record<string, string>>): Promise<string> {
  const { status, stdout, stderr } = await runEntry(entry, settings);
  if (status !== 0 || stderr !== '') throw new Error(`${entry}: ${stderr}`);
  return stdout;
}

beforeAll(async () => {
  postgres = await startTestPostgres();
  database = await (await MasteredServer.on(postgres)).createDatabase();
  await succeed('prepare', database.settings);
  standbyPort = (await postgres.addStandby('replica')).port;
  const made = await succeed('bootstrap', {
    KEYHEARTH_WRITER_URL: database.appUrl,
    KEYHEARTH_ZONE: 'global',
    KEYHEARTH_REGION: HOME,
  });
  // The entry's own output.
  ({ rootKey } = JSON.parse(made) as { rootKey: string });
  const [home, replica] = [await freePort(), await freePort()];
  urls[HOME] = `http://127.0.0.1:${home}`;
  urls[REPLICA] = `http://127.0.0.1:${replica}`;
  await startTask(HOME, home, `${REPLICA}=${urls[REPLICA]}`);
  await startTask(REPLICA, replica, `${HOME}=${urls[HOME]}`);
});
afterAll(async () => {
  await Promise.all(tasks.map(async (task) => await task.stop()));
  await postgres.stop();
});

async function call(region: string, verb: string, body: object, headers: Record<string, string> = {}) {
  const response = await fetch(`${urls[region]}/v2/${verb}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${rootKey}`, 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  });
  const content = (await response.json()) as { data: Record<string, string> };
  expect({ verb, status: response.status, content }).toMatchObject({ status: 200 });
  return { data: content.data, headers: response.headers };
}

test.each([HOME, REPLICA])(
  'in %s: every call of the management API and verification work',
  async (region) => {
    const { data: api } = await call(region, 'apis.createApi', { name: 'app role' });
    await call(region, 'apis.getApi', { apiId: api['apiId'] });
    const idempotency = { 'idempotency-key': randomBytes(8).toString('hex') };
    const input = { apiId: api['apiId'], externalId: `customer-${region}`, meta: { a: 1 } };
    const { data: made } = await call(region, 'keys.createKey', input, idempotency);
    expect((await call(region, 'keys.createKey', input, idempotency)).data).toEqual(made);
    const keyId = made['keyId'];
    await vi.waitFor(async () => {
      const { data } = await call(region, 'keys.verifyKey', { key: made['key'] });
      expect(data).toMatchObject({ valid: true });
    });
    await call(region, 'keys.getKey', { keyId });
    await call(region, 'keys.whoami', { key: made['key'] });
    await call(region, 'keys.updateKey', { keyId, name: 'renamed', enabled: true });
    const { headers } = await call(region, 'keys.deleteKey', { keyId });
    const revision = headers.get('keyhearth-revision');
    const { data: waited } = await call(region, 'revisions.wait', { revision, timeoutMs: 5000 });
    expect(JSON.stringify(waited)).not.toContain('pending');
    const { data } = await call(region, 'keys.verifyKey', { key: made['key'] });
    expect(data).toMatchObject({ valid: false });
    const { data: second } = await call(region, 'keys.createKey', { apiId: api['apiId'] });
    await call(region, 'keys.deleteKey', { keyId: second['keyId'], permanent: true });
  },
);

test('heartbeats, reports and looks for home were refused nothing', async () => {
  await withClient(database.appUrl, async (client) => {
    const { rows } = await client.query(
      `select (select count(*)::integer from task_status) as tasks, (select count(*)::integer from heartbeat) as beats`,
    );
    expect(rows).toEqual([{ tasks: 2, beats: 1 }]);
  });
  expect(logged.join('')).toContain('"msg":"ready"');
  expect(logged.filter((line) => /42501|permission denied/.test(line))).toEqual([]);
});

test('tasks.ts lists and forgets as the app', async () => {
  const settings = { KEYHEARTH_WRITER_URL: database.appUrl };
  const listed = await runEntry('tasks', settings, 'list');
  expect(listed).toMatchObject({ status: 0, stderr: '' });
  const taskId = 'eu-west-1/gone';
  await withClient(database.appUrl, async (client: pg.Client) => {
    await client.query(
      `insert into task_status (task_id, region, epoch, epoch_id, watermark, applied_xids, staleness_ms, reported_at)
       select $1, 'eu-west-1', counter, id, started_xid, '{}', 0, now() - interval '1 hour' from epochs`,
      [taskId],
    );
  });
  expect(await runEntry('tasks', settings, 'forget', taskId)).toMatchObject({ status: 0, stderr: '' });
});

test('the feed trial runs as the app', async () => {
  const { status, stderr } = await runEntry(
    'feed-trial',
    { KEYHEARTH_WRITER_URL: database.appUrl, KEYHEARTH_READER_URLS: `one=${replicaUrl()}` },
    '--seconds',
    '1',
  );
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
});

test('rows of every kind can be pruned as the app', async () => {
  const pool = createPool({ url: database.appUrl, applicationName: 'test', onIdleError: () => {} });
  onTestFinished(async () => await pool.end());
  const own = databaseOf(pool);
  const epoch = (await readLatestEpoch(own))?.epoch ?? null;
  const pruner = new Pruner({
    database: own,
    epoch: () => epoch,
    log: pino({ level: 'silent' }),
    changesMs: 0,
    idempotencyMs: 0,
    stoppedTasksMs: 0,
  });
  await pruner.prune();
  expect(pruner.counters).toMatchObject({
    changes: expect.toSatisfy((count: number) => count > 0),
    failures: 0,
  });
});
