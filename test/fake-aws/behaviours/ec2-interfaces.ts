import { Refusal } from '../refusal.ts';
import { type Json, type Place, type Properties, textAt, textsAt } from '../values.ts';
import type { Resource, World } from '../world.ts';
import { addressAt, blockOf, sizeOf } from './cidr.ts';
import { INTERFACE, SECURITY_GROUP, SUBNET, ec2Id, existing } from './ec2-lookups.ts';
import { requiredText } from './property-values.ts';

/** A network interface that a service puts into a subnet on behalf of what it runs there. */
export interface InterfaceRequest {
  /** ARN or id of what it belongs to: a load balancer, a VPC endpoint, a database cluster, a task. */
  readonly owner: string;
  readonly subnet: string;
  readonly groups: readonly string[];
  /** As DescribeNetworkInterfaces shows it: `ELB app/name/id`. */
  readonly description: string;
  /** `interface`, `vpc_endpoint`, `global_accelerator_managed`, … @default 'interface' */
  readonly kind?: string;
  /** Has it an address that the internet reaches? @default false */
  readonly public?: boolean;
}

// The first four addresses and the last one of a subnet are AWS's: "Subnet CIDR blocks"
// (https://docs.aws.amazon.com/vpc/latest/userguide/subnet-sizing.html).
const FIRST_FREE = 4;
const RESERVED = 5;
// "Amazon VPC quotas": security groups per network interface.
const GROUPS_MAX = 5;

/**
 * Puts an interface into a subnet; while it is there, neither subnet nor security groups can be deleted. Throws a Refusal where subnet
 * or groups don't exist, aren't of one VPC, or the subnet is full.
 */
export function addInterface(world: World, place: Place, request: InterfaceRequest): Resource {
  const subnet = existing(world, place, SUBNET, request.subnet);
  const vpc = requiredText(subnet.properties, 'VpcId');
  checkGroups(world, place, vpc, request.groups);
  const id = ec2Id(world, 'eni');
  return world.add({
    ...place,
    type: INTERFACE,
    id,
    stack: null,
    properties: {
      SubnetId: request.subnet,
      GroupSet: request.groups,
      Description: request.description,
      InterfaceType: request.kind ?? 'interface',
    },
    attributes: { Id: id, VpcId: vpc, PrimaryPrivateIpAddress: freeAddress(world, subnet) },
    state: new Map<string, Json>([
      ['owner', request.owner],
      ['public', request.public ?? false],
    ]),
  });
}

/** Takes all interfaces of an owner away. */
export function removeInterfaces(world: World, place: Place, owner: string): void {
  for (const one of interfacesOf(world, place, owner)) world.remove(one);
}

export function interfacesOf(world: World, place: Place, owner: string): readonly Resource[] {
  return world.all(INTERFACE, place).filter((one) => one.state.get('owner') === owner);
}

export function interfacesIn(world: World, place: Place, subnet: string): readonly Resource[] {
  return world.all(INTERFACE, place).filter(({ properties }) => textAt(properties, 'SubnetId') === subnet);
}

/** Are there addresses in this VPC that its internet gateway maps to public ones? */
export function hasPublicAddresses(world: World, place: Place, vpc: string): boolean {
  return world
    .all(INTERFACE, place)
    .some((one) => one.state.get('public') === true && one.attributes['VpcId'] === vpc);
}

/** Throws where one of the groups doesn't exist or is another VPC's, or there are too many. */
export function checkGroups(world: World, place: Place, vpc: string, groups: readonly string[]): void {
  if (groups.length > GROUPS_MAX) {
    throw new Refusal(
      'SecurityGroupsPerInterfaceLimitExceeded',
      'The maximum number of security groups per interface has been reached.',
    );
  }
  for (const group of groups) {
    const { attributes } = existing(world, place, SECURITY_GROUP, group);
    if (attributes['VpcId'] !== vpc) {
      throw new Refusal(
        'InvalidParameter',
        `Security group ${group} and VPC ${vpc} belong to different networks.`,
      );
    }
  }
}

/** How many addresses of a subnet nothing has yet. */
export function freeAddresses(world: World, subnet: Resource): number {
  const size = sizeOf(blockOf(requiredText(subnet.properties, 'CidrBlock')));
  return size - RESERVED - interfacesIn(world, subnet, subnet.id).length;
}

export function groupsOf(one: { readonly properties: Properties }): readonly string[] {
  return textsAt(one.properties, 'GroupSet');
}

function freeAddress(world: World, subnet: Resource): string {
  const block = blockOf(requiredText(subnet.properties, 'CidrBlock'));
  const taken = new Set(
    interfacesIn(world, subnet, subnet.id).map(({ attributes }) => attributes['PrimaryPrivateIpAddress']),
  );
  for (let offset = FIRST_FREE; offset < sizeOf(block) - 1; offset += 1) {
    const address = addressAt(block, offset);
    if (!taken.has(address)) return address;
  }
  throw new Refusal(
    'InsufficientFreeAddressesInSubnet',
    `The specified subnet does not have enough free addresses to satisfy the request.`,
  );
}
