import { stackNames, type ZoneName } from '../../infra/names.ts';
import { AWS_REGION_CODES, type AwsRegion } from '../../topology/aws-regions.ts';

/**
 * Every name that a stack of a zone can have, in whatever regions, and the regions that it names (none for what a zone has once). By
 * name, for the CDK puts the zone's tags on resources and not on stacks.
 */
export function stackNamesOf(zone: ZoneName): ReadonlyMap<string, readonly AwsRegion[]> {
  const names = new Map<string, readonly AwsRegion[]>([
    [stackNames.zone(zone), []],
    [stackNames.edge(zone), []],
  ]);
  for (const region of AWS_REGION_CODES) {
    for (const nameOf of [stackNames.base, stackNames.data, stackNames.service])
      names.set(nameOf(zone, region), [region]);
    for (const other of AWS_REGION_CODES) names.set(stackNames.link(zone, region, other), [region, other]);
  }
  return names;
}
