import { aws_ec2 as ec2 } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { PORTS } from '../names.ts';

export interface NamedRouteTable {
  readonly name: string;
  readonly id: string;
}

export interface WayToRegionProps {
  readonly connectionId: string;
  /** Addresses of the other region's network. */
  readonly addressRange: string;
  /** Route tables of the tasks' and of the data's subnets: requests leave from the former, answers from both. */
  readonly routeTables: readonly NamedRouteTable[];
  readonly tasksGroupId: string;
  readonly loadBalancerGroupId: string;
  readonly databaseGroupId: string;
}

/**
 * A region's half of what joins it to another region: routes to the other's addresses, and rules for both directions. Tasks call the
 * other region's tasks (through its load balancer) and its database, for the writer may be there; and are called in the same way.
 * Rules name address ranges, since a security group can't name one of another region.
 */
export class WayToRegion extends Construct {
  constructor(scope: Construct, id: string, props: WayToRegionProps) {
    super(scope, id);
    const { connectionId, addressRange, routeTables } = props;
    for (const { name, id: routeTableId } of routeTables) {
      new ec2.CfnRoute(this, `${name}Route`, {
        routeTableId,
        destinationCidrBlock: addressRange,
        vpcPeeringConnectionId: connectionId,
      });
    }
    const tcp = (port: number): { ipProtocol: string; fromPort: number; toPort: number } => ({
      ipProtocol: 'tcp',
      fromPort: port,
      toPort: port,
    });
    for (const [name, port, description] of [
      ['ToPeers', PORTS.peers, 'Tasks of another region'],
      ['ToDatabase', PORTS.postgres, 'Database of another region'],
    ] as const) {
      new ec2.CfnSecurityGroupEgress(this, name, {
        ...tcp(port),
        groupId: props.tasksGroupId,
        cidrIp: addressRange,
        description,
      });
    }
    for (const [name, groupId, port] of [
      ['FromPeers', props.loadBalancerGroupId, PORTS.peers],
      ['FromTasks', props.databaseGroupId, PORTS.postgres],
    ] as const) {
      const description = 'Tasks of another region';
      new ec2.CfnSecurityGroupIngress(this, name, {
        ...tcp(port),
        groupId,
        cidrIp: addressRange,
        description,
      });
    }
  }
}
