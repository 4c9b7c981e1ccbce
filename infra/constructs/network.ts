import { aws_ec2 as ec2, type aws_logs as logs, Tags, Validations } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import ipaddr from 'ipaddr.js';

export interface NetworkProps {
  /** IPv4 range of the whole network, /16 to /20. */
  readonly addressRange: string;
  /** Two or three. */
  readonly availabilityZones: readonly string[];
  /** Public ranges that tasks reach through NAT gateways (`publicRanges`). None: there is no way out, and no NAT gateway. */
  readonly outsideRanges: readonly string[];
  /** Where flow logs go. */
  readonly flowLogs: logs.ILogGroup;
}

/** Names of the tiers of subnets, for `vpc.selectSubnets({ subnetGroupName })`. */
export const TIERS = { tasks: 'Tasks', data: 'Data', outside: 'Outside' } as const;

/** There is room for as many, even where a region starts with two: a third one moves nobody's addresses. */
const MAX_AVAILABILITY_ZONES = 3;

/**
 * Lengths of the subnets' prefixes in a network with an address range of /16 to /20. For each of three availability zones an eighth of
 * the range for tasks and the load balancer, a thirty-second for data, and a 256th (a /28 at least, which is the smallest that AWS has)
 * for NAT gateways. Half of the range stays free. Throws an Error naming the range where it is larger or smaller.
 */
export function subnetPrefixes(addressRange: string): {
  readonly tasks: number;
  readonly data: number;
  readonly outside: number;
} {
  const length = Number(/\/(\d+)$/.exec(addressRange)?.[1]);
  if (!(length >= 16 && length <= 20)) throw new Error(`address range ${addressRange} must be a /16 to /20`);
  return { tasks: length + 3, data: length + 5, outside: Math.min(length + 8, 28) };
}

/**
 * Those ranges that a NAT gateway can lead to. Private ones are in the network, in that of another region, or behind a connection that
 * the zone's owner makes and routes: a route through a NAT gateway would be in the way of all three.
 */
export function publicRanges(ranges: readonly string[]): readonly string[] {
  const privateKinds = new Set(['private', 'carrierGradeNat', 'linkLocal', 'loopback']);
  return ranges.filter((range) => !privateKinds.has(ipaddr.IPv4.parseCIDR(range)[0].range()));
}

/**
 * The network of a region: private subnets for tasks and for data, DNS, flow logs. Nothing comes in but through the accelerator, which
 * asks for an internet gateway on the network (it says that traffic from outside is wanted) and for no route to it. Nothing goes out,
 * but to `outsideRanges`, where there are some: then each availability zone has a NAT gateway, so that the loss of one costs the others
 * nothing, and the tasks have routes to these ranges alone.
 *
 * Flow logs tell of every connection, not of refused ones only: the load balancer has no access logs, so they are the one record of who
 * reached it, which is what one asks for after a leak. A connection is a line of about 150 bytes at each of its two ends in every ten
 * minutes: 10,000 connections that stay open cost some 7 dollars a month (0.50 a GB, us-east-1, 2026).
 *
 * Source for the gateway without a route: Global Accelerator's developer guide, "Secure VPC connections".
 */
export class Network extends Construct {
  readonly vpc: ec2.Vpc;
  readonly taskSubnets: readonly ec2.ISubnet[];
  readonly dataSubnets: readonly ec2.ISubnet[];

  constructor(scope: Construct, id: string, props: NetworkProps) {
    super(scope, id);
    const { addressRange, availabilityZones, outsideRanges, flowLogs } = props;
    const prefixes = subnetPrefixes(addressRange);
    this.vpc = new ec2.Vpc(this, 'Vpc', {
      ipAddresses: ec2.IpAddresses.cidr(addressRange),
      availabilityZones: [...availabilityZones],
      reservedAzs: MAX_AVAILABILITY_ZONES - availabilityZones.length,
      natGateways: 0,
      // Made below, in the same way whether there are public subnets or not: a network can have only one, and would otherwise be given
      // a second one when its zone turns to events that go outside.
      createInternetGateway: false,
      // It would be done by a Lambda function. Nothing is in the network's default group; infra/reachability.test.ts insists on it.
      restrictDefaultSecurityGroup: false,
      subnetConfiguration: [
        { name: TIERS.tasks, subnetType: ec2.SubnetType.PRIVATE_ISOLATED, cidrMask: prefixes.tasks },
        { name: TIERS.data, subnetType: ec2.SubnetType.PRIVATE_ISOLATED, cidrMask: prefixes.data },
        {
          name: TIERS.outside,
          subnetType: ec2.SubnetType.PUBLIC,
          cidrMask: prefixes.outside,
          mapPublicIpOnLaunch: false,
          reserved: outsideRanges.length === 0,
        },
      ],
    });
    Validations.of(this.vpc).acknowledge({
      id: 'CloudFormation-Validate::W3010',
      reason:
        'A region has the same zones for as long as it lives, whatever AWS adds: the topology names them.',
    });
    this.taskSubnets = this.vpc.selectSubnets({ subnetGroupName: TIERS.tasks }).subnets;
    this.dataSubnets = this.vpc.selectSubnets({ subnetGroupName: TIERS.data }).subnets;
    const gateway = new ec2.CfnInternetGateway(this, 'InternetGateway');
    Tags.of(gateway).add('Name', `${this.node.path}/InternetGateway`);
    const attachment = new ec2.CfnVPCGatewayAttachment(this, 'InternetGatewayAttachment', {
      vpcId: this.vpc.vpcId,
      internetGatewayId: gateway.ref,
    });
    if (outsideRanges.length > 0) this.#addWayOut(outsideRanges, gateway, attachment);
    this.vpc.addFlowLog('FlowLog', {
      destination: ec2.FlowLogDestination.toCloudWatchLogs(flowLogs),
      trafficType: ec2.FlowLogTrafficType.ALL,
    });
  }

  #addWayOut(
    ranges: readonly string[],
    gateway: ec2.CfnInternetGateway,
    attachment: ec2.CfnVPCGatewayAttachment,
  ): void {
    for (const [index, subnet] of this.vpc.publicSubnets.entries()) {
      const tasks = this.taskSubnets[index];
      if (!(subnet instanceof ec2.PublicSubnet) || tasks === undefined) {
        throw new Error(`no public subnet and no tasks in availability zone ${index} of ${this.node.path}`);
      }
      subnet.addDefaultInternetRoute(gateway.ref, attachment);
      const nat = subnet.addNatGateway();
      for (const range of ranges) {
        new ec2.CfnRoute(tasks, `To${range.replaceAll(/[./]/g, '-')}`, {
          routeTableId: tasks.routeTable.routeTableId,
          destinationCidrBlock: range,
          natGatewayId: nat.ref,
        });
      }
    }
  }
}
