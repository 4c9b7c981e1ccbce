import { type Json, type Place, type Properties, isProperties, textAt } from '../values.ts';
import { type Resource, type World, globalPlace } from '../world.ts';
import { addInterface } from './ec2-interfaces.ts';
import { INTERFACE, SECURITY_GROUP, ec2Id } from './ec2-lookups.ts';
import { LOAD_BALANCER } from './elbv2-lookups.ts';
import { isInternal, subnetsOf } from './elbv2-load-balancers.ts';
import { ENDPOINT_GROUP } from './global-accelerator-lookups.ts';
import { flagAt, objectsAt, requiredText, scalarText } from './property-values.ts';

const KIND = 'global_accelerator_managed';
/** AWS's own name for the group that it puts its interfaces in. */
const ACCELERATOR_GROUP_NAME = 'GlobalAccelerator';

/** A subnet that an endpoint needs an interface in. */
interface Entry {
  readonly region: string;
  readonly vpc: string;
  readonly subnet: string;
}

/**
 * Where an endpoint group's endpoints need interfaces: in each subnet of a load balancer that gets to see clients' addresses. An
 * internal one always does; one that faces the internet unless it is told not to.
 * Source: "Best practices for client IP address preservation",
 * https://docs.aws.amazon.com/global-accelerator/latest/dg/best-practices-aga.html.
 */
export function interfacesNeeded(world: World, place: Place, properties: Properties): readonly Entry[] {
  const region = requiredText(properties, 'EndpointGroupRegion');
  return objectsAt(properties, 'EndpointConfigurations').flatMap((endpoint) => {
    const balancer = world.find(
      { account: place.account, region },
      LOAD_BALANCER,
      requiredText(endpoint, 'EndpointId'),
    );
    if (balancer === undefined) return [];
    const preserves = flagAt(endpoint, 'ClientIPPreservationEnabled') ?? true;
    if (!preserves && !isInternal(balancer.properties)) return [];
    const vpc = scalarText(balancer.state.get('vpc'));
    return subnetsOf(balancer.properties).map((subnet) => ({ region, vpc, subnet }));
  });
}

/** As a group's state keeps them: they stay although the load balancer goes. */
export function entriesAsState(entries: readonly Entry[]): Json {
  return entries.map(({ region, vpc, subnet }) => ({ region, vpc, subnet }));
}

/** Adds the interfaces that are missing: one a subnet, however many accelerators need it. */
export function addMissingInterfaces(world: World, place: Place, entries: readonly Entry[]): void {
  for (const { region, vpc, subnet } of entries) {
    const there = { account: place.account, region };
    if (ownInterfaces(world, there).some((one) => textAt(one.properties, 'SubnetId') === subnet)) continue;
    addInterface(world, there, {
      owner: KIND,
      subnet,
      groups: [acceleratorGroup(world, there, vpc)],
      description: 'GlobalAccelerator managed network interface',
      kind: KIND,
      public: true,
    });
  }
}

/**
 * Takes the interfaces away that no endpoint group needs any more. The security group stays: believed, from pull request 11476 of
 * hashicorp/terraform-provider-aws, whose tests couldn't delete their VPC because of it.
 *
 * @param without a group that is about to go
 */
export function removeUnneededInterfaces(world: World, account: string, without?: string): void {
  const groups = world
    .all(ENDPOINT_GROUP, globalPlace({ account, region: '' }))
    .filter(({ id }) => id !== without);
  const needed = new Set(groups.flatMap(entriesOf).map(({ region, subnet }) => `${region}/${subnet}`));
  for (const one of world.all(INTERFACE)) {
    const isOwn = one.account === account && one.state.get('owner') === KIND;
    if (isOwn && !needed.has(`${one.region}/${textAt(one.properties, 'SubnetId')}`)) world.remove(one);
  }
}

function entriesOf(group: Resource): readonly Entry[] {
  const kept = group.state.get('interfaces');
  if (!Array.isArray(kept)) return [];
  return kept
    .filter((entry) => isProperties(entry))
    .map((entry) => ({
      region: requiredText(entry, 'region'),
      vpc: requiredText(entry, 'vpc'),
      subnet: requiredText(entry, 'subnet'),
    }));
}

function ownInterfaces(world: World, place: Place): readonly Resource[] {
  return world.all(INTERFACE, place).filter(({ state }) => state.get('owner') === KIND);
}

function acceleratorGroup(world: World, place: Place, vpc: string): string {
  const present = world
    .all(SECURITY_GROUP, place)
    .find(
      ({ properties }) =>
        textAt(properties, 'VpcId') === vpc && textAt(properties, 'GroupName') === ACCELERATOR_GROUP_NAME,
    );
  if (present !== undefined) return present.id;
  const id = ec2Id(world, 'sg');
  world.add({
    ...place,
    type: SECURITY_GROUP,
    id,
    stack: null,
    properties: {
      VpcId: vpc,
      GroupName: ACCELERATOR_GROUP_NAME,
      GroupDescription: 'GlobalAccelerator configured SecurityGroup',
    },
    attributes: { Id: id, GroupId: id, VpcId: vpc },
  });
  return id;
}
