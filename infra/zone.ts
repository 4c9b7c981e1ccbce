import type { Construct } from 'constructs';
import type { AwsRegion } from '../topology/aws-regions.ts';
import type { ZoneDeployment } from '../topology/deployment.ts';
import { BaseStack } from './stacks/base-stack.ts';
import { DataStack } from './stacks/data-stack.ts';
import { EdgeStack, type RegionStacks } from './stacks/edge-stack.ts';
import { LinkStack } from './stacks/link-stack.ts';
import { ServiceStack } from './stacks/service-stack.ts';
import { ZoneStack } from './stacks/zone-stack.ts';

/** All stacks of a zone. */
export interface ZoneStacks {
  readonly zoneStack: ZoneStack;
  readonly links: readonly LinkStack[];
  readonly regions: ReadonlyMap<AwsRegion, RegionStacks>;
  readonly edge: EdgeStack;
}

/**
 * Makes the stacks of a zone, in the order in which they are deployed: base of every region, the links between them, what the zone has
 * once, data (the origin's first), services, edge.
 */
export function buildZone(scope: Construct, zone: ZoneDeployment): ZoneStacks {
  const bases = zone.regions.map(({ region }) => new BaseStack(scope, { zone, region }));
  const links = linksOf(scope, bases);
  const zoneStack = new ZoneStack(scope, { zone, bases });
  const regions = new Map<AwsRegion, RegionStacks>();
  let origin: RegionStacks | null = null;
  for (const base of bases) {
    const { region } = base.here;
    const data: DataStack = new DataStack(scope, { base, zoneStack, origin: origin?.data ?? null });
    const service: ServiceStack = new ServiceStack(scope, { base, data, zoneStack });
    // The migrator may have to go to the writer in another region, and a task to home and back.
    for (const link of links) {
      if (link.here.region === region || link.target === region) service.addStackDependency(link);
    }
    // A new region's first task isn't ready before home has answered it, and in a new zone home is at the origin.
    if (origin !== null) service.addStackDependency(origin.service);
    const made: RegionStacks = { base, data, service };
    origin ??= made;
    regions.set(region, made);
  }
  const edge = new EdgeStack(scope, { zone, regions: [...regions.values()] });
  return { zoneStack, links, regions, edge };
}

/** Both directions of every pair; the peering connection is made by the first of the two. */
function linksOf(scope: Construct, bases: readonly BaseStack[]): readonly LinkStack[] {
  return bases.flatMap((from, index) =>
    bases.slice(index + 1).flatMap((to) => {
      const forth = new LinkStack(scope, { from, to, counterpart: null });
      return [forth, new LinkStack(scope, { from: to, to: from, counterpart: forth })];
    }),
  );
}
