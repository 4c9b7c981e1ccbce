import type { Construct } from 'constructs';
import { stackNames } from '../names.ts';
import type { BaseStack } from './base-stack.ts';
import { RegionStack } from './region-stack.ts';

export interface LinkStackProps {
  /** The region that this stack is in. */
  readonly from: BaseStack;
  readonly to: BaseStack;
  /** The stack of the other direction, where that one made the peering connection; null: this one makes it. */
  readonly counterpart: LinkStack | null;
}

/**
 * What leads from one region of a zone to another: peering, routes, security-group rules. A stack of its own for each direction, so
 * that adding or removing a region changes none of the other regions' stacks.
 */
export class LinkStack extends RegionStack {
  constructor(scope: Construct, { from, to }: LinkStackProps) {
    const { zone } = from;
    super(scope, {
      zone,
      region: from.here.region,
      stackName: stackNames.link(zone, from.here.region, to.here.region),
      description: `Keyhearth zone ${zone.name}: what leads from ${from.here.region} to ${to.here.region}`,
    });
  }
}
