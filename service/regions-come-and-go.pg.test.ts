import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { makeStandby, pauseReplay, promote, resumeReplay } from '../scripts/local/postgres/replication.ts';
import { startRegionRouter, type RegionRouter } from '../test/region-router.ts';
import { createKey, startTestZone, type TestRegion, type TestZone } from '../test/zone.ts';

/**
 * One story, told in order. No task is told of any other region: each has the origin, and a template for URLs. Regions join, leave
 * and take over, and no task that runs is started again for it.
 */
let zone: TestZone;
let router: RegionRouter;

const [US, EU, AP] = ['us-east-1', 'eu-west-1', 'ap-southeast-1'] as const;
const PATIENT = { timeout: 20_000, interval: 50 };

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
}, 90_000);

afterAll(async () => {
  await zone.stop();
  await router.stop();
});

type States = Readonly<Record<string, { readonly state: string }>>;

/** What `revisions.wait` says of each region, asked through `region`. */
async function statesOf(region: TestRegion, revision: string | null, timeoutMs = 5000): Promise<States> {
  const { body } = await zone.task(region).call('revisions.wait', { revision, timeoutMs });
  return (body.data?.['regions'] ?? {}) as States;
}

/** Creates a key and deletes it through a region; returns its text and the deletion's answer. */
async function revoke(region: TestRegion) {
  const { key, keyId } = await createKey(zone, region);
  const { status, headers } = await zone.task(region).call('keys.deleteKey', { keyId });
  expect(status).toBe(200);
  return {
    key,
    confirmation: headers.get('keyhearth-revocation'),
    revision: headers.get('keyhearth-revision'),
  };
}

const APPLIED = { state: 'applied' };
const UNKNOWN = { state: 'unknown' };

/** As if the region's tasks had stopped so long ago that home counts the region no longer. */
async function leftLongAgo(region: TestRegion, home: TestRegion): Promise<void> {
  await zone.nodes[home].asAdmin(
    async (client) => {
      await client.query(
        `update task_status set stopped_at = now() - interval '26 hours' where region = $1 and stopped_at is not null`,
        [region],
      );
    },
    new URL(zone.urlOf(home)).pathname.slice(1),
  );
}

test('the origin alone is a zone of one region', async () => {
  // For some seconds, a home that has only just begun believes nothing to be applied everywhere.
  await expect.poll(async () => (await revoke(US)).confirmation, PATIENT).toBe('confirmed');
  const { revision } = await revoke(US);
  expect(await statesOf(US, revision)).toEqual({ [US]: expect.objectContaining(APPLIED) });
});

test('a second region joins: home counts it from before it serves, and passes nothing off as done without it', async () => {
  await zone.startTask(EU);
  const { key, confirmation, revision } = await revoke(US);
  expect(confirmation).toBe('confirmed');
  const both = { [US]: expect.objectContaining(APPLIED), [EU]: expect.objectContaining(APPLIED) };
  expect(await statesOf(US, revision)).toEqual(both);
  expect((await zone.task(EU).verify(key)).body.data).toMatchObject({ valid: false });
});

test('writes are passed on through it', async () => {
  const { confirmation, revision } = await revoke(EU);
  expect(confirmation).toBe('confirmed');
  expect(Object.keys(await statesOf(EU, revision)).toSorted()).toEqual([EU, US]);
});

test('while it does not apply, nothing is confirmed', async () => {
  await pauseReplay(zone.nodes[EU]);
  const { confirmation, revision } = await revoke(US);
  expect(confirmation).toBe('unconfirmed');
  expect(await statesOf(US, revision, 300)).toMatchObject({ [EU]: { state: 'pending' } });
  await resumeReplay(zone.nodes[EU]);
  expect(await statesOf(US, revision)).toMatchObject({ [EU]: APPLIED });
});

test('a region whose reader is behind what was called applied without it joins, but does not serve until it has caught up', async () => {
  await pauseReplay(zone.nodes[AP]);
  const { key, revision } = await revoke(US);
  expect(Object.keys(await statesOf(US, revision)).toSorted()).toEqual([EU, US]);
  let served = false;
  const starting = zone.startTask(AP).then((task) => {
    served = true;
    return task;
  });
  await vi.waitFor(async () => {
    expect(await statesOf(US, revision, 0)).toMatchObject({ [AP]: { state: 'pending' } });
  }, PATIENT);
  // Longer than a task of a region that home counts would be held up.
  await delay(6000);
  expect(served).toBe(false);
  await resumeReplay(zone.nodes[AP]);
  const task = await starting;
  expect((await task.verify(key)).body.data).toMatchObject({ valid: false });
  expect(await statesOf(EU, revision)).toMatchObject({ [US]: APPLIED, [EU]: APPLIED, [AP]: APPLIED });
});

test('a region whose tasks stop in order is unknown, and some time later none of the zone’s any more, also for those who wait', async () => {
  await pauseReplay(zone.nodes[AP]);
  const { revision } = await revoke(EU);
  const waiting = statesOf(US, revision, 20_000);
  await zone.task(AP).stop();
  expect(await statesOf(US, revision, 0)).toMatchObject({ [AP]: UNKNOWN });
  // The others go on as before.
  expect((await revoke(US)).confirmation).toBe('confirmed');
  await leftLongAgo(AP, US);
  const two = { [US]: expect.objectContaining(APPLIED), [EU]: expect.objectContaining(APPLIED) };
  expect(await waiting).toEqual(two);
  await resumeReplay(zone.nodes[AP]);
});

test('a region that was promoted takes writes, also through the one that was home', async () => {
  await zone.nodes[US].kill();
  await promote(zone.nodes[EU]);
  const create = async (region: TestRegion) =>
    (await zone.task(region).call('apis.createApi', { name: 'after' })).status;
  await expect.poll(async () => await create(EU), PATIENT).toBe(200);
  await expect.poll(async () => await create(US), PATIENT).toBe(200);
  const { revision } = await revoke(EU);
  const states = await statesOf(EU, revision, 6000);
  expect(states).toMatchObject({ [EU]: APPLIED });
  // Its reader is lost, and its task serves: it isn't left out.
  expect(states[US]?.state).not.toBe('applied');
  expect(states[US]).toBeDefined();
});

test('the old home, back with data that never knew its successor’s region, hears of it before it takes itself for home', async () => {
  const old = zone.nodes[US];
  await zone.task(US).stop();
  await old.start();
  const name = new URL(zone.urlOf(US)).pathname.slice(1);
  const count = async () =>
    await old.asAdmin(async (client) => {
      const { rows } = await client.query('select count(*)::int as rows from audit_log');
      return (rows[0] as { rows: number }).rows;
    }, name);
  await old.asAdmin(async (client) => {
    await client.query(`delete from task_status where region <> '${US}'`);
  }, name);
  const before = await count();
  const task = await zone.startTask(US);
  const create = async () => (await task.call('apis.createApi', { name: 'through the old home' })).status;
  await expect.poll(create, PATIENT).toBe(200);
  expect(await count()).toBe(before);
});

test('rebuilt as a standby, it is a region like the others again', async () => {
  await zone.task(US).stop();
  await makeStandby(zone.nodes[EU], zone.nodes[US]);
  await zone.startTask(US);
  const { confirmation, revision } = await revoke(US);
  expect(confirmation).toBe('confirmed');
  expect(Object.keys(await statesOf(US, revision)).toSorted()).toEqual([EU, US]);
});

test('a region that nobody heard of does not serve while home is away; promoted, it is found by the others and serves', async () => {
  await makeStandby(zone.nodes[EU], zone.nodes[AP]);
  await zone.nodes[EU].kill();
  let served = false;
  const starting = zone.startTask(AP).then(() => (served = true));
  await delay(7000);
  expect(served).toBe(false);
  await promote(zone.nodes[AP]);
  await starting;
  await makeStandby(zone.nodes[AP], zone.nodes[US]);
  const create = async () =>
    (await zone.task(US).call('apis.createApi', { name: 'through a former home' })).status;
  await expect.poll(create, PATIENT).toBe(200);
  expect(await (await zone.task(AP).get('/metrics')).text()).toMatch(/keyhearth_home\{[^}]*\} 1/);
  const { revision } = await revoke(AP);
  const states = await statesOf(US, revision, 6000);
  expect(states).toMatchObject({ [US]: APPLIED, [AP]: APPLIED });
  expect(states[EU]?.state).toMatch(/unknown|pending/);
});
