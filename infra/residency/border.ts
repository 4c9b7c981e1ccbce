import type { ZoneDeployment } from '../../topology/deployment.ts';
import {
  boundaryName,
  clusterIdentifier,
  dashboardName,
  globalClusterIdentifier,
  secretNames,
  stackNames,
} from '../names.ts';
import { boundaryStatements } from './policies.ts';
import type { PolicyStatement } from './policy-types.ts';

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
  /** The accelerator is in it. */
  readonly edgeStack: string;
  readonly globalCluster: string;
  /** Secret whose contents the database is made with. */
  readonly masterSecret: string;
  /** Outputs may be these texts; all others refer to what they name. */
  readonly names: readonly string[];
  /** Texts of the topology that may look like a region and name none: hostnames, the alarms' address, names in a registry. */
  readonly knownTexts: readonly string[];
  /** Who is told of alarms; null for nobody. */
  readonly email: string | null;
  /** The base stack and the permission boundary of each region. */
  readonly boundaries: ReadonlyMap<string, Boundary>;
}

export interface Boundary {
  readonly stack: string;
  readonly policy: string;
  readonly statements: readonly PolicyStatement[];
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
    edgeStack: stackNames.edge(zone),
    globalCluster: globalClusterIdentifier(zone),
    masterSecret: secretNames.master(zone),
    names: [
      globalClusterIdentifier(zone),
      dashboardName(zone),
      ...zone.regions.map(({ region }) => clusterIdentifier(zone, region)),
    ],
    knownTexts: knownTextsOf(zone),
    email: zone.alarms?.email ?? null,
    boundaries: new Map(
      zone.regions.map(({ region }) => [
        region,
        {
          stack: stackNames.base(zone, region),
          policy: boundaryName(zone, region),
          statements: boundaryStatements(zone, region),
        },
      ]),
    ),
  };
}

/** Longest first, for one may hold another. None is a region alone: each has a dot, or stands where only such a name does. */
function knownTextsOf({
  hostname,
  knownZones,
  domain,
  image,
  events,
  alarms,
}: ZoneDeployment): readonly string[] {
  const known = [
    hostname,
    ...knownZones.flatMap((one) => [one.hostname, `${one.name}=https://${one.hostname}`]),
    ...('hostedZoneName' in domain ? [domain.hostedZoneName] : []),
    ...(image === null ? [] : [`/${image.repository}@`, `repository/${image.repository}`]),
    ...(events.kind === 'clickhouse' ? [`secret:${events.secretName}`] : []),
    ...(alarms === null ? [] : [alarms.email]),
  ];
  return known.toSorted((a, b) => b.length - a.length);
}

/** The border that a stack is inside of; null for a stack of no zone. Zones can't share a stack's name. */
export function borderAround(borders: readonly ZoneBorder[], stackName: string): ZoneBorder | null {
  return borders.find(({ stacks }) => stacks.has(stackName)) ?? null;
}
