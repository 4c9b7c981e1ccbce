import type { Behaviour, Context } from '../behaviour.ts';
import { Refusal } from '../refusal.ts';
import { type Json, type Properties, textAt } from '../values.ts';
import type { Resource, World } from '../world.ts';
import { availabilityZones, availabilityZoneId, checkAvailabilityZone } from './availability-zones.ts';
import { type AddressRange, blockOf, canonicalText, contains, overlap } from './cidr.ts';
import { interfacesIn } from './ec2-interfaces.ts';
import {
  ENDPOINT,
  GATEWAY_ATTACHMENT,
  NETWORK_ACL,
  ROUTE_TABLE,
  SECURITY_GROUP,
  SUBNET,
  VPC,
  ec2Id,
  existing,
  stillNeeded,
} from './ec2-lookups.ts';
import { livePeerings } from './ec2-peering.ts';
import { requiredText } from './property-values.ts';

/** Of a VPC and of its subnets: "Subnet CIDR blocks", https://docs.aws.amazon.com/vpc/latest/userguide/subnet-sizing.html. */
const PREFIX_MIN = 16;
const PREFIX_MAX = 28;

function networkOf(vpc: Resource): AddressRange {
  return blockOf(requiredText(vpc.attributes, 'CidrBlock'));
}

const vpc: Behaviour = {
  type: VPC,

  // "VPC CIDR blocks", https://docs.aws.amazon.com/vpc/latest/userguide/vpc-cidr-blocks.html.
  create(context, properties) {
    const { world, place } = context;
    const block = checkedBlock(requiredText(properties, 'CidrBlock'), 'InvalidVpc.Range');
    const id = ec2Id(world, 'vpc');
    // "Default security groups for your VPCs", "Main route table", "Default network ACL": every VPC comes with them.
    const common = { ...place, stack: null };
    const group = ec2Id(world, 'sg');
    world.add({
      ...common,
      type: SECURITY_GROUP,
      id: group,
      properties: {
        VpcId: id,
        GroupName: 'default',
        GroupDescription: 'default VPC security group',
        SecurityGroupIngress: [{ IpProtocol: '-1', SourceSecurityGroupId: group }],
        SecurityGroupEgress: [{ IpProtocol: '-1', CidrIp: '0.0.0.0/0' }],
      },
      attributes: { GroupId: group, VpcId: id, Id: group },
    });
    const table = ec2Id(world, 'rtb');
    world.add({
      ...common,
      type: ROUTE_TABLE,
      id: table,
      properties: { VpcId: id },
      attributes: { RouteTableId: table },
      state: new Map([['main', true]]),
    });
    const acl = ec2Id(world, 'acl');
    world.add({
      ...common,
      type: NETWORK_ACL,
      id: acl,
      properties: { VpcId: id },
      attributes: { Id: acl },
      state: new Map([['default', true]]),
    });
    return {
      id,
      attributes: {
        VpcId: id,
        CidrBlock: canonicalText(block),
        CidrBlockAssociations: [ec2Id(world, 'vpc-cidr-assoc')],
        DefaultSecurityGroup: group,
        DefaultNetworkAcl: acl,
        Ipv6CidrBlocks: [],
      },
    };
  },

  // "Delete your VPC", https://docs.aws.amazon.com/vpc/latest/userguide/delete-vpc.html: what came with it goes with it, all else is
  // in its way. That an active peering connection is too: AWS's answer "How do I troubleshoot dependency errors when I delete my VPC".
  remove({ world, place }, { id }) {
    const own = [SECURITY_GROUP, ROUTE_TABLE, NETWORK_ACL].flatMap((type) => within(world, place, type, id));
    const inTheWay = [SUBNET, GATEWAY_ATTACHMENT, ENDPOINT].some(
      (type) => within(world, place, type, id).length > 0,
    );
    if (
      inTheWay ||
      own.some((one) => !cameWithVpc(one)) ||
      livePeerings(world, place.account, id).length > 0
    ) {
      throw stillNeeded('vpc', id);
    }
    for (const one of own) world.remove(one);
  },
};

const subnet: Behaviour = {
  type: SUBNET,

  // "Subnet CIDR blocks", https://docs.aws.amazon.com/vpc/latest/userguide/subnet-sizing.html, and CreateSubnet in EC2's reference.
  create({ world, place }, properties) {
    const network = existing(world, place, VPC, requiredText(properties, 'VpcId'));
    const text = requiredText(properties, 'CidrBlock');
    const block = checkedBlock(text, 'InvalidSubnet.Range');
    if (!contains(networkOf(network), block)) {
      throw new Refusal('InvalidSubnet.Range', `The CIDR '${text}' is invalid.`);
    }
    const conflict = within(world, place, SUBNET, network.id).some((other) =>
      overlap(blockOf(requiredText(other.properties, 'CidrBlock')), block),
    );
    if (conflict) {
      throw new Refusal('InvalidSubnet.Conflict', `The CIDR '${text}' conflicts with another subnet`);
    }
    const zone = textAt(properties, 'AvailabilityZone') ?? availabilityZones(place.region)[0] ?? '';
    checkAvailabilityZone(place.region, zone);
    const id = ec2Id(world, 'subnet');
    return {
      id,
      attributes: {
        SubnetId: id,
        VpcId: network.id,
        CidrBlock: canonicalText(block),
        AvailabilityZone: zone,
        AvailabilityZoneId: availabilityZoneId(zone),
        NetworkAclAssociationId: ec2Id(world, 'aclassoc'),
        Ipv6CidrBlocks: [],
        OutpostArn: '',
      },
    };
  },

  // "Delete a subnet", https://docs.aws.amazon.com/vpc/latest/userguide/subnet-deleting.html: not while it has network interfaces,
  // whoever made them.
  remove({ world, place }, { id }) {
    if (interfacesIn(world, place, id).length > 0) throw stillNeeded('subnet', id);
  },
};

const networkAcl: Behaviour = {
  type: NETWORK_ACL,
  create({ world, place }, properties) {
    existing(world, place, VPC, requiredText(properties, 'VpcId'));
    const id = ec2Id(world, 'acl');
    return { id, attributes: { Id: id } };
  },
};

export const EC2_VPC: readonly Behaviour[] = [vpc, subnet, networkAcl];

/** What of a type belongs to a VPC. */
export function within(world: World, place: Context['place'], type: string, id: string): readonly Resource[] {
  return world.all(type, place).filter(({ properties }) => textAt(properties, 'VpcId') === id);
}

function cameWithVpc({ type, properties, state }: Resource): boolean {
  const marks: Readonly<Record<string, Json | undefined>> = {
    [SECURITY_GROUP]: nameOf(properties) === 'default',
    [ROUTE_TABLE]: state.get('main'),
    [NETWORK_ACL]: state.get('default'),
  };
  return marks[type] === true;
}

function nameOf(properties: Properties): string | undefined {
  return textAt(properties, 'GroupName');
}

function checkedBlock(text: string, code: string): AddressRange {
  const block = blockOf(text);
  if (block.prefix < PREFIX_MIN || block.prefix > PREFIX_MAX) {
    throw new Refusal(code, `The CIDR '${text}' is invalid.`);
  }
  return block;
}
