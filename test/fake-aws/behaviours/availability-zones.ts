import { Refusal } from '../refusal.ts';

// Regions of which not every account sees a, b and c, or sees more: "AWS Availability Zones"
// (https://docs.aws.amazon.com/global-infrastructure/latest/regions/aws-availability-zones.html).
const LETTERS: Readonly<Record<string, string>> = {
  'us-east-1': 'abcdef',
  'us-west-1': 'ab',
  'us-west-2': 'abcd',
  'ca-central-1': 'abd',
  'ap-northeast-1': 'acd',
  'ap-northeast-2': 'abcd',
};

/** Names of a region's zones as this account sees them. */
export function availabilityZones(region: string): readonly string[] {
  return (LETTERS[region] ?? 'abc').split('').map((letter) => `${region}${letter}`);
}

/** An id that is the same in every account; here each account's zone a is the first one. */
export function availabilityZoneId(zone: string): string {
  const region = zone.slice(0, -1);
  const [area = '', direction = '', number = ''] = region.split('-');
  const short = direction.replace(
    /^(north|south|central|)(east|west|)$/u,
    (_, first: string, second: string) => first.slice(0, 1) + second.slice(0, 1),
  );
  return `${area}${short}${number}-az${availabilityZones(region).indexOf(zone) + 1}`;
}

/** Throws EC2's answer to a zone that another region has, or none. */
export function checkAvailabilityZone(region: string, zone: string): void {
  const zones = availabilityZones(region);
  if (zones.includes(zone)) return;
  throw new Refusal(
    'InvalidParameterValue',
    `Value (${zone}) for parameter availabilityZone is invalid. Subnets can currently only be created in the following availability zones: ${zones.join(', ')}.`,
  );
}
