import { expect, test } from 'vitest';

import { AWS_REGION_CODES } from './aws-regions.ts';
import { placeIn } from './places.ts';
import { EU_ZONE, problemsOf, withZones } from './test-zones.ts';

const REFUSED =
  "which reads like a region, an availability zone's id or an account: the check of what leaves a residency would stop every stack that has the name; name it otherwise";

test.each([
  ['eu-west-1', 'eu-west-1'],
  ['team-us-east-2', 'us-east-2'],
  ['euw1-az1', 'euw1-az1'],
  ['keys-222222222222', '222222222222'],
])('a zone and an environment can’t be named like a place: %s', (name, place) => {
  expect(problemsOf(withZones({ ...EU_ZONE, name }))).toEqual([
    expect.stringMatching(new RegExp(`^production/${name}: name: .*which holds ${place}, ${REFUSED}$`)),
  ]);
  expect(problemsOf({ environments: { [name]: { zones: [EU_ZONE] } } })).toEqual([
    `${name}: : the environment's name ${name} holds ${place}, ${REFUSED}`,
  ]);
});

test('environment and zone can’t be a place together', () => {
  expect(problemsOf({ environments: { us: { zones: [{ ...EU_ZONE, name: 'east-1' }] } } })).toEqual([
    `us/east-1: name: with its environment the name is us-east-1, which holds us-east-1, ${REFUSED}`,
  ]);
});

test('every region is recognized, also in the midst of a name', () => {
  for (const region of AWS_REGION_CODES) expect(placeIn(`keys-${region}-a`)).toBe(region);
});

test.each(['eu-west', 'west-1', 'zone-12345678901', 'k2222222222222', 'prod-az1', 'central-eu-1'])(
  'a name that is no place is none: %s',
  (name) => {
    expect(placeIn(name)).toBeUndefined();
  },
);
