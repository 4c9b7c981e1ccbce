import { afterEach, expect, test } from 'vitest';
import { startRegionRouter } from '../../test/region-router.ts';
import { NotSent } from './transport.ts';
import { createTransports, type PeerPlaces, type Transports } from './transports.ts';

const REQUEST = { path: '/internal/state', headers: {}, body: '{}', timeoutMs: 5000 };
const cleanups: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

/** No region has a task: whoever is reached there answers with 503, and is counted. */
async function makeTransports(places: Partial<PeerPlaces> = {}) {
  const router = await startRegionRouter(() => []);
  cleanups.push(() => router.stop());
  const transports = createTransports({ urls: new Map(), urlTemplate: router.urlTemplate, ...places });
  cleanups.push(() => transports.close());
  return { transports, router };
}

async function statusOf(transports: Transports, region: string): Promise<number | undefined> {
  return (await transports.of(region)?.send(REQUEST))?.status;
}

test('a region is reached by its own URL where it has one, and by the template otherwise', async () => {
  const elsewhere = await startRegionRouter(() => []);
  cleanups.push(() => elsewhere.stop());
  const named = elsewhere.urlTemplate.replace('{region}', 'named');
  const { transports, router } = await makeTransports({ urls: new Map([['us-east-1', named]]) });
  expect(await statusOf(transports, 'us-east-1')).toBe(503);
  expect(await statusOf(transports, 'eu-west-1')).toBe(503);
  expect(Object.fromEntries(router.calls)).toEqual({ 'eu-west-1': 1 });
  expect(Object.fromEntries(elsewhere.calls)).toEqual({ named: 1 });
});

test('without a template, a region that is not named can’t be reached', async () => {
  const { transports } = await makeTransports({ urlTemplate: '' });
  expect(transports.of('eu-west-1')).toBeUndefined();
});

test.each(['', 'evil.example/', 'a@b', 'EU-WEST-1', '..', '{region}', 'x'.repeat(33)])(
  '%j is no region, and no URL is made from it',
  async (region) => {
    const { transports } = await makeTransports();
    expect(transports.of(region)).toBeUndefined();
  },
);

test('regions that nobody needs any more are let go, and others take their places', async () => {
  const { transports } = await makeTransports();
  const [first] = Array.from({ length: 32 }, (_, at) => transports.of(`aa-test-${at}`));
  const underWay = first?.send(REQUEST);
  expect(transports.of('eu-west-1')).toBeUndefined();
  transports.retain(['aa-test-1', 'aa-test-2']);
  expect((await underWay)?.status).toBe(503);
  await expect(first?.send(REQUEST)).rejects.toThrow(NotSent);
  expect(await statusOf(transports, 'aa-test-1')).toBe(503);
  expect(await statusOf(transports, 'eu-west-1')).toBe(503);
  // One that comes back is connected to anew.
  expect(await statusOf(transports, 'aa-test-0')).toBe(503);
});
