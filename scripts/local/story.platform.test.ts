import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import {
  makePlatformPlace,
  type PlatformPlace,
  type RunningPlatform,
  startPlatform,
} from '../../test/platform.ts';
import topology from '../../test/topology-fixture.ts';
import { rttMatrix } from '../../topology/latency.ts';
import { environmentOf, regionsOf, zoneOf as configuredZone } from '../../topology/read.ts';
import type { LocalZone } from './local-file.ts';

/**
 * What the whole platform promises, on the platform: both zones, every region, every client location, and what happens when parts
 * of it are lost. Told in order.
 */
let place: PlatformPlace;
let running: RunningPlatform;

const REPLICAS = ['eu-west-1', 'ap-southeast-1'] as const;
const MAX_STALENESS_MS = 3000;

beforeAll(async () => {
  place = await makePlatformPlace({ KEYHEARTH_MAX_STALENESS_MS: String(MAX_STALENESS_MS) });
  running = await startPlatform(place);
});

afterAll(async () => {
  await running.stop();
  place.remove();
});

interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly data: Record<string, unknown>;
  readonly detail: string;
}

function zoneOf(name: string): LocalZone {
  const zone = running.local.zones[name];
  if (zone === undefined) throw new Error(`zone ${name} does not run`);
  return zone;
}

function urlOf(region: string): string {
  for (const zone of Object.values(running.local.zones)) {
    const found = zone.regions[region];
    if (found !== undefined) return found.url;
  }
  throw new Error(`region ${region} does not run`);
}

async function call(zone: LocalZone, url: string, route: string, body: object): Promise<Answer> {
  const answer = await fetch(`${url}/v2/${route}`, {
    method: 'POST',
    // A connection of its own for each call, as a client that comes now and then has.
    headers: {
      authorization: `Bearer ${zone.rootKey}`,
      'content-type': 'application/json',
      connection: 'close',
    },
    body: JSON.stringify(body),
  });
  // The envelope of the API; what is missing shows as empty.
  const { data = {}, error } = (await answer.json()) as {
    data?: Record<string, unknown>;
    error?: { detail: string };
  };
  return { status: answer.status, headers: answer.headers, data, detail: error?.detail ?? '' };
}

async function verify(zone: LocalZone, url: string, key: string): Promise<Answer> {
  return await call(zone, url, 'keys.verifyKey', { key });
}

async function createKey(zone: LocalZone, url: string): Promise<{ keyId: string; key: string }> {
  const { status, data, detail } = await call(zone, url, 'keys.createKey', { apiId: zone.apiId });
  if (status !== 200) throw new Error(`keys.createKey answered ${status}: ${detail}`);
  return { keyId: String(data['keyId']), key: String(data['key']) };
}

async function untilValid(zone: LocalZone, url: string, key: string): Promise<void> {
  await vi.waitFor(async () => expect((await verify(zone, url, key)).data).toMatchObject({ valid: true }), {
    timeout: 15_000,
    interval: 50,
  });
}

async function command(...args: readonly string[]): Promise<void> {
  const { code, stderr } = await place.run('local', ...args);
  expect(stderr).toBe('');
  expect(code).toBe(0);
}

test('the sample key of each zone is verified in every region and from every client location, no faster than the way there', async () => {
  for (const [name, zone] of Object.entries(running.local.zones)) {
    const matrix: Record<string, Record<string, number>> = rttMatrix(
      regionsOf(configuredZone(environmentOf(topology), name)),
    );
    for (const region of Object.values(zone.regions)) await untilValid(zone, region.url, zone.sampleKey);
    const locations = Object.entries(zone.clients);
    expect(locations.length).toBeGreaterThanOrEqual(8);
    for (const [location, url] of locations) {
      const beganAtMs = performance.now();
      expect((await verify(zone, url, zone.sampleKey)).data).toMatchObject({ valid: true });
      const nearestMs = Math.min(...Object.values(matrix[location] ?? {}));
      expect(nearestMs).toBeGreaterThan(0);
      // One round trip to connect, one for the request.
      expect(performance.now() - beganAtMs).toBeGreaterThanOrEqual(nearestMs * 2 - 1);
    }
  }
});

test('a key made in one region is verified in all, and dead in all once it is deleted', async () => {
  for (const zone of Object.values(running.local.zones)) {
    const regions = Object.values(zone.regions);
    for (const { url } of regions) {
      const { key, keyId } = await createKey(zone, url);
      for (const other of regions) await untilValid(zone, other.url, key);
      const deleted = await call(zone, zone.url, 'keys.deleteKey', { keyId });
      expect(deleted.headers.get('keyhearth-revocation')).toBe('confirmed');
      const revision = deleted.headers.get('keyhearth-revision');
      const waited = await call(zone, url, 'revisions.wait', { revision, timeoutMs: 5000 });
      const states = Object.values(waited.data['regions'] ?? {}).map(
        (progress: { state: string }) => progress.state,
      );
      expect(states).toEqual(regions.map(() => 'applied'));
      for (const other of regions) {
        expect((await verify(zone, other.url, key)).data).toEqual({ valid: false, code: 'NOT_FOUND' });
      }
    }
  }
});

test('a key or root key of the other zone is sent there', async () => {
  const [global, eu] = [zoneOf('global'), zoneOf('eu')];
  const key = await verify(global, global.url, eu.sampleKey);
  expect(key.status).toBe(421);
  expect(key.headers.get('keyhearth-zone-url')).toBe(eu.url);
  const rootKey = await verify(eu, global.url, global.sampleKey);
  expect(rootKey.status).toBe(421);
  expect(rootKey.detail).toContain(eu.url);
});

test('while replication is paused the region says how stale it is, and goes on', async () => {
  const zone = zoneOf('eu');
  const url = urlOf('eu-west-3');
  await command('pause-replication', 'eu-west-3');
  const staleness = async (): Promise<number> =>
    Number((await verify(zone, url, zone.sampleKey)).headers.get('keyhearth-staleness-ms'));
  await expect.poll(staleness, { timeout: 10_000 }).toBeGreaterThan(MAX_STALENESS_MS);
  expect((await verify(zone, url, zone.sampleKey)).data).toMatchObject({ valid: true });
  const { key, keyId } = await createKey(zone, urlOf('eu-central-1'));
  const deleted = await call(zone, urlOf('eu-central-1'), 'keys.deleteKey', { keyId });
  expect(deleted.status).toBe(200);
  expect(deleted.headers.get('keyhearth-revocation')).toBe('unconfirmed');
  await command('resume-replication', 'eu-west-3');
  await expect.poll(staleness, { timeout: 10_000 }).toBe(0);
  expect((await verify(zone, url, key)).data).toEqual({ valid: false, code: 'NOT_FOUND' });
});

test('with one region killed every client location is still answered', async () => {
  const zone = zoneOf('global');
  await command('kill', 'ap-southeast-1');
  for (const [location, url] of Object.entries(zone.clients)) {
    const answered = async (): Promise<unknown> =>
      await verify(zone, url, zone.sampleKey).then(
        ({ data }) => data['valid'],
        () => `no answer in ${location}`,
      );
    await expect.poll(answered, { timeout: 5000 }).toBe(true);
  }
  await command('start', 'ap-southeast-1');
  await untilValid(zone, urlOf('ap-southeast-1'), zone.sampleKey);
});

test('with home’s database killed replicas verify, hot and cold, writes get 503, and replaced tasks become ready', async () => {
  const zone = zoneOf('global');
  const cold = await createKey(zone, urlOf('us-east-1'));
  for (const region of REPLICAS) await untilValid(zone, urlOf(region), zone.sampleKey);
  const shown = await createKey(zone, urlOf('us-east-1'));
  for (const region of REPLICAS) await untilValid(zone, urlOf(region), shown.key);
  await command('kill', 'us-east-1', '--only', 'database');
  for (const region of ['us-east-1', ...REPLICAS]) {
    const refused = await call(zone, urlOf(region), 'keys.createKey', { apiId: zone.apiId });
    expect(refused.status).toBe(503);
    expect(refused.headers.get('retry-after')).not.toBeNull();
  }
  for (const region of REPLICAS) {
    await untilValid(zone, urlOf(region), zone.sampleKey);
    await untilValid(zone, urlOf(region), cold.key);
    await command('kill', region, '--only', 'service');
    await command('start', region);
    expect((await fetch(`${urlOf(region)}/readyz`)).status).toBe(200);
    await untilValid(zone, urlOf(region), zone.sampleKey);
    await untilValid(zone, urlOf(region), cold.key);
  }
});

test('after a promotion writes work; the old home comes back as a standby and writes nothing of its own', async () => {
  const zone = zoneOf('global');
  await command('promote', 'eu-west-1');
  // A task that looked for home a moment before says 503 and nothing else, until it looks again.
  const createdIn = async (region: string): Promise<string> =>
    (await vi.waitFor(async () => await createKey(zone, urlOf(region)), { timeout: 15_000, interval: 100 }))
      .key;
  for (const region of REPLICAS) {
    const key = await createdIn(region);
    for (const other of REPLICAS) await untilValid(zone, urlOf(other), key);
  }
  await command('start', 'us-east-1');
  const key = await createdIn('us-east-1');
  for (const region of ['us-east-1', ...REPLICAS]) await untilValid(zone, urlOf(region), key);
  const metrics = await (await fetch(`${urlOf('us-east-1')}/metrics`)).text();
  expect(metrics).toMatch(/^keyhearth_home\{[^}]*\} 0$/m);
});
