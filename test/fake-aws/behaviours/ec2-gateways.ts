import type { Behaviour } from '../behaviour.ts';
import { Refusal } from '../refusal.ts';
import { textAt } from '../values.ts';
import type { World, Resource } from '../world.ts';
import { addInterface, hasPublicAddresses, removeInterfaces } from './ec2-interfaces.ts';
import {
  ELASTIC_ADDRESS,
  GATEWAY_ATTACHMENT,
  INTERNET_GATEWAY,
  NAT_GATEWAY,
  SUBNET,
  VPC,
  ec2Id,
  existing,
  stillNeeded,
} from './ec2-lookups.ts';
import { requiredText } from './property-values.ts';

const internetGateway: Behaviour = {
  type: INTERNET_GATEWAY,
  create({ world }) {
    const id = ec2Id(world, 'igw');
    return { id, attributes: { InternetGatewayId: id } };
  },
  // "Delete your internet gateway": it has to be detached first.
  remove({ world, place }, { id }) {
    const attached = world
      .all(GATEWAY_ATTACHMENT, place)
      .some(({ properties }) => textAt(properties, 'InternetGatewayId') === id);
    if (attached) throw stillNeeded('internetGateway', id);
  },
};

// "Enable internet access for a VPC using an internet gateway",
// https://docs.aws.amazon.com/vpc/latest/userguide/VPC_Internet_Gateway.html; AttachInternetGateway and DetachInternetGateway.
const attachment: Behaviour = {
  type: GATEWAY_ATTACHMENT,
  create({ world, place }, properties) {
    const vpc = existing(world, place, VPC, requiredText(properties, 'VpcId'));
    const gateway = textAt(properties, 'InternetGatewayId');
    if (gateway === undefined) {
      throw new Refusal('InvalidParameterCombination', 'Only internet gateways can be attached here');
    }
    existing(world, place, INTERNET_GATEWAY, gateway);
    const taken = world
      .all(GATEWAY_ATTACHMENT, place)
      .find((other) => textAt(other.properties, 'InternetGatewayId') === gateway);
    if (taken !== undefined) {
      throw new Refusal(
        'Resource.AlreadyAssociated',
        `resource ${gateway} is already attached to network ${requiredText(taken.properties, 'VpcId')}`,
      );
    }
    if (hasInternetGateway(world, vpc)) {
      throw new Refusal(
        'InvalidParameterValue',
        `Network ${vpc.id} already has an internet gateway attached`,
      );
    }
    return { id: `IGW|${vpc.id}`, attributes: { AttachmentType: 'IGW' } };
  },
  remove({ world, place }, { properties }) {
    const vpc = requiredText(properties, 'VpcId');
    if (!hasPublicAddresses(world, place, vpc)) return;
    throw new Refusal(
      'DependencyViolation',
      `Network ${vpc} has some mapped public address(es). Please unmap those public address(es) before detaching the gateway.`,
    );
  },
};

export function hasInternetGateway(world: World, vpc: Resource): boolean {
  return world
    .all(GATEWAY_ATTACHMENT, vpc)
    .some(
      ({ properties }) =>
        textAt(properties, 'VpcId') === vpc.id && textAt(properties, 'InternetGatewayId') !== undefined,
    );
}

// "Elastic IP addresses", https://docs.aws.amazon.com/vpc/latest/userguide/vpc-eips.html. `Ref` is the address.
const elasticAddress: Behaviour = {
  type: ELASTIC_ADDRESS,
  create({ world }) {
    const number = Number.parseInt(world.hex(5), 16);
    // 198.18.0.0/15 is for measurements within a laboratory (RFC 2544): nobody is reached there.
    const address = `198.${18 + (Math.floor(number / 65_536) % 2)}.${Math.floor(number / 256) % 256}.${number % 256}`;
    return { id: address, attributes: { PublicIp: address, AllocationId: ec2Id(world, 'eipalloc') } };
  },
  remove({ world, place }, resource) {
    const allocation = resource.attributes['AllocationId'];
    const inUse = world
      .all(NAT_GATEWAY, place)
      .some(({ properties }) => properties['AllocationId'] === allocation);
    if (inUse) {
      throw new Refusal(
        'InvalidIPAddress.InUse',
        `Address ${resource.id} is in use by a NAT gateway and can't be released.`,
      );
    }
  },
};

// "NAT gateway basics", https://docs.aws.amazon.com/vpc/latest/userguide/nat-gateway-basics.html.
const natGateway: Behaviour = {
  type: NAT_GATEWAY,
  create({ world, place }, properties) {
    const subnet = existing(world, place, SUBNET, requiredText(properties, 'SubnetId'));
    const vpcId = requiredText(subnet.properties, 'VpcId');
    const isPrivate = textAt(properties, 'ConnectivityType') === 'private';
    const allocation = textAt(properties, 'AllocationId');
    if (!isPrivate) {
      if (allocation === undefined) {
        throw new Refusal(
          'MissingParameter',
          'The request must include the AllocationId parameter. Add the required parameter and retry the request.',
        );
      }
      checkAllocation(world, place, allocation);
      if (!hasInternetGateway(world, existing(world, place, VPC, vpcId))) {
        throw new Refusal('Gateway.NotAttached', `Network ${vpcId} has no Internet gateway attached`);
      }
    }
    const id = ec2Id(world, 'nat');
    const owned = addInterface(world, place, {
      owner: id,
      subnet: subnet.id,
      groups: [],
      description: `Interface for NAT Gateway ${id}`,
      kind: 'nat_gateway',
      public: !isPrivate,
    });
    return { id, attributes: { NatGatewayId: id, EniId: owned.id }, state: new Map([['vpc', vpcId]]) };
  },
  remove({ world, place }, { id }) {
    removeInterfaces(world, place, id);
  },
};

export const EC2_GATEWAYS: readonly Behaviour[] = [internetGateway, attachment, elasticAddress, natGateway];

function checkAllocation(world: World, place: { account: string; region: string }, allocation: string): void {
  const address = world
    .all(ELASTIC_ADDRESS, place)
    .find(({ attributes }) => attributes['AllocationId'] === allocation);
  if (address === undefined) {
    throw new Refusal('InvalidAllocationID.NotFound', `The allocation ID '${allocation}' does not exist`);
  }
  const taken = world
    .all(NAT_GATEWAY, place)
    .some(({ properties }) => properties['AllocationId'] === allocation);
  if (taken) {
    throw new Refusal(
      'Resource.AlreadyAssociated',
      `Elastic IP address [${allocation}] is already associated`,
    );
  }
}
