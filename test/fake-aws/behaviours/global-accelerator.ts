import type { Behaviour, Context } from '../behaviour.ts';
import { Refusal } from '../refusal.ts';
import { type Json, type Properties, textAt } from '../values.ts';
import { type Resource, type World, globalPlace } from '../world.ts';
import {
  ACCELERATOR,
  ACCELERATOR_LISTENER,
  PENDING,
  acceleratorOf,
  changed,
  existingGlobal,
  groupsOfListener,
  invalidArgument,
  isDeployed,
  listenersOfAccelerator,
  settle,
} from './global-accelerator-lookups.ts';
import { flagAt, numberAt, objectsAt, requiredText } from './property-values.ts';

// "Quotas for AWS Global Accelerator",
// https://docs.aws.amazon.com/global-accelerator/latest/dg/limits-global-accelerator.html.
const ACCELERATORS_MAX = 20;
const LISTENERS_MAX = 10;
const PORT_RANGES_MAX = 10;
const PORT_MAX = 65_535;

const accelerator: Behaviour = {
  type: ACCELERATOR,
  scope: 'global',

  // CreateAccelerator, https://docs.aws.amazon.com/global-accelerator/latest/api/API_CreateAccelerator.html.
  create({ world, place }, properties) {
    checkName(requiredText(properties, 'Name'));
    if (world.all(ACCELERATOR, globalPlace(place)).length >= ACCELERATORS_MAX) {
      throw new Refusal(
        'LimitExceededException',
        `Processing your request would cause you to exceed the limit of ${ACCELERATORS_MAX} accelerators`,
      );
    }
    const arn = `arn:aws:globalaccelerator::${place.account}:accelerator/${uuid(world)}`;
    // At pace 0 this is asked before the engine has added it: then its first state is the last one.
    world.later(() => {
      const made = world.find(globalPlace(place), ACCELERATOR, arn);
      if (made !== undefined) settle(made);
    });
    return { id: arn, attributes: attributesOf(world, arn, properties), state: initialState(world) };
  },

  update({ world }, resource, properties) {
    checkName(requiredText(properties, 'Name'));
    changed(world, resource);
    return undefined;
  },

  // DeleteAccelerator wants it disabled, which CloudFormation does by itself first; listeners have to be gone.
  remove({ world }, resource) {
    if (listenersOfAccelerator(world, resource).length > 0) {
      throw new Refusal(
        'AssociatedListenerFoundException',
        'The accelerator that you specified has a listener associated with it',
      );
    }
  },

  stable: (_context, resource) => isDeployed(resource),
};

const listener: Behaviour = {
  type: ACCELERATOR_LISTENER,
  scope: 'global',

  // CreateListener, https://docs.aws.amazon.com/global-accelerator/latest/api/API_CreateListener.html.
  create({ world, place }, properties) {
    const parent = existingGlobal(world, place, ACCELERATOR, requiredText(properties, 'AcceleratorArn'));
    if (listenersOfAccelerator(world, parent).length >= LISTENERS_MAX) {
      throw new Refusal(
        'LimitExceededException',
        `Processing your request would cause you to exceed the limit of ${LISTENERS_MAX} listeners for an accelerator`,
      );
    }
    checkPorts(world, parent, properties);
    changed(world, parent);
    const arn = `${parent.id}/listener/${world.hex(8)}`;
    return { id: arn, attributes: { ListenerArn: arn } };
  },

  update({ world, place }, resource, properties) {
    const parent = acceleratorOf(world, place, resource.id);
    checkPorts(world, parent, properties, resource.id);
    changed(world, parent);
    return undefined;
  },

  // DeleteListener: its endpoint groups have to be gone.
  remove({ world, place }, resource) {
    if (groupsOfListener(world, resource).length > 0) {
      throw new Refusal(
        'AssociatedEndpointGroupFoundException',
        'The listener that you specified has an endpoint group associated with it',
      );
    }
    changed(world, acceleratorOf(world, place, resource.id));
  },

  stable: isAcceleratorDeployed,
};

export const GLOBAL_ACCELERATOR: readonly Behaviour[] = [accelerator, listener];

/** CloudFormation takes a listener or an endpoint group for done once its accelerator is DEPLOYED again. */
export function isAcceleratorDeployed({ world, place }: Context, { id }: Resource): boolean {
  return isDeployed(acceleratorOf(world, place, id));
}

/** Does a listener take traffic at this port? */
export function takesPort(properties: Properties, port: number): boolean {
  return rangesOf(properties).some(([from, to]) => from <= port && port <= to);
}

function checkName(name: string): void {
  if (/^[a-zA-Z0-9_-]{1,64}$/u.test(name)) return;
  throw invalidArgument(
    `The accelerator name '${name}' must have 1 to 64 characters: alphanumeric ones, hyphens and underscores`,
  );
}

/** "Listeners for standard accelerators": ranges of one protocol don't overlap within an accelerator. */
function checkPorts(world: World, parent: Resource, properties: Properties, self?: string): void {
  const ranges = rangesOf(properties);
  const invalid = ranges.some(([from, to]) => from < 1 || to > PORT_MAX || from > to);
  if (ranges.length === 0 || ranges.length > PORT_RANGES_MAX || invalid) {
    throw new Refusal('InvalidPortRangeException', 'The port numbers that you specified are not valid');
  }
  const protocol = textAt(properties, 'Protocol') ?? 'TCP';
  const others = listenersOfAccelerator(world, parent)
    .filter((one) => one.id !== self && (textAt(one.properties, 'Protocol') ?? 'TCP') === protocol)
    .flatMap((one) => rangesOf(one.properties));
  const overlapping = ranges.some(([from, to], index) =>
    [...ranges.slice(0, index), ...others].some((other) => from <= other[1] && other[0] <= to),
  );
  if (overlapping) {
    throw new Refusal(
      'InvalidPortRangeException',
      `The port ranges overlap with those of another ${protocol} listener of the accelerator`,
    );
  }
}

function rangesOf(properties: Properties): readonly (readonly [from: number, to: number])[] {
  return objectsAt(properties, 'PortRanges').map((range) => [
    numberAt(range, 'FromPort') ?? 0,
    numberAt(range, 'ToPort') ?? 0,
  ]);
}

function attributesOf(world: World, arn: string, properties: Properties): Properties {
  const name = `a${world.hex(16)}`;
  const number = Number.parseInt(name.slice(-4), 16);
  const dual = textAt(properties, 'IpAddressType') === 'DUAL_STACK';
  // Addresses for examples (RFC 5737, RFC 3849): nobody is reached there.
  const last = number % 254;
  return {
    AcceleratorArn: arn,
    DnsName: `${name}.awsglobalaccelerator.com`,
    Ipv4Addresses: [`198.51.100.${last + 1}`, `203.0.113.${last + 1}`],
    ...(dual && {
      DualStackDnsName: `${name}.dualstack.awsglobalaccelerator.com`,
      Ipv6Addresses: [`2001:db8:a::${last + 1}`, `2001:db8:b::${last + 1}`],
    }),
  };
}

function initialState(world: World): ReadonlyMap<string, Json> {
  const now = new Date().toISOString();
  return new Map<string, Json>([
    ['status', world.paceMs === 0 ? 'DEPLOYED' : 'IN_PROGRESS'],
    [PENDING, world.paceMs === 0 ? 0 : 1],
    ['createdAt', now],
    ['changedAt', now],
  ]);
}

function uuid(world: World): string {
  return `00000000-0000-4000-8000-${world.hex(12)}`;
}

/** Is it told to take traffic? It is unless it says otherwise. */
export function isEnabled({ properties }: Resource): boolean {
  return flagAt(properties, 'Enabled') ?? true;
}
