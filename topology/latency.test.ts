import fc from 'fast-check';
import { expect, test } from 'vitest';

import { AWS_REGION_CODES } from './aws-regions.ts';
import {
  calibrate,
  distanceKm,
  LATENCY_MODEL,
  MEASURED_PAIRS,
  modelRttMs,
  rttBetween,
  rttMatrix,
  rttOf,
} from './latency.ts';
import { CLIENT_LOCATION_IDS } from './locations.ts';

const place = fc.record({
  latitude: fc.double({ min: -90, max: 90, noNaN: true }),
  longitude: fc.double({ min: -180, max: 180, noNaN: true }),
});

test('a distance is symmetric, 0 to itself and at most half the way round the earth', () => {
  fc.assert(
    fc.property(place, place, (a, b) => {
      expect(distanceKm(a, b)).toBeCloseTo(distanceKm(b, a), 6);
      expect(distanceKm(a, a)).toBe(0);
      expect(distanceKm(a, b)).toBeLessThanOrEqual(20_016);
    }),
  );
  const [london, sydney] = [
    { latitude: 51.51, longitude: -0.13 },
    { latitude: -33.87, longitude: 151.21 },
  ];
  expect(distanceKm(london, sydney)).toBeCloseTo(16_994, -1);
});

test('calibration finds the line that values lie on', () => {
  const pairs = [100, 2000, 9000].map((km) => ({
    from: 'a',
    to: `${km}`,
    distanceKm: km,
    rttMs: 3 + 0.02 * km,
  }));
  const model = calibrate(pairs);
  expect(model.baseMs).toBeCloseTo(3, 9);
  expect(model.msPerKm).toBeCloseTo(0.02, 9);
});

test('the model’s error against the measurements is what its docstring and the docs say', () => {
  const errors = MEASURED_PAIRS.map((pair) => {
    const ms = Math.abs(modelRttMs(LATENCY_MODEL, pair.distanceKm) - pair.rttMs);
    return { ms, percent: (100 * ms) / pair.rttMs };
  });
  const [ms, percent] = [errors.map((error) => error.ms), errors.map((error) => error.percent)].map(
    (values) => values.toSorted((a, b) => a - b),
  );
  expect(MEASURED_PAIRS).toHaveLength(45);
  expect(LATENCY_MODEL.baseMs).toBeCloseTo(4.0, 1);
  expect(LATENCY_MODEL.msPerKm * 1000).toBeCloseTo(15.5, 1);
  expect(percent?.[22]).toBeCloseTo(10.0, 1);
  expect(percent?.at(-1)).toBeCloseTo(38.0, 1);
  expect(ms?.[22]).toBeCloseTo(9.5, 1);
  expect(ms?.at(-1)).toBeCloseTo(116.9, 1);
});

test('measured values are used where both ends are measured cities', () => {
  expect(rttOf('london', 'us-east-1')).toEqual({ rttMs: 75, source: 'measured' });
  expect(rttOf('frankfurt', 'us-east-1')).toEqual({ rttMs: 91, source: 'measured' });
  expect(rttOf('sydney', 'ap-northeast-1')).toEqual({ rttMs: 115, source: 'measured' });
  expect(rttOf('new-york', 'us-east-1').source).toBe('model');
  expect(rttOf('frankfurt', 'eu-central-1')).toEqual({ rttMs: LATENCY_MODEL.baseMs, source: 'model' });
});

test('a round-trip time is the same in both directions', () => {
  fc.assert(
    fc.property(place, place, (a, b) => {
      expect(rttBetween(a, b).rttMs).toBeCloseTo(rttBetween(b, a).rttMs, 6);
    }),
  );
});

test('the matrix has every location and region, and sends each client to the region that a map would', () => {
  const matrix = rttMatrix(AWS_REGION_CODES);
  expect(Object.keys(matrix)).toEqual([...CLIENT_LOCATION_IDS]);
  const nearest = (location: string): string | undefined =>
    ['us-east-1', 'eu-west-1', 'ap-southeast-1'].toSorted(
      (a, b) => (matrix[location]?.[a] ?? Infinity) - (matrix[location]?.[b] ?? Infinity),
    )[0];
  expect(Object.fromEntries(CLIENT_LOCATION_IDS.map((location) => [location, nearest(location)]))).toEqual({
    'new-york': 'us-east-1',
    'sao-paulo': 'us-east-1',
    london: 'eu-west-1',
    frankfurt: 'eu-west-1',
    mumbai: 'ap-southeast-1',
    singapore: 'ap-southeast-1',
    tokyo: 'ap-southeast-1',
    sydney: 'ap-southeast-1',
  });
});
