import { expect, test } from 'vitest';
import { AWS_REGION_CODES } from '../topology/aws-regions.ts';
import {
  acceleratorName,
  bounded,
  boundaryName,
  directPort,
  globalClusterIdentifier,
  PORTS,
  peerHostname,
  peerUrlTemplate,
  stackNames,
} from './names.ts';

const LONGEST = { environment: 'e'.repeat(32), name: 'z'.repeat(32) };

test('names keep AWS’s limits however long the environment’s and the zone’s are', () => {
  for (const region of AWS_REGION_CODES) {
    expect(stackNames.link(LONGEST, region, 'ap-southeast-1').length).toBeLessThanOrEqual(128);
    expect(boundaryName(LONGEST, region).length).toBeLessThanOrEqual(128);
    for (const label of peerHostname(LONGEST, region).split('.'))
      expect(label.length).toBeLessThanOrEqual(63);
  }
  expect(globalClusterIdentifier(LONGEST).length).toBeLessThanOrEqual(63);
  expect(acceleratorName(LONGEST).length).toBeLessThanOrEqual(64);
});

test('a name that has to be cut stays different from every other one', () => {
  expect(bounded('short', 10)).toBe('short');
  const [one, other] = [`${'a'.repeat(40)}-one`, `${'a'.repeat(40)}-two`].map((text) => bounded(text, 30));
  expect(one).toHaveLength(30);
  expect(one).not.toBe(other);
  expect(bounded('ends-in-a-dash--------and-more', 20)).toMatch(/^[a-z]+(-[a-z0-9]+)*$/);
});

test('each region has a direct port of its own, which is none of the others’', () => {
  const ports = AWS_REGION_CODES.map((region) => directPort(region));
  expect(new Set(ports).size).toBe(ports.length);
  expect(ports.filter((port) => Object.values<number>(PORTS).includes(port))).toEqual([]);
});

test('the template of peers’ URLs gives the name that the region’s record has', () => {
  const zone = { environment: 'production', name: 'global' };
  expect(peerUrlTemplate(zone).replace('{region}', 'eu-west-1')).toBe(
    `https://${peerHostname(zone, 'eu-west-1')}:${PORTS.peers}`,
  );
});
