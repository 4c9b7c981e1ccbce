import { aws_ec2 as ec2, Tags } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import type { AwsRegion } from '../../topology/aws-regions.ts';
import { WayToRegion } from '../constructs/peering.ts';
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
 *
 * Names need nothing here: those of the database and of load balancers are public names of private addresses, and the regions' names
 * for each other are in a private zone that all networks see. (What a peering connection can do about DNS concerns names of instances
 * with public addresses.)
 */
export class LinkStack extends RegionStack {
  /** The region that it leads to. */
  readonly target: AwsRegion;
  readonly connectionId: string;

  constructor(scope: Construct, { from, to, counterpart }: LinkStackProps) {
    const { zone } = from;
    super(scope, {
      zone,
      region: from.here.region,
      stackName: stackNames.link(zone, from.here.region, to.here.region),
      description: `Keyhearth zone ${zone.name}: what leads from ${from.here.region} to ${to.here.region}`,
    });
    this.target = to.here.region;
    const { vpcId, routeTables, tasksGroupId, loadBalancerGroupId, databaseGroupId } = from.factsFor(this);
    // The counterpart's is a reference to its resource: so that stack is deployed before, and deleted after, this one.
    this.connectionId =
      counterpart === null ? this.#connect(vpcId, to.factsFor(this).vpcId, to) : counterpart.connectionId;
    new WayToRegion(this, 'Way', {
      connectionId: this.connectionId,
      addressRange: to.here.addressRange,
      routeTables,
      tasksGroupId,
      loadBalancerGroupId,
      databaseGroupId,
    });
  }

  /** Both networks belong to one account, so CloudFormation accepts on the other side as well. */
  #connect(vpcId: string, peerVpcId: string, to: BaseStack): string {
    const connection = new ec2.CfnVPCPeeringConnection(this, 'Connection', {
      vpcId,
      peerVpcId,
      peerRegion: to.here.region,
    });
    Tags.of(connection).add('Name', this.stackName);
    return connection.ref;
  }
}
