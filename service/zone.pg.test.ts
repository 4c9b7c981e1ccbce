import { afterAll, beforeAll, expect, test } from 'vitest';
import { createKey, startTestZone, type TestZone } from '../test/zone.ts';

let zone: TestZone;

beforeAll(async () => {
  zone = await startTestZone();
}, 60_000);

afterAll(async () => await zone.stop());

test('a key created in any region is verified in all of them as soon as its creation is answered there', async () => {
  for (const { region } of zone.tasks) {
    const { key } = await createKey(zone, region, { name: `made in ${region}`, meta: { plan: 'pro' } });
    expect((await zone.task(region).verify(key)).body.data).toMatchObject({ valid: true, code: 'VALID' });
    for (const task of zone.tasks) {
      await expect
        .poll(async () => (await task.verify(key)).body.data)
        .toMatchObject({ valid: true, meta: { plan: 'pro' } });
    }
  }
});

test('a deleted key is dead everywhere, and revisions.wait says so', async () => {
  const { key, keyId } = await createKey(zone, 'eu-west-1');
  for (const task of zone.tasks)
    await expect.poll(async () => (await task.verify(key)).body.data).toMatchObject({ valid: true });
  const deleted = await zone.task('ap-southeast-1').call('keys.deleteKey', { keyId });
  expect(deleted.status).toBe(200);
  expect(deleted.headers.get('keyhearth-revocation')).toBe('confirmed');
  const revision = deleted.headers.get('keyhearth-revision');
  const waited = await zone.task('eu-west-1').call('revisions.wait', { revision, timeoutMs: 5000 });
  expect(waited.body.data).toMatchObject({
    regions: {
      'us-east-1': { state: 'applied' },
      'eu-west-1': { state: 'applied' },
      'ap-southeast-1': { state: 'applied' },
    },
  });
  for (const task of zone.tasks) {
    expect((await task.verify(key)).body.data).toEqual({ valid: false, code: 'NOT_FOUND' });
  }
});
