import type { AwsRegion } from './aws-regions.ts';

/**
 * A number for each region, from which its address range and its direct port follow. It never changes and is never given to another
 * region, so that adding a region to a zone, or a new region to AWS, changes nothing of the others: a new one gets the next number,
 * whatever its place in the alphabet.
 */
export const REGION_NUMBERS: Readonly<Record<AwsRegion, number>> = {
  'af-south-1': 1,
  'ap-east-1': 2,
  'ap-east-2': 3,
  'ap-northeast-1': 4,
  'ap-northeast-2': 5,
  'ap-northeast-3': 6,
  'ap-south-1': 7,
  'ap-south-2': 8,
  'ap-southeast-1': 9,
  'ap-southeast-2': 10,
  'ap-southeast-3': 11,
  'ap-southeast-4': 12,
  'ap-southeast-5': 13,
  'ap-southeast-6': 14,
  'ap-southeast-7': 15,
  'ca-central-1': 16,
  'ca-west-1': 17,
  'eu-central-1': 18,
  'eu-central-2': 19,
  'eu-north-1': 20,
  'eu-south-1': 21,
  'eu-south-2': 22,
  'eu-west-1': 23,
  'eu-west-2': 24,
  'eu-west-3': 25,
  'il-central-1': 26,
  'me-central-1': 27,
  'me-south-1': 28,
  'mx-central-1': 29,
  'sa-east-1': 30,
  'us-east-1': 31,
  'us-east-2': 32,
  'us-west-1': 33,
  'us-west-2': 34,
};

/** Regions in which accounts don't usually see the zones a, b and c. Source: AWS's list of availability zones by region. */
const UNUSUAL_ZONE_LETTERS: { readonly [R in AwsRegion]?: readonly string[] } = {
  'ap-northeast-1': ['a', 'c', 'd'],
  'ca-central-1': ['a', 'b', 'd'],
  'us-west-1': ['a', 'b'],
};

/** Names of the availability zones that a region's network spans where the topology names none. Accounts may see others: then name them. */
export function defaultAvailabilityZones(region: AwsRegion): readonly string[] {
  return (UNUSUAL_ZONE_LETTERS[region] ?? ['a', 'b', 'c']).map((letter) => `${region}${letter}`);
}

/** Private IPv4 range of a region's network where the topology names none: the same in every zone, different for every region. */
export function defaultAddressRange(region: AwsRegion): string {
  return `10.${64 + REGION_NUMBERS[region]}.0.0/16`;
}
