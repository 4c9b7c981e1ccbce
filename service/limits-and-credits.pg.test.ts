import { hash } from 'node:crypto';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { createKey, startTestZone, type TestZone } from '../test/zone.ts';

vi.setConfig({ testTimeout: 30_000, hookTimeout: 60_000 });

const REGIONS = ['us-east-1', 'eu-west-1'] as const;

let zone: TestZone;

beforeAll(async () => {
  zone = await startTestZone();
});

afterAll(async () => await zone.stop());

/** Waits until the region knows of the key and says that so many credits are left. */
async function untilLeft(region: (typeof REGIONS)[number], key: string, credits: number): Promise<void> {
  const look = async () => await zone.task(region).call('keys.verifyKey', { key, credits: { cost: 0 } });
  await expect.poll(async () => (await look()).body.data).toMatchObject({ code: 'VALID', credits });
}

test('a key’s credits are spent once, whichever regions take them, and a filled account is taken from again', async () => {
  const { keyId, key } = await createKey(zone, 'us-east-1', { credits: { remaining: 10 } });
  for (const region of REGIONS) await untilLeft(region, key, 10);
  const answers = await Promise.all(
    Array.from({ length: 24 }, async (_, n) => await zone.task(REGIONS[n % 2] ?? 'us-east-1').verify(key)),
  );
  const codes = answers.map(({ body }) => body.data?.['code']);
  expect(codes.filter((code) => code === 'VALID')).toHaveLength(10);
  expect(codes.filter((code) => code === 'USAGE_EXCEEDED')).toHaveLength(14);
  await zone.task('eu-west-1').call('keys.updateCredits', { keyId, operation: 'increment', value: 2 });
  for (const region of REGIONS) await untilLeft(region, key, 2);
  const spend = async (region: (typeof REGIONS)[number]) => (await zone.task(region).verify(key)).body.data;
  expect(await spend('eu-west-1')).toMatchObject({ code: 'VALID', credits: 1 });
  expect(await spend('us-east-1')).toMatchObject({ code: 'VALID', credits: 0 });
  expect(await spend('eu-west-1')).toMatchObject({ code: 'USAGE_EXCEEDED', credits: 0 });
});

test('a namespace that a replica is the first to name is made at home, and serves the same call', async () => {
  const body = { namespace: 'emails', identifier: 'user_1', limit: 5, duration: 60_000 };
  const [first, second] = await Promise.all(
    [1, 2].map(async () => await zone.task('eu-west-1').call('ratelimit.limit', body)),
  );
  expect([first?.status, second?.status]).toEqual([200, 200]);
  expect(new Set([first, second].map((answer) => answer?.body.data?.['remaining']))).toEqual(new Set([3, 4]));
  const override = { namespace: 'emails', identifier: 'user_*', limit: 100, duration: 60_000 };
  const set = await zone.task('eu-west-1').call('ratelimit.setOverride', override);
  expect(set.status).toBe(200);
  const { overrideId } = set.body.data ?? {};
  for (const region of REGIONS) {
    await expect
      .poll(async () => (await zone.task(region).call('ratelimit.limit', { ...body, cost: 0 })).body.data)
      .toMatchObject({ limit: 100, overrideId });
  }
});

test('an imported key verifies in each region by the text that only its owner has', async () => {
  const text = 'acme_live_0123456789abcdef';
  const migrated = await zone.task('eu-west-1').call('keys.migrateKeys', {
    migrationId: 'acme',
    apiId: zone.apiId,
    keys: [{ hash: hash('sha256', text, 'hex'), name: 'imported' }],
  });
  expect(migrated.body).toMatchObject({ data: { failed: [] } });
  for (const region of REGIONS) {
    await expect
      .poll(async () => (await zone.task(region).verify(text)).body.data)
      .toMatchObject({ valid: true, name: 'imported' });
  }
});
