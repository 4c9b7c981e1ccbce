import { expect, test } from 'vitest';

import config from '../test/topology-fixture.ts';
import { DEFAULT_SIZE, environmentOf, regionsOf, sizeOf, zoneOf } from './read.ts';
import type { Zone } from './types.ts';

const ZONE: Zone = {
  name: 'global',
  hostname: 'keys.example.com',
  account: '111111111111',
  origin: 'us-east-1',
  replicas: ['eu-west-1'],
  sizes: { default: { minTasks: 4, maxTasks: 9 }, 'eu-west-1': { maxTasks: 20 } },
};

test('the first environment is taken where none is named', () => {
  const topology = { environments: { production: { zones: [ZONE] }, staging: { zones: [] } } };
  expect(environmentOf(topology).zones).toEqual([ZONE]);
  expect(environmentOf(topology, 'staging').zones).toEqual([]);
});

test('an unknown environment or zone is refused with the known ones', () => {
  const environment = environmentOf(config);
  expect(zoneOf(environment, 'eu').residency).toBe('EU');
  expect(() => environmentOf(config, 'toString')).toThrow(
    'no environment "toString"; known are production, trial',
  );
  expect(() => zoneOf(environment, 'us')).toThrow('no zone "us"; known are global, eu');
});

test('the origin comes first among the regions', () => {
  expect(regionsOf(ZONE)).toEqual(['us-east-1', 'eu-west-1']);
});

test('a region’s size is its own, then the zone’s, then the default', () => {
  expect(sizeOf(ZONE, 'us-east-1')).toEqual({ ...DEFAULT_SIZE, minTasks: 4, maxTasks: 9 });
  expect(sizeOf(ZONE, 'eu-west-1')).toEqual({ ...DEFAULT_SIZE, minTasks: 4, maxTasks: 20 });
});
