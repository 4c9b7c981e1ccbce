import { expect, test } from 'vitest';

import { isPrivate, overlap, parseRange } from './address-range.ts';
import { AWS_REGION_CODES } from './aws-regions.ts';
import { defaultAddressRange, defaultAvailabilityZones, REGION_NUMBERS } from './region-defaults.ts';

/** As they were given. Addresses and ports of what runs follow from them: add to the end, change none. */
const GIVEN =
  'af-south-1 ap-east-1 ap-east-2 ap-northeast-1 ap-northeast-2 ap-northeast-3 ap-south-1 ap-south-2 ap-southeast-1 ap-southeast-2 ' +
  'ap-southeast-3 ap-southeast-4 ap-southeast-5 ap-southeast-6 ap-southeast-7 ca-central-1 ca-west-1 eu-central-1 eu-central-2 ' +
  'eu-north-1 eu-south-1 eu-south-2 eu-west-1 eu-west-2 eu-west-3 il-central-1 me-central-1 me-south-1 mx-central-1 sa-east-1 ' +
  'us-east-1 us-east-2 us-west-1 us-west-2';

test('a region’s number never changes and is nobody else’s', () => {
  const given = GIVEN.split(' ').map((region, index) => [region, index + 1]);
  expect(REGION_NUMBERS).toMatchObject(Object.fromEntries(given));
  expect(new Set(Object.values(REGION_NUMBERS)).size).toBe(AWS_REGION_CODES.length);
});

test('numbers stay so low that ranges and ports can be made of them', () => {
  for (const number of Object.values(REGION_NUMBERS)) {
    expect(number).toBeGreaterThanOrEqual(1);
    // 10.<64 + number> ends at 10.255, with one to spare.
    expect(number).toBeLessThanOrEqual(190);
  }
});

test('default ranges are private and no two overlap', () => {
  const ranges = AWS_REGION_CODES.flatMap((region) => parseRange(defaultAddressRange(region)) ?? []);
  expect(ranges).toHaveLength(AWS_REGION_CODES.length);
  for (const [index, range] of ranges.entries()) {
    expect(isPrivate(range)).toBe(true);
    for (const other of ranges.slice(index + 1)) expect(overlap(range, other)).toBe(false);
  }
});

test('default availability zones are two or three of the region’s own', () => {
  for (const region of AWS_REGION_CODES) {
    const zones = defaultAvailabilityZones(region);
    expect([2, 3]).toContain(zones.length);
    expect(new Set(zones).size).toBe(zones.length);
    for (const zone of zones) expect(zone).toMatch(new RegExp(`^${region}[a-f]$`));
  }
  expect(defaultAvailabilityZones('us-west-1')).toEqual(['us-west-1a', 'us-west-1b']);
});
