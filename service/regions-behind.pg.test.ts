import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { pauseReplay, resumeReplay } from '../scripts/local/postgres/replication.ts';
import { startRegionRouter, type RegionRouter } from '../test/region-router.ts';
import { createKey, startTestZone, type TestTask, type TestZone } from '../test/zone.ts';

/**
 * One story, told in order, in a zone whose regions are found in its data: of tasks that start on a reader which is behind home, and of
 * what home says of a revocation meanwhile. Where a key is still valid anywhere, it must not be called applied everywhere.
 */
let zone: TestZone;
let router: RegionRouter;

const [US, EU] = ['us-east-1', 'eu-west-1'] as const;
const PATIENT = { timeout: 20_000, interval: 50 };
const APPLIED = expect.objectContaining({ state: 'applied' });
const UNKNOWN = expect.objectContaining({ state: 'unknown' });
const NOWHERE = 'http://{region}.zone.test:9';

beforeAll(async () => {
  router = await startRegionRouter((region) =>
    zone === undefined ? [] : zone.tasks.filter((task) => task.region === region).map((task) => task.url),
  );
  zone = await startTestZone(
    {
      KEYHEARTH_ORIGIN: US,
      KEYHEARTH_PEERS: '',
      KEYHEARTH_PEER_URL: router.urlTemplate,
      KEYHEARTH_ZONE_URLS: 'global=https://keys.example.com',
    },
    [US],
  );
  await zone.startTask(EU);
}, 90_000);

afterAll(async () => {
  await zone.stop();
  await router.stop();
});

/** Deletes a key, a new one where none is given. */
async function revoke(through: TestTask, keyId?: string) {
  const { headers, status } = await through.call('keys.deleteKey', {
    keyId: keyId ?? (await createKey(zone, through.region)).keyId,
  });
  expect(status).toBe(200);
  return {
    confirmation: headers.get('keyhearth-revocation'),
    revision: headers.get('keyhearth-revision'),
  };
}

async function statesOf(task: TestTask, revision: string | null, timeoutMs = 300) {
  return (await task.call('revisions.wait', { revision, timeoutMs })).body.data?.['regions'];
}

/** A key that the region's reader shows; from then on, it shows nothing new. */
async function keyBeforePause() {
  const made = await createKey(zone, US);
  await expect
    .poll(async () => (await zone.task(EU).verify(made.key)).body.data, PATIENT)
    .toMatchObject({ valid: true });
  await pauseReplay(zone.nodes[EU]);
  return made;
}

/** Ready or not, it is asked. */
function startSlowly(settings: Record<string, string> = {}) {
  const state: { task: TestTask | null } = { task: null };
  const started = zone.startTask(EU, settings).then((task) => (state.task = task));
  return { state, started };
}

test('a task without a way to home serves where its region was left only after what its reader shows, and home counts that region', async () => {
  await expect.poll(async () => (await revoke(zone.task(US))).confirmation, PATIENT).toBe('confirmed');
  const { key, keyId } = await keyBeforePause();
  await zone.task(EU).stop();
  const task = await zone.startTask(EU, { KEYHEARTH_PEER_URL: NOWHERE });
  const { confirmation, revision } = await revoke(zone.task(US), keyId);
  expect((await task.verify(key)).body.data).toMatchObject({ valid: true });
  expect(confirmation).toBe('unconfirmed');
  expect(await statesOf(zone.task(US), revision)).toEqual({ [US]: APPLIED, [EU]: UNKNOWN });
  await task.stop();
  await resumeReplay(zone.nodes[EU]);
  await zone.startTask(EU);
});

test('a task that reaches home does not serve before it shows what was called applied since its region was left', async () => {
  const { key, keyId } = await keyBeforePause();
  await zone.task(EU).stop();
  // As if that were long ago, so that home counts the region no longer.
  await zone.nodes[US].asAdmin(
    async (client) => {
      await client.query(`delete from task_status where region = '${EU}'`);
    },
    new URL(zone.urlOf(US)).pathname.slice(1),
  );
  const { revision } = await revoke(zone.task(US), keyId);
  expect(await statesOf(zone.task(US), revision)).toEqual({ [US]: APPLIED });
  const { state, started } = startSlowly();
  // Longer than a task waits for a home that doesn't answer.
  await delay(8000);
  expect(state.task).toBeNull();
  expect(await statesOf(zone.task(US), revision)).toMatchObject({ [EU]: { state: 'pending' } });
  await resumeReplay(zone.nodes[EU]);
  const task = await started;
  expect((await task.verify(key)).body.data).toMatchObject({ valid: false });
  expect(await statesOf(zone.task(US), revision, 5000)).toEqual({ [US]: APPLIED, [EU]: APPLIED });
});

test('a write transaction that takes long holds nobody up who shows all that was committed', async () => {
  const name = new URL(zone.urlOf(US)).pathname.slice(1);
  await zone.nodes[US].asAdmin(async (client) => {
    await client.query('begin');
    await client.query('select pg_current_xact_id()');
    const { state, started } = startSlowly();
    await expect.poll(() => state.task, PATIENT).not.toBeNull();
    await client.query('rollback');
    await (await started).stop();
  }, name);
});

test('a task that comes home beside one that is there calls nothing applied for some seconds: not all may have told it yet', async () => {
  const first = zone.task(US);
  expect((await revoke(first)).confirmation).toBe('confirmed');
  const second = await zone.startTask(US);
  const metrics = await (await second.get('/metrics')).text();
  expect(metrics).toMatch(/keyhearth_home\{[^}]*\} 1\n/);
  expect(metrics).toMatch(/keyhearth_other_regions\{[^}]*\} 1\n/);
  expect(metrics).toMatch(/keyhearth_home_listening\{[^}]*\} 0\n/);
  const { confirmation, revision } = await revoke(second);
  expect(confirmation).toBe('unconfirmed');
  expect(await statesOf(second, revision)).toEqual({ [US]: UNKNOWN, [EU]: UNKNOWN });
  await expect.poll(async () => (await revoke(second)).confirmation, PATIENT).toBe('confirmed');
});

test('with home away, a task of a region that home counts becomes ready', async () => {
  await Promise.all(zone.tasks.filter((task) => task.region === US).map(async (task) => await task.stop()));
  await zone.nodes[US].kill();
  const task = await zone.startTask(EU);
  expect((await task.get('/readyz')).status).toBe(200);
});
