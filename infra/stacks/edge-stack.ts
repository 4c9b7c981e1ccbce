import type { Construct } from 'constructs';
import type { ZoneDeployment } from '../../topology/deployment.ts';
import { stackNames } from '../names.ts';
import type { BaseStack } from './base-stack.ts';
import type { DataStack } from './data-stack.ts';
import { RegionStack } from './region-stack.ts';
import type { ServiceStack } from './service-stack.ts';

/** The stacks of one region. */
export interface RegionStacks {
  readonly base: BaseStack;
  readonly data: DataStack;
  readonly service: ServiceStack;
}

export interface EdgeStackProps {
  readonly zone: ZoneDeployment;
  /** Of all regions, the origin first. */
  readonly regions: readonly RegionStacks[];
}

/** Where clients come in: the accelerator with its listeners, the hostname, and the zone's dashboard. */
export class EdgeStack extends RegionStack {
  constructor(scope: Construct, { zone }: EdgeStackProps) {
    super(scope, {
      zone,
      region: zone.origin,
      stackName: stackNames.edge(zone),
      description: `Keyhearth zone ${zone.name}: accelerator, hostname and dashboard`,
      holdsData: true,
    });
  }
}
