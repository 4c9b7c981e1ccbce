import { expect, test } from 'vitest';

import { deploymentOf } from './deployment.ts';
import { DEFAULT_SIZE } from './read.ts';
import type { Zone } from './types.ts';

const EU: Zone = {
  name: 'eu',
  hostname: 'keys.eu.example.com',
  account: '222222222222',
  origin: 'eu-west-3',
  replicas: ['eu-central-1'],
  domain: { hostedZoneId: 'Z0EXAMPLE', hostedZoneName: 'example.com' },
};
const OTHERS: readonly Zone[] = ['global', 'acme'].map((name) => ({
  ...EU,
  name,
  hostname: `keys.${name}.example.com`,
}));

function deploy(zone: Zone): ReturnType<typeof deploymentOf> {
  const [first, ...rest] = OTHERS;
  return deploymentOf(
    { name: 'staging', zones: [...(first === undefined ? [] : [first]), zone, ...rest] },
    zone,
  );
}

test('a zone that chooses nothing gets safe defaults', () => {
  expect(deploy(EU)).toEqual({
    environment: 'staging',
    name: 'eu',
    hostname: 'keys.eu.example.com',
    account: '222222222222',
    residency: undefined,
    origin: 'eu-west-3',
    regions: [
      {
        region: 'eu-west-3',
        addressRange: '10.89.0.0/16',
        availabilityZones: ['eu-west-3a', 'eu-west-3b', 'eu-west-3c'],
        size: DEFAULT_SIZE,
      },
      {
        region: 'eu-central-1',
        addressRange: '10.82.0.0/16',
        availabilityZones: ['eu-central-1a', 'eu-central-1b', 'eu-central-1c'],
        size: DEFAULT_SIZE,
      },
    ],
    maxStalenessMs: 10_000,
    stalenessMode: 'serve',
    knownZones: [{ name: 'eu', hostname: 'keys.eu.example.com' }],
    domain: EU.domain,
    image: null,
    events: { kind: 'firehose' },
    firewall: null,
    alarms: null,
    budget: null,
    retention: { logDays: 30, backupDays: 14, eventDays: 400 },
    deletionProtection: true,
  });
});

test('the order in which replicas are listed changes nothing', () => {
  const replicas = ['us-east-1', 'ca-central-1', 'sa-east-1'] as const;
  const deployed = deploy({ ...EU, replicas });
  expect(deployed.regions.map(({ region }) => region)).toEqual([
    'eu-west-3',
    'ca-central-1',
    'sa-east-1',
    'us-east-1',
  ]);
  expect(deploy({ ...EU, replicas: replicas.toReversed() })).toEqual(deployed);
});

test('what a zone chooses is taken, region by region and field by field', () => {
  const { regions, retention, deletionProtection, stalenessMode } = deploy({
    ...EU,
    stalenessMode: 'refuse',
    sizes: { default: { maxTasks: 5 }, 'eu-central-1': { minTasks: 3 } },
    addressRanges: { 'eu-central-1': '192.168.0.0/16' },
    availabilityZones: { 'eu-west-3': ['eu-west-3a', 'eu-west-3c'] },
    retention: { logDays: 7 },
    deletionProtection: false,
  });
  expect(regions[0]).toMatchObject({
    addressRange: '10.89.0.0/16',
    availabilityZones: ['eu-west-3a', 'eu-west-3c'],
  });
  expect(regions[1]).toMatchObject({ addressRange: '192.168.0.0/16', size: { minTasks: 3, maxTasks: 5 } });
  expect(retention).toEqual({ logDays: 7, backupDays: 14, eventDays: 400 });
  expect({ deletionProtection, stalenessMode }).toEqual({
    deletionProtection: false,
    stalenessMode: 'refuse',
  });
});

test('known zones are the zone itself and those it names, with their hostnames, by name', () => {
  expect(deploy({ ...EU, knownZones: ['acme'] }).knownZones).toEqual([
    { name: 'acme', hostname: 'keys.acme.example.com' },
    { name: 'eu', hostname: 'keys.eu.example.com' },
  ]);
  expect(deploy({ ...EU, knownZones: ['acme', 'global'] }).knownZones.map(({ name }) => name)).toEqual([
    'acme',
    'eu',
    'global',
  ]);
});

test('the order in which an environment lists its zones changes nothing', () => {
  const zone: Zone = { ...EU, knownZones: ['acme', 'global'] };
  const zones = [...OTHERS, zone];
  expect(deploymentOf({ name: 'staging', zones: zones.toReversed() }, zone)).toEqual(
    deploymentOf({ name: 'staging', zones }, zone),
  );
});

test('the order in which ClickHouse’s ranges are listed changes nothing', () => {
  const addressRanges = ['203.0.113.7/32', '198.51.100.0/24', '203.0.113.1/32'];
  const sink = { kind: 'clickhouse', secretName: 'keyhearth/clickhouse', port: 8443 } as const;
  const { events } = deploy({ ...EU, events: { ...sink, addressRanges } });
  expect(events).toEqual({ ...sink, addressRanges: addressRanges.toSorted() });
  expect(deploy({ ...EU, events: { ...sink, addressRanges: addressRanges.toReversed() } }).events).toEqual(
    events,
  );
});

test('a zone without a domain can’t be deployed', () => {
  const { domain: _, ...zone } = EU;
  expect(() => deploy(zone)).toThrow("zone eu has no domain, so it can't be deployed");
});
