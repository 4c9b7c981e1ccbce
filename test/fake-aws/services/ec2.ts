import { AWS_REGIONS, AWS_REGION_CODES } from '../../../topology/aws-regions.ts';
import type { Answer, Call, Service } from '../call.ts';
import { type Properties, textAt, textsAt } from '../values.ts';
import type { Resource, World } from '../world.ts';
import { availabilityZoneId, availabilityZones } from '../behaviours/availability-zones.ts';
import { callContext, removeByCall } from '../behaviours/by-call.ts';
import { groupsOf } from '../behaviours/ec2-interfaces.ts';
import {
  ENDPOINT,
  GATEWAY_ATTACHMENT,
  INTERFACE,
  INTERNET_GATEWAY,
  PEERING,
  ROUTE_TABLE,
  SECURITY_GROUP,
  SUBNET,
  VPC,
  existing,
} from '../behaviours/ec2-lookups.ts';
import { SECURITY_GROUP_BEHAVIOUR, groupName } from '../behaviours/ec2-security-groups.ts';
import { associationsOf } from '../behaviours/ec2-routes.ts';
import { requiredText } from '../behaviours/property-values.ts';
import { type Filters, selected } from './ec2-filters.ts';
import {
  endpointShape,
  gatewayShape,
  interfaceShape,
  items,
  peeringShape,
  routeTableShape,
  securityGroupShape,
  subnetShape,
  vpcShape,
} from './ec2-shapes.ts';

interface Describe {
  readonly type: string;
  /** Parameter with the ids. */
  readonly ids: string;
  /** Name of the list in the answer. */
  readonly set: string;
  readonly shape: (world: World, resource: Resource) => Properties;
  readonly filters: (world: World) => Filters;
  /** @default those of the place */
  readonly among?: (call: Call) => readonly Resource[];
}

function describe({ type, ids, set, shape, filters, among }: Describe): (call: Call) => Answer {
  return (call) => {
    const all = among?.(call) ?? call.world.all(type, call);
    const found = selected(all, call, { type, ids, filters: filters(call.world) });
    return { result: { [set]: items(found.map((one) => shape(call.world, one))) } };
  };
}

/** Amazon EC2's API, version 2016-11-15: what there is of networks, and deleting what Global Accelerator leaves behind. */
export const EC2_SERVICE: Service = {
  signingName: 'ec2',
  protocol: 'ec2',
  actions: {
    DescribeVpcs: describe({
      type: VPC,
      ids: 'VpcId',
      set: 'vpcSet',
      shape: vpcShape,
      filters: () => ({
        'vpc-id': ({ id }) => [id],
        cidr: ({ attributes }) => [attributes['CidrBlock']],
        'is-default': () => [false],
        state: () => ['available'],
      }),
    }),
    DescribeSubnets: describe({
      type: SUBNET,
      ids: 'SubnetId',
      set: 'subnetSet',
      shape: subnetShape,
      filters: () => ({
        'subnet-id': ({ id }) => [id],
        'availability-zone': ({ attributes }) => [attributes['AvailabilityZone']],
        'cidr-block': ({ attributes }) => [attributes['CidrBlock']],
        state: () => ['available'],
      }),
    }),
    DescribeNetworkInterfaces: describe({
      type: INTERFACE,
      ids: 'NetworkInterfaceId',
      set: 'networkInterfaceSet',
      shape: interfaceShape,
      filters: () => ({
        'network-interface-id': ({ id }) => [id],
        'subnet-id': ({ properties }) => [textAt(properties, 'SubnetId')],
        'group-id': groupsOf,
        description: ({ properties }) => [textAt(properties, 'Description')],
        'interface-type': ({ properties }) => [textAt(properties, 'InterfaceType')],
        status: () => ['in-use'],
      }),
    }),
    DescribeVpcEndpoints: describe({
      type: ENDPOINT,
      ids: 'VpcEndpointId',
      set: 'vpcEndpointSet',
      shape: endpointShape,
      filters: () => ({
        'vpc-endpoint-id': ({ id }) => [id],
        'service-name': ({ properties }) => [textAt(properties, 'ServiceName')],
        'vpc-endpoint-type': ({ properties }) => [textAt(properties, 'VpcEndpointType') ?? 'Gateway'],
        'vpc-endpoint-state': () => ['available'],
      }),
    }),
    DescribeSecurityGroups: describe({
      type: SECURITY_GROUP,
      ids: 'GroupId',
      set: 'securityGroupInfo',
      shape: securityGroupShape,
      filters: () => ({
        'group-id': ({ id }) => [id],
        'group-name': (one) => [groupName(one)],
      }),
    }),
    DescribeRouteTables: describe({
      type: ROUTE_TABLE,
      ids: 'RouteTableId',
      set: 'routeTableSet',
      shape: routeTableShape,
      filters: (world) => ({
        'route-table-id': ({ id }) => [id],
        'association.main': ({ state }) => [state.get('main') === true],
        'association.subnet-id': (one) =>
          associationsOf(world, one, 'RouteTableId', one.id).map(({ properties }) =>
            textAt(properties, 'SubnetId'),
          ),
      }),
    }),
    DescribeInternetGateways: describe({
      type: INTERNET_GATEWAY,
      ids: 'InternetGatewayId',
      set: 'internetGatewaySet',
      shape: gatewayShape,
      filters: (world) => ({
        'internet-gateway-id': ({ id }) => [id],
        'attachment.vpc-id': (one) =>
          world
            .all(GATEWAY_ATTACHMENT, one)
            .filter(({ properties }) => textAt(properties, 'InternetGatewayId') === one.id)
            .map(({ properties }) => textAt(properties, 'VpcId')),
      }),
    }),
    DescribeVpcPeeringConnections: describe({
      type: PEERING,
      ids: 'VpcPeeringConnectionId',
      set: 'vpcPeeringConnectionSet',
      shape: peeringShape,
      filters: () => ({
        'vpc-peering-connection-id': ({ id }) => [id],
        'requester-vpc-info.vpc-id': ({ properties }) => [textAt(properties, 'VpcId')],
        'accepter-vpc-info.vpc-id': ({ properties }) => [textAt(properties, 'PeerVpcId')],
        'status-code': () => ['active'],
      }),
      // Both ends' regions show it.
      among: ({ world, account, region }) =>
        world
          .all(PEERING)
          .filter(
            (one) =>
              one.account === account &&
              (one.region === region || textAt(one.properties, 'PeerRegion') === region),
          ),
    }),
    DescribeAvailabilityZones: ({ region, input }) => {
      const named = textsAt(input, 'ZoneName');
      const zones = availabilityZones(region).filter((zone) => named.length === 0 || named.includes(zone));
      return {
        result: {
          availabilityZoneInfo: items(
            zones.map((zone) => ({
              zoneName: zone,
              zoneId: availabilityZoneId(zone),
              zoneState: 'available',
              zoneType: 'availability-zone',
              regionName: region,
              groupName: region,
              optInStatus: 'opt-in-not-required',
              messageSet: items([]),
            })),
          ),
        },
      };
    },
    // Every region is one that the account has enabled.
    DescribeRegions: ({ input }) => {
      const named = textsAt(input, 'RegionName');
      const regions = AWS_REGION_CODES.filter((code) => named.length === 0 || named.includes(code));
      return {
        result: {
          regionInfo: items(
            regions.map((code) => ({
              regionName: code,
              regionEndpoint: `ec2.${code}.amazonaws.com`,
              optInStatus: AWS_REGIONS[code].optIn ? 'opted-in' : 'opt-in-not-required',
            })),
          ),
        },
      };
    },
    DeleteSecurityGroup: (call) => {
      const id = requiredText(call.input, 'GroupId');
      const group = existing(call.world, call, SECURITY_GROUP, id);
      removeByCall(callContext(call.world, group, id), SECURITY_GROUP_BEHAVIOUR, group);
      return { result: { return: true, groupId: id } };
    },
  },
};
