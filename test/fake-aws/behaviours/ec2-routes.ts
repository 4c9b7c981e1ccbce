import type { Behaviour, Context } from '../behaviour.ts';
import { Refusal } from '../refusal.ts';
import { type Properties, textAt } from '../values.ts';
import type { Resource, World } from '../world.ts';
import { blockOf, canonicalText, contains } from './cidr.ts';
import {
  GATEWAY_ATTACHMENT,
  INTERFACE,
  INTERNET_GATEWAY,
  NAT_GATEWAY,
  PEERING,
  ENDPOINT,
  ROUTE,
  ROUTE_TABLE,
  SUBNET,
  TABLE_ASSOCIATION,
  VPC,
  ec2Id,
  existing,
  notFound,
  stillNeeded,
} from './ec2-lookups.ts';
import { livePeerings, otherEnd } from './ec2-peering.ts';
import { requiredText } from './property-values.ts';

const routeTable: Behaviour = {
  type: ROUTE_TABLE,
  create({ world, place }, properties) {
    existing(world, place, VPC, requiredText(properties, 'VpcId'));
    const id = ec2Id(world, 'rtb');
    return { id, attributes: { RouteTableId: id } };
  },
  // DeleteRouteTable, https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DeleteRouteTable.html: subnets must be disassociated
  // first. Its routes go with it, whichever stack made them.
  remove({ world, place }, { id }) {
    if (associationsOf(world, place, 'RouteTableId', id).length > 0) throw stillNeeded('routeTable', id);
  },
};

const association: Behaviour = {
  type: TABLE_ASSOCIATION,
  // AssociateRouteTable: table and subnet are of one VPC, and a subnet has one table.
  create({ world, place }, properties) {
    const table = existing(world, place, ROUTE_TABLE, requiredText(properties, 'RouteTableId'));
    const subnet = existing(world, place, SUBNET, requiredText(properties, 'SubnetId'));
    if (textAt(table.properties, 'VpcId') !== textAt(subnet.properties, 'VpcId')) {
      throw new Refusal(
        'InvalidParameterValue',
        `route table ${table.id} and subnet ${subnet.id} belong to different networks`,
      );
    }
    const [other] = associationsOf(world, place, 'SubnetId', subnet.id);
    if (other !== undefined) {
      throw new Refusal(
        'Resource.AlreadyAssociated',
        `the specified association for route table ${table.id} conflicts with an existing association`,
      );
    }
    const id = ec2Id(world, 'rtbassoc');
    return { id, attributes: { Id: id } };
  },
};

const TARGETS = {
  GatewayId: INTERNET_GATEWAY,
  NatGatewayId: NAT_GATEWAY,
  VpcPeeringConnectionId: PEERING,
  NetworkInterfaceId: INTERFACE,
  VpcEndpointId: ENDPOINT,
} as const;

const route: Behaviour = {
  type: ROUTE,
  // CreateRoute, https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateRoute.html.
  create(context, properties) {
    const { world, place } = context;
    const table = existing(world, place, ROUTE_TABLE, requiredText(properties, 'RouteTableId'));
    const destination = destinationOf(properties);
    checkLocal(world, table, properties, destination);
    if (routesOf(world, table).some((other) => destinationOf(other.properties) === destination)) {
      throw new Refusal('RouteAlreadyExists', `The route identified by ${destination} already exists.`);
    }
    checkTarget(context, table, properties);
    return { id: `${table.id}|${destination}`, attributes: { CidrBlock: destination } };
  },
  update(context, _route, properties) {
    const { world, place } = context;
    const table = existing(world, place, ROUTE_TABLE, requiredText(properties, 'RouteTableId'));
    checkTarget(context, table, properties);
    return undefined;
  },
};

export const EC2_ROUTES: readonly Behaviour[] = [routeTable, association, route];

export function associationsOf(
  world: World,
  place: Context['place'],
  property: 'RouteTableId' | 'SubnetId',
  id: string,
): readonly Resource[] {
  return world.all(TABLE_ASSOCIATION, place).filter(({ properties }) => textAt(properties, property) === id);
}

/** Routes that were added to a table; the one within the VPC isn't among them. */
export function routesOf(world: World, table: Resource): readonly Resource[] {
  return world.all(ROUTE, table).filter(({ properties }) => textAt(properties, 'RouteTableId') === table.id);
}

/** A route whose target is gone stays, and drops what it gets: "Example routing options" in Amazon VPC's guide. */
export function routeState(world: World, one: Resource): 'active' | 'blackhole' {
  const table = world.find(one, ROUTE_TABLE, requiredText(one.properties, 'RouteTableId'));
  if (table === undefined) return 'blackhole';
  try {
    checkTarget({ world, place: one }, table, one.properties);
    return 'active';
  } catch (error) {
    if (error instanceof Refusal) return 'blackhole';
    throw error;
  }
}

/** Which property names a route's target, and what it says. */
export function targetOf(properties: Properties): readonly [keyof typeof TARGETS, string] {
  const names = Object.keys(TARGETS).filter(
    (name): name is keyof typeof TARGETS => textAt(properties, name) !== undefined,
  );
  const [name] = names;
  if (name === undefined || names.length > 1) {
    throw new Refusal(
      'InvalidParameterCombination',
      'A route needs exactly one target: gateway, NAT gateway, peering connection, network interface or VPC endpoint',
    );
  }
  return [name, requiredText(properties, name)];
}

function checkTarget(
  { world, place }: Pick<Context, 'world' | 'place'>,
  table: Resource,
  properties: Properties,
): void {
  const vpc = requiredText(table.properties, 'VpcId');
  const [name, id] = targetOf(properties);
  if (name === 'VpcPeeringConnectionId') {
    const connection = livePeerings(world, place.account, vpc).find((one) => one.id === id);
    if (connection !== undefined && otherEnd(world, connection, vpc) !== undefined) return;
    // A connection of other VPCs is as unknown to this one's tables as none.
    throw notFound(PEERING, id);
  }
  const target = existing(world, place, TARGETS[name], id);
  if (vpcOf(world, target) === vpc) return;
  const noun = name === 'GatewayId' ? 'network gateway' : 'target';
  throw new Refusal(
    'InvalidParameterValue',
    `route table ${table.id} and ${noun} ${id} belong to different networks`,
  );
}

function vpcOf(world: World, target: Resource): string | undefined {
  if (target.type !== INTERNET_GATEWAY) {
    const kept = target.state.get('vpc') ?? target.attributes['VpcId'] ?? target.properties['VpcId'];
    return typeof kept === 'string' ? kept : undefined;
  }
  const attachment = world
    .all(GATEWAY_ATTACHMENT, target)
    .find(({ properties }) => textAt(properties, 'InternetGatewayId') === target.id);
  return attachment && textAt(attachment.properties, 'VpcId');
}

function destinationOf(properties: Properties): string {
  const block = textAt(properties, 'DestinationCidrBlock');
  if (block !== undefined) return canonicalText(blockOf(block));
  const other =
    textAt(properties, 'DestinationIpv6CidrBlock') ?? textAt(properties, 'DestinationPrefixListId');
  if (other !== undefined) return other;
  throw new Refusal(
    'MissingParameter',
    'The request must contain the parameter destinationCidrBlock or destinationIpv6CidrBlock or destinationPrefixListId',
  );
}

/** What is within the VPC goes the local way; only an interface may be put into it ("Route tables", "Local route"). */
function checkLocal(world: World, table: Resource, properties: Properties, destination: string): void {
  if (textAt(properties, 'DestinationCidrBlock') === undefined) return;
  if (textAt(properties, 'NetworkInterfaceId') !== undefined) return;
  const vpc = existing(world, table, VPC, requiredText(table.properties, 'VpcId'));
  if (!contains(blockOf(requiredText(vpc.attributes, 'CidrBlock')), blockOf(destination))) return;
  throw new Refusal(
    'InvalidParameterValue',
    `The destination CIDR block ${destination} is equal to or more specific than one of this VPC's CIDR blocks. This route can target only an interface or an instance.`,
  );
}
