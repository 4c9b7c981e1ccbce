import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { follow, makeStandby, promote, waitForCatchUp } from '../scripts/local/postgres/replication.ts';
import { createKey, startTestZone, type TestRegion, type TestZone } from '../test/zone.ts';

/** One story, told in order: home is lost, the replicas carry on, another region takes over, the old home comes back. */
let zone: TestZone;
let hot: { keyId: string; key: string };
let cold: { keyId: string; key: string };
let lostCreation: { keyId: string; key: string };

const REPLICAS = ['eu-west-1', 'ap-southeast-1'] as const;

beforeAll(async () => {
  zone = await startTestZone();
  hot = await createKey(zone, 'us-east-1');
  cold = await createKey(zone, 'us-east-1');
  for (const region of REPLICAS) await untilValid(region, hot.key);
  // From here on eu-west-1 receives nothing: what is committed now exists at home and in ap-southeast-1 only.
  const eu = zone.nodes['eu-west-1'];
  await waitForCatchUp(eu, zone.nodes['us-east-1'], 5000);
  await eu.kill();
  lostCreation = await createKey(zone, 'us-east-1');
  await untilValid('ap-southeast-1', lostCreation.key);
  await zone.nodes['us-east-1'].kill();
  await eu.start();
}, 90_000);

afterAll(async () => await zone.stop());

async function untilValid(region: TestRegion, key: string): Promise<void> {
  await vi.waitFor(
    async () => {
      if ((await zone.task(region).verify(key)).body.data?.['valid'] !== true) throw new Error('not yet');
    },
    { timeout: 15_000 },
  );
}

test('without home, every region verifies hot and cold keys; the one that was home reads what it misses elsewhere', async () => {
  for (const region of ['us-east-1', ...REPLICAS] as const) {
    for (const { key } of [hot, cold]) {
      const answer = async () => (await zone.task(region).verify(key)).body.data;
      await expect.poll(answer).toMatchObject({ valid: true, code: 'VALID' });
    }
  }
});

test('writes answer 503 with Retry-After, in every region', async () => {
  for (const region of ['us-east-1', ...REPLICAS] as const) {
    const answer = await zone.task(region).call('keys.deleteKey', { keyId: hot.keyId });
    expect(answer.status).toBe(503);
    expect(answer.headers.get('retry-after')).not.toBeNull();
  }
});

test('tasks that are replaced meanwhile become ready and verify', async () => {
  const before = zone.tasks.filter(({ region }) => region !== 'us-east-1');
  await Promise.all(before.map(async (task) => await task.stop()));
  for (const region of REPLICAS) {
    const task = await zone.startTask(region);
    expect((await task.get('/readyz')).status).toBe(200);
    expect((await task.verify(cold.key)).body.data).toMatchObject({ valid: true });
  }
});

test('readiness stays while the database of a region is gone, too', async () => {
  const ap = zone.task('ap-southeast-1');
  expect((await ap.verify(lostCreation.key)).body.data).toMatchObject({ valid: true });
  await zone.nodes['ap-southeast-1'].kill();
  await expect
    .poll(async () => (await ap.get('/metrics')).text())
    .toMatch(/feed_polls_failed_total\{[^}]*\} [1-9]/);
  expect((await ap.get('/readyz')).status).toBe(200);
  expect((await ap.verify(hot.key)).body.data).toMatchObject({ valid: true });
  await zone.nodes['ap-southeast-1'].start();
});

test('after promotion writes work, through every region', async () => {
  await promote(zone.nodes['eu-west-1']);
  await makeStandby(zone.nodes['eu-west-1'], zone.nodes['ap-southeast-1']);
  const created = async (region: (typeof REPLICAS)[number]) =>
    (await zone.task(region).call('keys.createKey', { apiId: zone.apiId })).status;
  await expect.poll(async () => await created('eu-west-1'), { timeout: 15_000 }).toBe(200);
  await expect.poll(async () => await created('ap-southeast-1'), { timeout: 15_000 }).toBe(200);
});

test('a task that held what the failover lost trusts it no longer', async () => {
  const ap = zone.task('ap-southeast-1');
  await expect
    .poll(async () => (await ap.verify(lostCreation.key)).body.data, { timeout: 10_000 })
    .toEqual({ valid: false, code: 'NOT_FOUND' });
  expect((await ap.verify(hot.key)).body.data).toMatchObject({ valid: true });
});

test('the old home, started again as it was, can’t write and passes writes on to the new one', async () => {
  const old = zone.nodes['us-east-1'];
  await old.start();
  const task = zone.task('us-east-1');
  // Its database would take the write: only the epoch of its peers tells the task that the time is over.
  await old.asAdmin(async (client) => {
    const { rows } = await client.query<{ standby: boolean }>('select pg_is_in_recovery() as standby');
    expect(rows).toEqual([{ standby: false }]);
  });
  const create = async () => await task.call('keys.createKey', { apiId: zone.apiId });
  await expect.poll(async () => (await create()).status, { timeout: 15_000 }).toBe(200);
  const { body } = await create();
  const eu = zone.task('eu-west-1');
  expect((await eu.verify(String(body.data?.['key']))).body.data).toMatchObject({ valid: true });
  const state = await task.get('/metrics');
  expect(await state.text()).toMatch(/keyhearth_home\{[^}]*\} 0/);
});

test('rebuilt as a standby, the old home serves again, and knows what happened meanwhile', async () => {
  await makeStandby(zone.nodes['eu-west-1'], zone.nodes['us-east-1']);
  const { key, keyId } = await createKey(zone, 'eu-west-1');
  const us = zone.task('us-east-1');
  await expect
    .poll(async () => (await us.verify(key)).body.data, { timeout: 10_000 })
    .toMatchObject({ valid: true });
  await zone.task('us-east-1').call('keys.deleteKey', { keyId });
  for (const task of zone.tasks) {
    await expect
      .poll(async () => (await task.verify(key)).body.data)
      .toEqual({ valid: false, code: 'NOT_FOUND' });
  }
});

test('a planned move back loses nothing', async () => {
  const { key } = await createKey(zone, 'eu-west-1');
  const [us, eu, ap] = [zone.nodes['us-east-1'], zone.nodes['eu-west-1'], zone.nodes['ap-southeast-1']];
  await eu.stop('fast');
  await promote(us);
  follow(ap, us);
  follow(eu, us);
  await eu.start();
  const create = async () =>
    (await zone.task('us-east-1').call('keys.createKey', { apiId: zone.apiId })).status;
  await expect.poll(create, { timeout: 15_000 }).toBe(200);
  for (const task of zone.tasks) {
    await expect.poll(async () => (await task.verify(key)).body.data).toMatchObject({ valid: true });
  }
});
