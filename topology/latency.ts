import { AWS_REGIONS } from './aws-regions.ts';
import type { AwsRegion } from './aws-regions.ts';
import { CLIENT_LOCATION_IDS, CLIENT_LOCATIONS } from './locations.ts';
import type { ClientLocation } from './locations.ts';
// The values of "network latency, table 1 of 25 Aug 2024" in IBM Cloud's VPC documentation, with the coordinates of its cities.
import measurements from './rtt-measured.json' with { type: 'json' };

/** A place on earth, degrees. */
export interface Place {
  readonly latitude: number;
  readonly longitude: number;
}

/** Round-trip time from a client location to a region, and where the figure is from. */
export interface Rtt {
  readonly rttMs: number;
  readonly source: 'measured' | 'model';
}

/** By client location, then by region: round-trip time in ms. */
export type RttMatrix = Readonly<Record<string, Readonly<Record<string, number>>>>;

/** A measured pair of cities. */
export interface MeasuredPair {
  readonly from: string;
  readonly to: string;
  readonly distanceKm: number;
  readonly rttMs: number;
}

/** `rttMs = baseMs + msPerKm × distance`. */
export interface LatencyModel {
  readonly baseMs: number;
  readonly msPerKm: number;
}

const EARTH_RADIUS_KM = 6371;
/** Places so close to a measured city count as that city: Northern Virginia is 33 km from Washington, nothing else comes near. */
const SAME_CITY_KM = 60;

/** Great-circle distance (haversine) in km. */
export function distanceKm(a: Place, b: Place): number {
  const [latitudeA, latitudeB] = [toRadians(a.latitude), toRadians(b.latitude)];
  const chord =
    Math.sin((latitudeB - latitudeA) / 2) ** 2 +
    Math.cos(latitudeA) * Math.cos(latitudeB) * Math.sin(toRadians(b.longitude - a.longitude) / 2) ** 2;
  return 2 * EARTH_RADIUS_KM * Math.asin(Math.min(1, Math.sqrt(chord)));
}

function toRadians(degrees: number): number {
  return (degrees * Math.PI) / 180;
}

const CITIES = new Map<string, Place>(
  Object.entries(measurements.cities).map(([city, [latitude, longitude]]) => [
    city,
    { latitude: latitude ?? Number.NaN, longitude: longitude ?? Number.NaN },
  ]),
);

/** All measured pairs, each once. */
export const MEASURED_PAIRS: readonly MeasuredPair[] = Object.entries(measurements.rttMs).flatMap(
  ([from, row]) =>
    Object.entries(row).map(([to, rttMs]) => ({
      from,
      to,
      rttMs,
      distanceKm: distanceKm(cityNamed(from), cityNamed(to)),
    })),
);

function cityNamed(name: string): Place {
  const place = CITIES.get(name);
  if (place === undefined)
    throw new Error(`rtt-measured.json has round-trip times but no coordinates of ${name}`);
  return place;
}

/**
 * Least squares over the measured pairs, each weighted with 1/rtt²: it is the relative error that is made small, so that 9 ms
 * between neighbours counts as much as 290 ms across an ocean.
 */
export function calibrate(pairs: readonly MeasuredPair[]): LatencyModel {
  let [weights, distances, times, squares, products] = [0, 0, 0, 0, 0];
  for (const pair of pairs) {
    const weight = 1 / pair.rttMs ** 2;
    weights += weight;
    distances += weight * pair.distanceKm;
    times += weight * pair.rttMs;
    squares += weight * pair.distanceKm ** 2;
    products += weight * pair.distanceKm * pair.rttMs;
  }
  const msPerKm = (weights * products - distances * times) / (weights * squares - distances ** 2);
  return { baseMs: (times - msPerKm * distances) / weights, msPerKm };
}

/**
 * Calibrated on the 45 measured pairs: 4.0 ms + 15.5 ms per 1000 km. Against them its error is 10 % (9.5 ms) in the median and
 * 38 % (117 ms) at worst: from Europe to Japan and from South America to Sydney and Europe, where cables go a long way round, the
 * model is too fast.
 */
export const LATENCY_MODEL: LatencyModel = calibrate(MEASURED_PAIRS);

export function modelRttMs(model: LatencyModel, kilometres: number): number {
  return model.baseMs + model.msPerKm * kilometres;
}

/** The measured value where both places are measured cities, otherwise the model's. */
export function rttBetween(a: Place, b: Place): Rtt {
  const [cityA, cityB] = [measuredCityAt(a), measuredCityAt(b)];
  const measured = MEASURED_PAIRS.find(
    ({ from, to }) => (from === cityA && to === cityB) || (from === cityB && to === cityA),
  );
  if (measured !== undefined) return { rttMs: measured.rttMs, source: 'measured' };
  return { rttMs: modelRttMs(LATENCY_MODEL, distanceKm(a, b)), source: 'model' };
}

function measuredCityAt(place: Place): string | undefined {
  for (const [name, measured] of CITIES) if (distanceKm(place, measured) <= SAME_CITY_KM) return name;
  return undefined;
}

export function rttOf(location: ClientLocation, region: AwsRegion): Rtt {
  return rttBetween(CLIENT_LOCATIONS[location], AWS_REGIONS[region]);
}

/** Round-trip times from every client location to each of the regions, in ms, to a tenth. */
export function rttMatrix(regions: readonly AwsRegion[]): RttMatrix {
  return Object.fromEntries(
    CLIENT_LOCATION_IDS.map((location) => [
      location,
      Object.fromEntries(
        regions.map((region) => [region, Math.round(rttOf(location, region).rttMs * 10) / 10]),
      ),
    ]),
  );
}
