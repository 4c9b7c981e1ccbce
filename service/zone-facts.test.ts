import { expect, test } from 'vitest';
import type { Topology } from '../topology/types.ts';
import { readEnv } from './env.ts';
import { readZoneFacts } from './zone-facts.ts';

const BASE = {
  KEYHEARTH_ZONE: 'global',
  KEYHEARTH_REGION: 'eu-west-1',
  KEYHEARTH_WRITER_URL: 'postgres://app@db:5432/keyhearth',
  KEYHEARTH_READER_URLS: 'postgres://app@db:5432/keyhearth',
  KEYHEARTH_PEER_SECRET: 's'.repeat(32),
};
const GIVEN = {
  ...BASE,
  KEYHEARTH_ORIGIN: 'us-east-1',
  KEYHEARTH_PEER_URL: 'https://{region}.zone.example:8444',
  KEYHEARTH_ZONE_URLS: 'global=https://keys.example.com,eu=https://keys.eu.example.com',
};
const TOPOLOGY: Topology = {
  environments: {
    one: {
      zones: [
        {
          name: 'global',
          hostname: 'keys.example.com',
          account: '111111111111',
          origin: 'us-east-1',
          replicas: ['eu-west-1'],
          maxStalenessMs: 7000,
          stalenessMode: 'confirm',
        },
        {
          name: 'eu',
          hostname: 'keys.eu.example.com',
          account: '2'.repeat(12),
          origin: 'eu-west-1',
          replicas: [],
        },
      ],
    },
  },
};

function unread(): Promise<Topology> {
  return Promise.reject(new Error('regions.config.ts was read'));
}

async function read(variables: Record<string, string>, load = async () => TOPOLOGY) {
  return await readZoneFacts(readEnv(variables), load);
}

test('with KEYHEARTH_ORIGIN, all comes from the environment and regions.config.ts is not read', async () => {
  expect(await read(GIVEN, unread)).toEqual({
    origin: 'us-east-1',
    regions: ['eu-west-1'],
    discovers: true,
    maxStalenessMs: 10_000,
    stalenessMode: 'serve',
    zones: new Map([
      ['global', 'https://keys.example.com'],
      ['eu', 'https://keys.eu.example.com'],
    ]),
  });
  const more = {
    KEYHEARTH_MAX_STALENESS_MS: '5000',
    KEYHEARTH_STALENESS_MODE: 'refuse',
    KEYHEARTH_PEERS: 'us-east-1=http://us:8080',
  };
  expect(await read({ ...GIVEN, ...more }, unread)).toMatchObject({
    regions: ['eu-west-1', 'us-east-1'],
    maxStalenessMs: 5000,
    stalenessMode: 'refuse',
  });
});

test('without it, all comes from regions.config.ts, which names every region', async () => {
  expect(await read({ ...BASE, KEYHEARTH_ZONE_URLS: 'eu=http://localhost:1' })).toEqual({
    origin: 'us-east-1',
    regions: ['us-east-1', 'eu-west-1'],
    discovers: false,
    maxStalenessMs: 7000,
    stalenessMode: 'confirm',
    zones: new Map([
      ['global', 'keys.example.com'],
      ['eu', 'http://localhost:1'],
    ]),
  });
});

test.each([
  [
    { KEYHEARTH_ZONE_URLS: 'eu=https://keys.eu.example.com' },
    /^KEYHEARTH_ZONE_URLS doesn't name zone global/,
  ],
  [{ KEYHEARTH_PEER_URL: '' }, /^KEYHEARTH_PEER_URL is missing/],
])('what is missing is named: %j', async (change, sentence) => {
  await expect(read({ ...GIVEN, ...change }, unread)).rejects.toThrow(sentence);
});

test('the origin needs no way to other regions', async () => {
  const alone = { ...GIVEN, KEYHEARTH_REGION: 'us-east-1', KEYHEARTH_PEER_URL: '' };
  expect(await read(alone, unread)).toMatchObject({ regions: ['us-east-1'] });
});
