import { expect, test } from 'vitest';
import { sizeOf } from '../service/cache/record-size.ts';
import type { HotKey } from '../service/domain/hot-records.ts';
import { readEnv, readSettings } from '../service/env.ts';
import { PREPARE_SETTINGS } from '../service/prepare-settings.ts';
import { SETTINGS } from '../service/settings.ts';
import { readZoneFacts } from '../service/zone-facts.ts';
import {
  DRAIN_MS,
  migratorEnvironment,
  oneOffEnvironment,
  serviceEnvironment,
  SHUTDOWN_MS,
  splitMemory,
  type ServicePlace,
  STOP_TIMEOUT_S,
} from './task-environment.ts';
import { deployment } from './test/zones.ts';

const SECRET = { KEYHEARTH_PEER_SECRET: 'x'.repeat(32) };

const ZONE = deployment({
  replicas: ['eu-west-3', 'eu-north-1'],
  maxStalenessMs: 5000,
  stalenessMode: 'confirm',
});

/** Every region of a zone, each with hosts as AWS names them. */
const PLACES: readonly ServicePlace[] = ZONE.regions.map((here) => ({
  zone: ZONE,
  here,
  recoverableKeyArn: `arn:aws:kms:${here.region}:222222222222:key/mrk-0123456789abcdef0123456789abcdef`,
  cache: {
    endpoint: `keyhearth-test-eu-abc.serverless.${here.region}.cache.amazonaws.com`,
    port: '6379',
    name: 'keyhearth-test-eu',
    userId: 'keyhearth-test-eu-tasks',
  },
  database: {
    clusterEndpoint: `keyhearth.cluster-abc.${here.region}.rds.amazonaws.com`,
    readerEndpoints: [`two.abc.${here.region}.rds.amazonaws.com`, `one.abc.${here.region}.rds.amazonaws.com`],
    globalWriterEndpoint: 'keyhearth.global-abc.global.rds.amazonaws.com',
  },
}));

test.each(PLACES)(
  'the service of $here.region accepts what it is told, and nothing is left out',
  async (place) => {
    const { here } = place;
    const env = readEnv({ ...serviceEnvironment(place), ...SECRET });
    expect(env).toMatchObject({
      environment: 'test',
      zone: 'eu',
      region: here.region,
      origin: 'eu-central-1',
      port: 8080,
      writerUrl: `postgres://keyhearth_app@keyhearth.cluster-abc.${here.region}.rds.amazonaws.com:5432/keyhearth`,
      readerUrls: [
        `postgres://keyhearth_app@two.abc.${here.region}.rds.amazonaws.com:5432/keyhearth`,
        `postgres://keyhearth_app@one.abc.${here.region}.rds.amazonaws.com:5432/keyhearth`,
      ],
      databaseAuth: 'iam',
      databaseTls: 'rds',
      peerUrl: 'https://{region}.test-eu.keyhearth.internal:8444',
      peerServerName: 'keys.eu.example.com',
      // In every region, since any may be home one day.
      vault: { kind: 'kms', keyArn: place.recoverableKeyArn, region: here.region },
      valkey: `rediss://keyhearth-test-eu-abc.serverless.${here.region}.cache.amazonaws.com:6379`,
      valkeyAuth: 'iam',
      valkeyUser: 'keyhearth-test-eu-tasks',
      valkeyCache: 'keyhearth-test-eu',
      trustedProxies: [here.addressRange],
      maxStalenessMs: 5000,
      stalenessMode: 'confirm',
      drainMs: DRAIN_MS,
      shutdownMs: SHUTDOWN_MS,
      cloudwatchMetricsMs: 60_000,
    });
    expect(env.peers.size).toBe(0);
    expect(
      await readZoneFacts(env, () => Promise.reject(new Error('there is no regions.config.ts'))),
    ).toMatchObject({
      origin: 'eu-central-1',
      discovers: true,
    });
  },
);

test('callers are sent to the zones that the topology names, and to no others', () => {
  const [place] = PLACES;
  const zone = {
    ...ZONE,
    knownZones: [
      { name: 'eu', hostname: 'keys.eu.example.com' },
      { name: 'global', hostname: 'keys.example.com' },
    ],
  };
  const { zoneUrls } = readEnv({ ...serviceEnvironment({ ...(place as ServicePlace), zone }), ...SECRET });
  expect([...zoneUrls]).toEqual([
    ['eu', 'https://keys.eu.example.com'],
    ['global', 'https://keys.example.com'],
  ]);
});

test('what a container is told is the same whatever other regions its zone has', () => {
  const alone = deployment({ replicas: ['eu-west-3'], maxStalenessMs: 5000, stalenessMode: 'confirm' });
  for (const place of PLACES.filter(({ here }) => here.region !== 'eu-north-1')) {
    for (const make of [serviceEnvironment, migratorEnvironment, oneOffEnvironment]) {
      expect(make({ ...place, zone: alone })).toEqual(make(place));
    }
  }
});

test.each(PLACES)(
  'the migrator of $here.region looks for the writer at home first, then wherever it is',
  (place) => {
    const variables = { ...migratorEnvironment(place), KEYHEARTH_MASTER_PASSWORD: 'secret' };
    const settings = readSettings({ ...PREPARE_SETTINGS, databaseAuth: SETTINGS.databaseAuth }, variables);
    expect(settings.masterUrls).toEqual([
      `postgres://keyhearth_master@keyhearth.cluster-abc.${place.here.region}.rds.amazonaws.com:5432/keyhearth`,
      'postgres://keyhearth_master@keyhearth.global-abc.global.rds.amazonaws.com:5432/keyhearth',
    ]);
    expect(settings.readerUrls).toHaveLength(2);
    expect(settings.databaseAuth).toBe('iam');
  },
);

test('in a zone of one region the migrator has one place to look', () => {
  const [place] = PLACES;
  const { database, ...rest } = place as ServicePlace;
  const told = migratorEnvironment({ ...rest, database: { ...database, globalWriterEndpoint: null } });
  expect(told['KEYHEARTH_MASTER_URLS']?.split(',')).toHaveLength(1);
});

test('what one-off commands read is there for them', () => {
  const { zone, region, writerUrl, databaseAuth, databaseTls } = SETTINGS;
  for (const place of PLACES) {
    expect(
      readSettings({ zone, region, writerUrl, databaseAuth, databaseTls }, oneOffEnvironment(place)),
    ).toMatchObject({ zone: 'eu', region: place.here.region, databaseAuth: 'iam', databaseTls: 'rds' });
  }
});

test('only the migrator is told of the master user', () => {
  for (const place of PLACES) {
    for (const make of [serviceEnvironment, oneOffEnvironment]) {
      expect(JSON.stringify(make(place))).not.toMatch(/master/i);
    }
  }
});

test.each([512, 1024, 2048, 4096, 30_720, 249_856])(
  '%i MB leave room beside the heap, and in it',
  (memoryMb) => {
    const { oldSpaceMb, hotKeyBytesMax, hotKeysMax } = splitMemory(memoryMb);
    expect(memoryMb - oldSpaceMb).toBeGreaterThanOrEqual(Math.max(192, Math.floor(memoryMb * 0.2)));
    expect(hotKeyBytesMax).toBeLessThanOrEqual((oldSpaceMb * 1024 * 1024) / 2);
    expect(oldSpaceMb).toBeGreaterThan(memoryMb / 2);
    const accepted = readSettings(
      { maxKeys: SETTINGS.maxKeys, maxKeyBytes: SETTINGS.maxKeyBytes },
      { KEYHEARTH_MAX_KEYS: String(hotKeysMax), KEYHEARTH_MAX_KEY_BYTES: String(hotKeyBytesMax) },
    );
    expect(accepted).toEqual({ maxKeys: hotKeysMax, maxKeyBytes: hotKeyBytesMax });
  },
);

test('it is the bytes that limit hot keys, never their number', () => {
  const { hotKeyBytesMax, hotKeysMax } = splitMemory(2048);
  const smallest = { row: { name: null, meta: null, ratelimits: [] }, dependencies: [] } as unknown as HotKey;
  expect(hotKeysMax * sizeOf(smallest)).toBeGreaterThan(hotKeyBytesMax - sizeOf(smallest));
});

test('counters of rate limits are bounded by a tenth of the heap', () => {
  expect(splitMemory(2048).rateLimitCountersMax * 340).toBeLessThanOrEqual(0.1 * 1638 * 1024 * 1024);
  expect(serviceEnvironment(PLACES[0] as ServicePlace)['KEYHEARTH_MAX_RATE_LIMIT_COUNTERS']).toBe('505166');
});

test('the heap that Node is given is the one that keys are counted against', () => {
  const [place] = PLACES;
  const told = serviceEnvironment(place as ServicePlace);
  expect(told['NODE_OPTIONS']).toBe('--max-old-space-size=1638');
  expect(told['KEYHEARTH_MAX_KEY_BYTES']).toBe(String(819 * 1024 * 1024));
});

test('a task is killed only after it had time to drain, to finish and to exit, which Fargate allows', () => {
  expect(STOP_TIMEOUT_S * 1000).toBeGreaterThanOrEqual(DRAIN_MS + SHUTDOWN_MS + 5000);
  expect(STOP_TIMEOUT_S).toBeLessThanOrEqual(120);
  expect(Number.isInteger(STOP_TIMEOUT_S)).toBe(true);
});
