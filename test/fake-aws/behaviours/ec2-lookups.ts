import { Refusal } from '../refusal.ts';
import type { Place } from '../values.ts';
import type { Resource, World } from '../world.ts';

export const VPC = 'AWS::EC2::VPC';
export const SUBNET = 'AWS::EC2::Subnet';
export const ROUTE_TABLE = 'AWS::EC2::RouteTable';
export const ROUTE = 'AWS::EC2::Route';
export const TABLE_ASSOCIATION = 'AWS::EC2::SubnetRouteTableAssociation';
export const INTERNET_GATEWAY = 'AWS::EC2::InternetGateway';
export const GATEWAY_ATTACHMENT = 'AWS::EC2::VPCGatewayAttachment';
export const NAT_GATEWAY = 'AWS::EC2::NatGateway';
export const ELASTIC_ADDRESS = 'AWS::EC2::EIP';
export const SECURITY_GROUP = 'AWS::EC2::SecurityGroup';
export const INGRESS = 'AWS::EC2::SecurityGroupIngress';
export const EGRESS = 'AWS::EC2::SecurityGroupEgress';
export const ENDPOINT = 'AWS::EC2::VPCEndpoint';
export const PEERING = 'AWS::EC2::VPCPeeringConnection';
export const FLOW_LOG = 'AWS::EC2::FlowLog';
export const INTERFACE = 'AWS::EC2::NetworkInterface';
export const NETWORK_ACL = 'AWS::EC2::NetworkAcl';

// "Error codes for the Amazon EC2 API"
// (https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html).
const NOT_FOUND: Readonly<Record<string, (id: string) => readonly [code: string, sentence: string]>> = {
  [VPC]: (id) => ['InvalidVpcID.NotFound', `The vpc ID '${id}' does not exist`],
  [SUBNET]: (id) => ['InvalidSubnetID.NotFound', `The subnet ID '${id}' does not exist`],
  [ROUTE_TABLE]: (id) => ['InvalidRouteTableID.NotFound', `The routeTable ID '${id}' does not exist`],
  [INTERNET_GATEWAY]: (id) => [
    'InvalidInternetGatewayID.NotFound',
    `The internetGateway ID '${id}' does not exist`,
  ],
  [NAT_GATEWAY]: (id) => ['NatGatewayNotFound', `The Nat Gateway ${id} was not found`],
  [SECURITY_GROUP]: (id) => ['InvalidGroup.NotFound', `The security group '${id}' does not exist`],
  [ENDPOINT]: (id) => ['InvalidVpcEndpointId.NotFound', `The Vpc Endpoint Id '${id}' does not exist`],
  [INTERFACE]: (id) => [
    'InvalidNetworkInterfaceID.NotFound',
    `The networkInterface ID '${id}' does not exist`,
  ],
  [PEERING]: (id) => [
    'InvalidVpcPeeringConnectionID.NotFound',
    `The vpcPeeringConnection ID '${id}' does not exist`,
  ],
  [NETWORK_ACL]: (id) => ['InvalidNetworkAclID.NotFound', `The networkAcl ID '${id}' does not exist`],
};

/** What exists of an EC2 type in a place. Throws EC2's `…NotFound` where there is none of that id. */
export function existing(world: World, place: Place, type: string, id: string): Resource {
  const found = world.find(place, type, id);
  if (found !== undefined) return found;
  throw notFound(type, id);
}

export function notFound(type: string, id: string): Refusal {
  const [code, sentence] = NOT_FOUND[type]?.(id) ?? ['InvalidParameterValue', `${id} does not exist`];
  return new Refusal(code, sentence);
}

/** EC2's answer to deleting what something else still needs: `noun` as EC2 writes it, `routeTable`. */
export function stillNeeded(noun: string, id: string): Refusal {
  return new Refusal('DependencyViolation', `The ${noun} '${id}' has dependencies and cannot be deleted.`);
}

/** An id as EC2 makes them up: a prefix and 17 hex digits. */
export function ec2Id(world: World, prefix: string): string {
  return `${prefix}-0${world.hex(16)}`;
}
