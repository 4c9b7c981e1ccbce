import type { Behaviour, Context } from '../behaviour.ts';
import { Refusal } from '../refusal.ts';
import { type Properties, textAt } from '../values.ts';
import type { Resource, World } from '../world.ts';
import { hasInternetGateway } from './ec2-gateways.ts';
import { ELASTIC_ADDRESS, VPC } from './ec2-lookups.ts';
import { LOAD_BALANCER } from './elbv2-lookups.ts';
import { isInternal } from './elbv2-load-balancers.ts';
import { isAcceleratorDeployed, takesPort } from './global-accelerator.ts';
import {
  addMissingInterfaces,
  entriesAsState,
  interfacesNeeded,
  removeUnneededInterfaces,
} from './global-accelerator-interfaces.ts';
import {
  ACCELERATOR_LISTENER,
  ENDPOINT_GROUP,
  acceleratorOf,
  changed,
  existingGlobal,
  groupsOfListener,
  invalidArgument,
  listenersOfAccelerator,
} from './global-accelerator-lookups.ts';
import { flagAt, numberAt, objectsAt, requiredText, scalarText } from './property-values.ts';

// "Quotas for AWS Global Accelerator",
// https://docs.aws.amazon.com/global-accelerator/latest/dg/limits-global-accelerator.html.
const GROUPS_MAX = 42;
const ENDPOINTS_MAX = 10;
const OVERRIDES_MAX = 10;

const WEIGHT_MAX = 255;
const DIAL_MAX = 100;
const THRESHOLD_MAX = 10;
const INTERVALS_SECONDS = [10, 30];
const WEIGHT_DEFAULT = 128;

const endpointGroup: Behaviour = {
  type: ENDPOINT_GROUP,
  scope: 'global',

  // CreateEndpointGroup, https://docs.aws.amazon.com/global-accelerator/latest/api/API_CreateEndpointGroup.html.
  create(context, properties) {
    const { world, place } = context;
    const listener = existingGlobal(
      world,
      place,
      ACCELERATOR_LISTENER,
      requiredText(properties, 'ListenerArn'),
    );
    const accelerator = acceleratorOf(world, place, listener.id);
    const region = requiredText(properties, 'EndpointGroupRegion');
    const isTaken = groupsOfListener(world, listener).some(
      (other) => textAt(other.properties, 'EndpointGroupRegion') === region,
    );
    if (isTaken) {
      throw new Refusal(
        'EndpointGroupAlreadyExistsException',
        `The endpoint group for ${region} already exists`,
      );
    }
    const groups = listenersOfAccelerator(world, accelerator).flatMap((one) => groupsOfListener(world, one));
    if (groups.length >= GROUPS_MAX) {
      throw new Refusal(
        'LimitExceededException',
        `Processing your request would cause you to exceed the limit of ${GROUPS_MAX} endpoint groups for an accelerator`,
      );
    }
    checkGroup(context, properties, listener, accelerator);
    const entries = interfacesNeeded(world, place, properties);
    addMissingInterfaces(world, place, entries);
    changed(world, accelerator);
    const arn = `${listener.id}/endpoint-group/${world.hex(12)}`;
    return {
      id: arn,
      attributes: { EndpointGroupArn: arn },
      state: new Map([['interfaces', entriesAsState(entries)]]),
    };
  },

  update(context, resource, properties) {
    changeEndpointGroup(context, resource, properties);
    return undefined;
  },

  remove({ world, place }, resource) {
    changed(world, acceleratorOf(world, place, resource.id), () => {
      world.later(() => removeUnneededInterfaces(world, place.account, resource.id));
    });
  },

  stable: isAcceleratorDeployed,
};

export const GLOBAL_ACCELERATOR_ENDPOINTS: readonly Behaviour[] = [endpointGroup];

/**
 * UpdateEndpointGroup, by a stack or a call: interfaces for new endpoints are there at once; those of former ones go a step after the
 * accelerator is DEPLOYED. `resource.properties` are still the old ones.
 */
export function changeEndpointGroup(
  context: Pick<Context, 'world' | 'place'>,
  resource: Resource,
  properties: Properties,
): void {
  const { world, place } = context;
  const arn = requiredText(resource.properties, 'ListenerArn');
  const listener = existingGlobal(world, place, ACCELERATOR_LISTENER, arn);
  const accelerator = acceleratorOf(world, place, arn);
  checkGroup(context, properties, listener, accelerator);
  const entries = interfacesNeeded(world, place, properties);
  addMissingInterfaces(world, place, entries);
  resource.state.set('interfaces', entriesAsState(entries));
  changed(world, accelerator, () => {
    world.later(() => removeUnneededInterfaces(world, place.account));
  });
}

/** Weights say how a region's traffic is split; without one it is 128 ("Endpoint weights"). */
export function weightOf(endpoint: Properties): number {
  return numberAt(endpoint, 'Weight') ?? WEIGHT_DEFAULT;
}

function checkGroup(
  context: Pick<Context, 'world' | 'place'>,
  properties: Properties,
  listener: Resource,
  accelerator: Resource,
): void {
  checkWithin('TrafficDialPercentage', numberAt(properties, 'TrafficDialPercentage'), 0, DIAL_MAX);
  checkWithin('ThresholdCount', numberAt(properties, 'ThresholdCount'), 1, THRESHOLD_MAX);
  const interval = numberAt(properties, 'HealthCheckIntervalSeconds');
  if (interval !== undefined && !INTERVALS_SECONDS.includes(interval)) {
    throw invalidArgument(`HealthCheckIntervalSeconds must be 10 or 30, not ${interval}`);
  }
  checkOverrides(context.world, properties, listener, accelerator);
  const endpoints = objectsAt(properties, 'EndpointConfigurations');
  if (endpoints.length > ENDPOINTS_MAX) {
    throw new Refusal(
      'LimitExceededException',
      `Processing your request would cause you to exceed the limit of ${ENDPOINTS_MAX} endpoints for an endpoint group`,
    );
  }
  const ids = endpoints.map((endpoint) => requiredText(endpoint, 'EndpointId'));
  if (new Set(ids).size < ids.length) throw invalidArgument('An endpoint is specified more than once');
  const region = requiredText(properties, 'EndpointGroupRegion');
  const { account } = context.place;
  for (const endpoint of endpoints) {
    checkWithin('Weight', weightOf(endpoint), 0, WEIGHT_MAX);
    checkEndpoint(context.world, { account, region }, endpoint, accelerator);
  }
}

/** "Requirements for resources you add as accelerator endpoints", and those for endpoints that see clients' addresses. */
function checkEndpoint(
  world: World,
  place: { readonly account: string; readonly region: string },
  endpoint: Properties,
  accelerator: Resource,
): void {
  const id = requiredText(endpoint, 'EndpointId');
  if (id.startsWith('eipalloc-')) {
    const address = world
      .all(ELASTIC_ADDRESS, place)
      .some(({ attributes }) => attributes['AllocationId'] === id);
    if (address) return;
    throw invalidArgument(`The endpoint ${id} does not exist in ${place.region}`);
  }
  const balancer = world.find(place, LOAD_BALANCER, id);
  if (balancer === undefined) {
    throw invalidArgument(`The endpoint ${id} does not exist in ${place.region}`);
  }
  const dual = textAt(accelerator.properties, 'IpAddressType') === 'DUAL_STACK';
  if (dual && !textAt(balancer.properties, 'IpAddressType')?.startsWith('dualstack')) {
    throw invalidArgument(`A dual-stack accelerator takes dual-stack endpoints only: ${id}`);
  }
  const vpc = world.find(place, VPC, scalarText(balancer.state.get('vpc')));
  // "Secure VPC connections in AWS Global Accelerator",
  // https://docs.aws.amazon.com/global-accelerator/latest/dg/secure-vpc-connections.html.
  if (vpc !== undefined && !hasInternetGateway(world, vpc)) {
    throw invalidArgument(`The VPC ${vpc.id} of endpoint ${id} has no internet gateway attached`);
  }
  const isOff = flagAt(endpoint, 'ClientIPPreservationEnabled') === false;
  if (isOff && isInternal(balancer.properties)) {
    throw invalidArgument(
      `Client IP address preservation can't be turned off for an internal Application Load Balancer: ${id}`,
    );
  }
}

/** "Overriding listener ports", https://docs.aws.amazon.com/global-accelerator/latest/dg/about-endpoint-groups-port-override.html. */
function checkOverrides(
  world: World,
  properties: Properties,
  listener: Resource,
  accelerator: Resource,
): void {
  const overrides = objectsAt(properties, 'PortOverrides').map((override) => ({
    from: numberAt(override, 'ListenerPort') ?? 0,
    to: numberAt(override, 'EndpointPort') ?? 0,
  }));
  if (overrides.length > OVERRIDES_MAX) {
    throw new Refusal(
      'LimitExceededException',
      `Processing your request would cause you to exceed the limit of ${OVERRIDES_MAX} port overrides for an endpoint group`,
    );
  }
  const used = overrides.map(({ from }) => from);
  const targets = overrides.map(({ to }) => to);
  if (new Set(used).size < used.length || new Set(targets).size < targets.length) {
    throw invalidArgument('A port can be used in one port override only');
  }
  for (const { from, to } of overrides) {
    if (!takesPort(listener.properties, from)) {
      throw invalidArgument(`Listener port ${from} of a port override is not in the listener's port ranges`);
    }
    if (listenersOfAccelerator(world, accelerator).some((one) => takesPort(one.properties, to))) {
      throw invalidArgument(
        `Endpoint port ${to} of a port override is in a port range of one of the accelerator's listeners`,
      );
    }
  }
}

function checkWithin(name: string, value: number | undefined, min: number, max: number): void {
  if (value === undefined || (value >= min && value <= max)) return;
  throw invalidArgument(`${name} must be between ${min} and ${max}, not ${value}`);
}
