import { members } from '../call.ts';
import { type Json, type Properties, textAt, textsAt } from '../values.ts';
import type { Resource, World } from '../world.ts';
import { isGateway } from '../behaviours/ec2-endpoints.ts';
import { freeAddresses, groupsOf } from '../behaviours/ec2-interfaces.ts';
import { GATEWAY_ATTACHMENT, SECURITY_GROUP, SUBNET, VPC } from '../behaviours/ec2-lookups.ts';
import { otherEnd } from '../behaviours/ec2-peering.ts';
import { associationsOf, routeState, routesOf, targetOf } from '../behaviours/ec2-routes.ts';
import { effectiveRules, groupName } from '../behaviours/ec2-security-groups.ts';
import { type Direction, groupOf } from '../behaviours/ec2-security-rules.ts';
import { flagAt, numberAt, requiredText, scalarText } from '../behaviours/property-values.ts';
import { tagsOf, vpcOf } from './ec2-filters.ts';

/** A list as EC2 answers it: `<vpcSet><item>…</item></vpcSet>`. */
export function items(entries: readonly Json[]): Properties {
  return members(entries, 'item');
}

function tagSet(one: Resource): Properties {
  return items(tagsOf(one).map(({ Key, Value }) => ({ key: Key, value: Value })));
}

// Names of the members: EC2's API reference, "Data types"
// (https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_Types.html).

export function vpcShape(_world: World, one: Resource): Properties {
  const cidrBlock = requiredText(one.attributes, 'CidrBlock');
  return {
    vpcId: one.id,
    ownerId: one.account,
    state: 'available',
    cidrBlock,
    cidrBlockAssociationSet: items([{ cidrBlock, cidrBlockState: { state: 'associated' } }]),
    instanceTenancy: textAt(one.properties, 'InstanceTenancy') ?? 'default',
    isDefault: false,
    tagSet: tagSet(one),
  };
}

export function subnetShape(world: World, one: Resource): Properties {
  return {
    subnetId: one.id,
    subnetArn: `arn:aws:ec2:${one.region}:${one.account}:subnet/${one.id}`,
    state: 'available',
    vpcId: requiredText(one.properties, 'VpcId'),
    cidrBlock: requiredText(one.attributes, 'CidrBlock'),
    availableIpAddressCount: freeAddresses(world, one),
    availabilityZone: requiredText(one.attributes, 'AvailabilityZone'),
    availabilityZoneId: requiredText(one.attributes, 'AvailabilityZoneId'),
    defaultForAz: false,
    mapPublicIpOnLaunch: flagAt(one.properties, 'MapPublicIpOnLaunch') ?? false,
    ownerId: one.account,
    tagSet: tagSet(one),
  };
}

export function interfaceShape(world: World, one: Resource): Properties {
  const subnet = world.find(one, SUBNET, requiredText(one.properties, 'SubnetId'));
  return {
    networkInterfaceId: one.id,
    subnetId: requiredText(one.properties, 'SubnetId'),
    vpcId: vpcOf(one) ?? null,
    availabilityZone: subnet ? requiredText(subnet.attributes, 'AvailabilityZone') : null,
    description: textAt(one.properties, 'Description') ?? '',
    ownerId: one.account,
    requesterManaged: true,
    status: 'in-use',
    privateIpAddress: textAt(one.attributes, 'PrimaryPrivateIpAddress') ?? null,
    interfaceType: textAt(one.properties, 'InterfaceType') ?? 'interface',
    groupSet: groupSet(world, one, groupsOf(one)),
    tagSet: tagSet(one),
  };
}

export function endpointShape(world: World, one: Resource): Properties {
  const { properties, attributes } = one;
  return {
    vpcEndpointId: one.id,
    vpcEndpointType: isGateway(properties) ? 'Gateway' : 'Interface',
    vpcId: requiredText(properties, 'VpcId'),
    serviceName: requiredText(properties, 'ServiceName'),
    state: 'available',
    privateDnsEnabled: flagAt(properties, 'PrivateDnsEnabled') ?? false,
    requesterManaged: false,
    routeTableIdSet: items(textsAt(properties, 'RouteTableIds')),
    subnetIdSet: items(textsAt(properties, 'SubnetIds')),
    groupSet: groupSet(world, one, textsAt(properties, 'SecurityGroupIds')),
    networkInterfaceIdSet: items(textsAt(attributes, 'NetworkInterfaceIds')),
    dnsEntrySet: items(
      textsAt(attributes, 'DnsEntries').map((entry) => {
        const [hostedZoneId = '', dnsName = ''] = entry.split(':');
        return { dnsName, hostedZoneId };
      }),
    ),
    creationTimestamp: requiredText(attributes, 'CreationTimestamp'),
    ownerId: one.account,
    tagSet: tagSet(one),
  };
}

export function securityGroupShape(world: World, one: Resource): Properties {
  return {
    groupId: one.id,
    groupName: groupName(one) ?? '',
    groupDescription: textAt(one.properties, 'GroupDescription') ?? '',
    ownerId: one.account,
    vpcId: vpcOf(one) ?? null,
    ipPermissions: permissions(world, one, 'ingress'),
    ipPermissionsEgress: permissions(world, one, 'egress'),
    tagSet: tagSet(one),
  };
}

export function routeTableShape(world: World, one: Resource): Properties {
  const vpc = requiredText(one.properties, 'VpcId');
  const network = world.find(one, VPC, vpc);
  const isMain = one.state.get('main') === true;
  const associations = associationsOf(world, one, 'RouteTableId', one.id).map(({ id, properties }) => ({
    routeTableAssociationId: id,
    routeTableId: one.id,
    subnetId: requiredText(properties, 'SubnetId'),
    main: false,
  }));
  return {
    routeTableId: one.id,
    vpcId: vpc,
    ownerId: one.account,
    associationSet: items([...(isMain ? [{ routeTableId: one.id, main: true }] : []), ...associations]),
    routeSet: items([
      ...(network ? [localRoute(network)] : []),
      ...routesOf(world, one).map((route) => routeShape(world, route)),
    ]),
    tagSet: tagSet(one),
  };
}

export function gatewayShape(world: World, one: Resource): Properties {
  const attachments = world
    .all(GATEWAY_ATTACHMENT, one)
    .filter(({ properties }) => textAt(properties, 'InternetGatewayId') === one.id)
    .map(({ properties }) => ({ vpcId: requiredText(properties, 'VpcId'), state: 'available' }));
  return {
    internetGatewayId: one.id,
    ownerId: one.account,
    attachmentSet: items(attachments),
    tagSet: tagSet(one),
  };
}

export function peeringShape(world: World, one: Resource): Properties {
  const { properties } = one;
  const requester = world.find(one, VPC, requiredText(properties, 'VpcId'));
  const accepter = otherEnd(world, one, requiredText(properties, 'VpcId'));
  const isWhole = requester !== undefined && accepter !== undefined;
  return {
    vpcPeeringConnectionId: one.id,
    status: isWhole
      ? { code: 'active', message: 'Active' }
      : { code: 'deleted', message: 'Deleted by a VPC' },
    requesterVpcInfo: {
      vpcId: requiredText(properties, 'VpcId'),
      ownerId: one.account,
      region: one.region,
      cidrBlock: requester ? requiredText(requester.attributes, 'CidrBlock') : null,
    },
    accepterVpcInfo: {
      vpcId: requiredText(properties, 'PeerVpcId'),
      ownerId: textAt(properties, 'PeerOwnerId') ?? one.account,
      region: textAt(properties, 'PeerRegion') ?? one.region,
      cidrBlock: accepter ? requiredText(accepter.attributes, 'CidrBlock') : null,
    },
    tagSet: tagSet(one),
  };
}

function localRoute(vpc: Resource): Properties {
  return {
    destinationCidrBlock: requiredText(vpc.attributes, 'CidrBlock'),
    gatewayId: 'local',
    origin: 'CreateRouteTable',
    state: 'active',
  };
}

function routeShape(world: World, one: Resource): Properties {
  const [name, target] = targetOf(one.properties);
  const member = `${name.slice(0, 1).toLowerCase()}${name.slice(1)}`;
  return {
    destinationCidrBlock: requiredText(one.attributes, 'CidrBlock'),
    // An endpoint is shown as a gateway.
    [member === 'vpcEndpointId' ? 'gatewayId' : member]: target,
    origin: 'CreateRoute',
    state: routeState(world, one),
  };
}

function groupSet(world: World, one: Resource, groups: readonly string[]): Properties {
  return items(
    groups.map((id) => {
      const group = world.find(one, SECURITY_GROUP, id);
      return { groupId: id, groupName: (group && groupName(group)) ?? '' };
    }),
  );
}

function permissions(world: World, group: Resource, direction: Direction): Properties {
  return items(
    effectiveRules(world, group, direction).map((rule) => {
      const other = groupOf(rule, direction);
      const description = textAt(rule, 'Description') ?? null;
      const block = textAt(rule, 'CidrIp');
      return {
        ipProtocol: scalarText(rule['IpProtocol']),
        fromPort: numberAt(rule, 'FromPort') ?? null,
        toPort: numberAt(rule, 'ToPort') ?? null,
        groups: items(other === undefined ? [] : [{ groupId: other, userId: group.account, description }]),
        ipRanges: items(block === undefined ? [] : [{ cidrIp: block, description }]),
      };
    }),
  );
}
