import { type Place, textAt, textsAt } from '../values.ts';
import type { Resource, World } from '../world.ts';
import { ENDPOINT, ROUTE, ROUTE_TABLE, SUBNET, TABLE_ASSOCIATION } from './ec2-lookups.ts';
import { flagAt, requiredText } from './property-values.ts';

/** Where a task's network interfaces lie. */
export interface TaskNetwork {
  readonly subnets: readonly string[];
  readonly securityGroups: readonly string[];
  readonly publicAddress: boolean;
}

/**
 * Does a subnet lead to the internet: through a NAT gateway, or through an internet gateway for tasks with a public address?
 * Source: "Amazon ECS task networking options for Fargate"
 * (https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-task-networking.html). Security groups aren't evaluated.
 */
export function reachesInternet(world: World, place: Place, subnet: string, publicAddress: boolean): boolean {
  const table = tableOf(world, place, subnet);
  return world
    .all(ROUTE, place)
    .filter(
      ({ properties }) =>
        properties['RouteTableId'] === table && properties['DestinationCidrBlock'] === '0.0.0.0/0',
    )
    .some(
      ({ properties }) =>
        properties['NatGatewayId'] !== undefined ||
        properties['TransitGatewayId'] !== undefined ||
        (publicAddress && properties['GatewayId'] !== undefined),
    );
}

/** Does a VPC endpoint lead from a subnet to a service of its region: `ecr.api`, `s3`? */
export function reachesService(world: World, place: Place, subnet: string, service: string): boolean {
  const vpc = vpcOf(world, place, subnet);
  const table = tableOf(world, place, subnet);
  return world
    .all(ENDPOINT, place)
    .filter(
      ({ properties }) =>
        properties['VpcId'] === vpc &&
        properties['ServiceName'] === `com.amazonaws.${place.region}.${service}`,
    )
    .some(({ properties }) =>
      (textAt(properties, 'VpcEndpointType') ?? 'Gateway') === 'Gateway'
        ? table !== undefined && textsAt(properties, 'RouteTableIds').includes(table)
        : flagAt(properties, 'PrivateDnsEnabled') === true || service === 's3',
    );
}

export function vpcOf(world: World, place: Place, subnet: string): string | undefined {
  const found = world.find(place, SUBNET, subnet);
  return found && requiredText(found.properties, 'VpcId');
}

/** The table that is associated with a subnet, or its VPC's main one. */
function tableOf(world: World, place: Place, subnet: string): string | undefined {
  const isOf = (one: Resource): boolean => one.properties['SubnetId'] === subnet;
  const association = world.all(TABLE_ASSOCIATION, place).find(isOf);
  if (association !== undefined) return textAt(association.properties, 'RouteTableId');
  const vpc = vpcOf(world, place, subnet);
  return world
    .all(ROUTE_TABLE, place)
    .find(({ properties, state }) => properties['VpcId'] === vpc && state.get('main') === true)?.id;
}
