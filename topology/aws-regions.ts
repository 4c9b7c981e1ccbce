/**
 * The commercial regions of AWS (partition `aws`; neither China, GovCloud nor the European Sovereign Cloud, which need other accounts).
 *
 * Source of codes, names, geographies and opt-in: AWS's own table "AWS Regions",
 * https://docs.aws.amazon.com/global-infrastructure/latest/regions/aws-regions.html. A region launched after 20 March 2019 is opt-in.
 * `country` is ISO 3166-1 alpha-2 of that table's geography. `jurisdiction` is ours: `EU` for member states of the European Union,
 * otherwise the country (so London is `GB` and Zurich `CH`, not `EU`); Hong Kong and Taiwan stand for themselves because their law does.
 * Coordinates are those of the named city, or of the middle of the named area, to two decimals: AWS publishes no exact ones. They
 * serve the latency model only.
 */
export const AWS_REGIONS = {
  'af-south-1': {
    city: 'Cape Town',
    country: 'ZA',
    jurisdiction: 'ZA',
    latitude: -33.92,
    longitude: 18.42,
    optIn: true,
  },
  'ap-east-1': {
    city: 'Hong Kong',
    country: 'HK',
    jurisdiction: 'HK',
    latitude: 22.32,
    longitude: 114.17,
    optIn: true,
  },
  'ap-east-2': {
    city: 'Taipei',
    country: 'TW',
    jurisdiction: 'TW',
    latitude: 25.03,
    longitude: 121.57,
    optIn: true,
  },
  'ap-northeast-1': {
    city: 'Tokyo',
    country: 'JP',
    jurisdiction: 'JP',
    latitude: 35.68,
    longitude: 139.69,
    optIn: false,
  },
  'ap-northeast-2': {
    city: 'Seoul',
    country: 'KR',
    jurisdiction: 'KR',
    latitude: 37.57,
    longitude: 126.98,
    optIn: false,
  },
  'ap-northeast-3': {
    city: 'Osaka',
    country: 'JP',
    jurisdiction: 'JP',
    latitude: 34.69,
    longitude: 135.5,
    optIn: false,
  },
  'ap-south-1': {
    city: 'Mumbai',
    country: 'IN',
    jurisdiction: 'IN',
    latitude: 19.08,
    longitude: 72.88,
    optIn: false,
  },
  'ap-south-2': {
    city: 'Hyderabad',
    country: 'IN',
    jurisdiction: 'IN',
    latitude: 17.39,
    longitude: 78.49,
    optIn: true,
  },
  'ap-southeast-1': {
    city: 'Singapore',
    country: 'SG',
    jurisdiction: 'SG',
    latitude: 1.35,
    longitude: 103.82,
    optIn: false,
  },
  'ap-southeast-2': {
    city: 'Sydney',
    country: 'AU',
    jurisdiction: 'AU',
    latitude: -33.87,
    longitude: 151.21,
    optIn: false,
  },
  'ap-southeast-3': {
    city: 'Jakarta',
    country: 'ID',
    jurisdiction: 'ID',
    latitude: -6.21,
    longitude: 106.85,
    optIn: true,
  },
  'ap-southeast-4': {
    city: 'Melbourne',
    country: 'AU',
    jurisdiction: 'AU',
    latitude: -37.81,
    longitude: 144.96,
    optIn: true,
  },
  'ap-southeast-5': {
    city: 'Kuala Lumpur',
    country: 'MY',
    jurisdiction: 'MY',
    latitude: 3.14,
    longitude: 101.69,
    optIn: true,
  },
  'ap-southeast-6': {
    city: 'Auckland',
    country: 'NZ',
    jurisdiction: 'NZ',
    latitude: -36.85,
    longitude: 174.76,
    optIn: true,
  },
  'ap-southeast-7': {
    city: 'Bangkok',
    country: 'TH',
    jurisdiction: 'TH',
    latitude: 13.76,
    longitude: 100.5,
    optIn: true,
  },
  'ca-central-1': {
    city: 'Montreal',
    country: 'CA',
    jurisdiction: 'CA',
    latitude: 45.5,
    longitude: -73.57,
    optIn: false,
  },
  'ca-west-1': {
    city: 'Calgary',
    country: 'CA',
    jurisdiction: 'CA',
    latitude: 51.05,
    longitude: -114.07,
    optIn: true,
  },
  'eu-central-1': {
    city: 'Frankfurt',
    country: 'DE',
    jurisdiction: 'EU',
    latitude: 50.11,
    longitude: 8.68,
    optIn: false,
  },
  'eu-central-2': {
    city: 'Zurich',
    country: 'CH',
    jurisdiction: 'CH',
    latitude: 47.38,
    longitude: 8.54,
    optIn: true,
  },
  'eu-north-1': {
    city: 'Stockholm',
    country: 'SE',
    jurisdiction: 'EU',
    latitude: 59.33,
    longitude: 18.07,
    optIn: false,
  },
  'eu-south-1': {
    city: 'Milan',
    country: 'IT',
    jurisdiction: 'EU',
    latitude: 45.46,
    longitude: 9.19,
    optIn: true,
  },
  'eu-south-2': {
    city: 'Zaragoza',
    country: 'ES',
    jurisdiction: 'EU',
    latitude: 41.65,
    longitude: -0.89,
    optIn: true,
  },
  'eu-west-1': {
    city: 'Dublin',
    country: 'IE',
    jurisdiction: 'EU',
    latitude: 53.35,
    longitude: -6.26,
    optIn: false,
  },
  'eu-west-2': {
    city: 'London',
    country: 'GB',
    jurisdiction: 'GB',
    latitude: 51.51,
    longitude: -0.13,
    optIn: false,
  },
  'eu-west-3': {
    city: 'Paris',
    country: 'FR',
    jurisdiction: 'EU',
    latitude: 48.86,
    longitude: 2.35,
    optIn: false,
  },
  'il-central-1': {
    city: 'Tel Aviv',
    country: 'IL',
    jurisdiction: 'IL',
    latitude: 32.09,
    longitude: 34.78,
    optIn: true,
  },
  'me-central-1': {
    city: 'Dubai',
    country: 'AE',
    jurisdiction: 'AE',
    latitude: 25.2,
    longitude: 55.27,
    optIn: true,
  },
  'me-south-1': {
    city: 'Manama',
    country: 'BH',
    jurisdiction: 'BH',
    latitude: 26.23,
    longitude: 50.59,
    optIn: true,
  },
  'mx-central-1': {
    city: 'Querétaro',
    country: 'MX',
    jurisdiction: 'MX',
    latitude: 20.59,
    longitude: -100.39,
    optIn: true,
  },
  'sa-east-1': {
    city: 'São Paulo',
    country: 'BR',
    jurisdiction: 'BR',
    latitude: -23.55,
    longitude: -46.63,
    optIn: false,
  },
  'us-east-1': {
    city: 'Northern Virginia',
    country: 'US',
    jurisdiction: 'US',
    latitude: 38.95,
    longitude: -77.45,
    optIn: false,
  },
  'us-east-2': {
    city: 'Columbus',
    country: 'US',
    jurisdiction: 'US',
    latitude: 39.96,
    longitude: -83.0,
    optIn: false,
  },
  'us-west-1': {
    city: 'San Francisco',
    country: 'US',
    jurisdiction: 'US',
    latitude: 37.77,
    longitude: -122.42,
    optIn: false,
  },
  'us-west-2': {
    city: 'Boardman',
    country: 'US',
    jurisdiction: 'US',
    latitude: 45.84,
    longitude: -119.7,
    optIn: false,
  },
} as const satisfies Record<string, AwsRegionFacts>;

interface AwsRegionFacts {
  /** The city, or the largest one of the area, that AWS names the region after. */
  readonly city: string;
  /** ISO 3166-1 alpha-2. */
  readonly country: string;
  /** Whose law the place is under: `EU`, or the country. */
  readonly jurisdiction: string;
  /** Degrees, north and east positive. */
  readonly latitude: number;
  readonly longitude: number;
  /** An account has to enable the region first. */
  readonly optIn: boolean;
}

/** Code of a commercial AWS region, e.g. `eu-central-1`. */
export type AwsRegion = keyof typeof AWS_REGIONS;

/** Whose law a region is under; also what a zone's residency can be. */
export type Jurisdiction = (typeof AWS_REGIONS)[AwsRegion]['jurisdiction'];

/** The regions of one jurisdiction. */
export type RegionIn<J extends Jurisdiction> = {
  [R in AwsRegion]: (typeof AWS_REGIONS)[R]['jurisdiction'] extends J ? R : never;
}[AwsRegion];

/** All region codes, sorted. */
// Object.keys is typed as string[]; the table is frozen at compile time, so its keys are exactly these.
export const AWS_REGION_CODES = Object.keys(AWS_REGIONS) as readonly AwsRegion[];

/** All jurisdictions that have a region, sorted. */
export const JURISDICTIONS: readonly Jurisdiction[] = [
  ...new Set(AWS_REGION_CODES.map((code) => AWS_REGIONS[code].jurisdiction)),
].toSorted();

export function isAwsRegion(value: unknown): value is AwsRegion {
  return typeof value === 'string' && Object.hasOwn(AWS_REGIONS, value);
}

/** Codes of the regions under one jurisdiction, sorted. */
export function regionsIn(jurisdiction: Jurisdiction): readonly AwsRegion[] {
  return AWS_REGION_CODES.filter((code) => AWS_REGIONS[code].jurisdiction === jurisdiction);
}
