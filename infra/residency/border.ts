import { boundaryName, globalClusterIdentifier, stackNames } from '../names.ts';
import type { ZoneDeployment } from '../../topology/deployment.ts';

/** What a zone's templates are measured by. Plain data: nothing of the constructs that made them. */
export interface ZoneBorder {
  readonly environment: string;
  readonly zone: string;
  readonly account: string;
  readonly regions: readonly string[];
  /** Region of each stack, by the stack's name. */
  readonly stacks: ReadonlyMap<string, string>;
  /** The one stack that may hold a multi-Region key: the base of the origin. */
  readonly keyStack: string;
  /** The origin's database is in it. */
  readonly dataStack: string;
  readonly globalCluster: string;
  /** The base stack and the permission boundary of each region. */
  readonly boundaries: ReadonlyMap<string, { readonly stack: string; readonly policy: string }>;
}

/** The border of a zone, from the topology and the names alone. */
export function borderOf(zone: ZoneDeployment): ZoneBorder {
  const regions = zone.regions.map(({ region }) => region);
  const stacks = new Map<string, string>([
    [stackNames.zone(zone), zone.origin],
    [stackNames.edge(zone), zone.origin],
  ]);
  for (const region of regions) {
    stacks.set(stackNames.base(zone, region), region);
    stacks.set(stackNames.data(zone, region), region);
    stacks.set(stackNames.service(zone, region), region);
    for (const to of regions) {
      if (to !== region) stacks.set(stackNames.link(zone, region, to), region);
    }
  }
  return {
    environment: zone.environment,
    zone: zone.name,
    account: zone.account,
    regions,
    stacks,
    keyStack: stackNames.base(zone, zone.origin),
    dataStack: stackNames.data(zone, zone.origin),
    globalCluster: globalClusterIdentifier(zone),
    boundaries: new Map(
      zone.regions.map(({ region }) => [
        region,
        { stack: stackNames.base(zone, region), policy: boundaryName(zone, region) },
      ]),
    ),
  };
}

/** The border that a stack is inside of; null for a stack of no zone. Zones can't share a stack's name. */
export function borderAround(borders: readonly ZoneBorder[], stackName: string): ZoneBorder | null {
  return borders.find(({ stacks }) => stacks.has(stackName)) ?? null;
}
