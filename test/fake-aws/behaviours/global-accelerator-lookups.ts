import { Refusal } from '../refusal.ts';
import { type Place, textAt } from '../values.ts';
import { type Resource, type World, globalPlace } from '../world.ts';

export const ACCELERATOR = 'AWS::GlobalAccelerator::Accelerator';
export const ACCELERATOR_LISTENER = 'AWS::GlobalAccelerator::Listener';
export const ENDPOINT_GROUP = 'AWS::GlobalAccelerator::EndpointGroup';

/** Zone of accelerators' names: "AWS Global Accelerator endpoints and quotas". */
export const ACCELERATOR_ZONE = 'Z2BJ6XQ5FK7U4H';

// "Errors" of each call in Global Accelerator's API reference.
const NOT_FOUND: Readonly<Record<string, readonly [code: string, sentence: string]>> = {
  [ACCELERATOR]: ['AcceleratorNotFoundException', 'Accelerator does not exist'],
  [ACCELERATOR_LISTENER]: ['ListenerNotFoundException', 'Listener does not exist'],
  [ENDPOINT_GROUP]: ['EndpointGroupNotFoundException', 'Endpoint group does not exist'],
};

/** What exists of one of Global Accelerator's types. Throws its `…NotFoundException` otherwise. */
export function existingGlobal(world: World, place: Place, type: string, arn: string): Resource {
  const found = world.find(globalPlace(place), type, arn);
  if (found !== undefined) return found;
  const [code, sentence] = NOT_FOUND[type] ?? ['InvalidArgumentException', 'not found'];
  throw new Refusal(code, `${sentence}: ${arn}`);
}

/** What Global Accelerator answers to a value that doesn't fit. */
export function invalidArgument(sentence: string): Refusal {
  return new Refusal('InvalidArgumentException', sentence);
}

export function listenersOfAccelerator(world: World, accelerator: Resource): readonly Resource[] {
  return world
    .all(ACCELERATOR_LISTENER, accelerator)
    .filter(({ properties }) => textAt(properties, 'AcceleratorArn') === accelerator.id);
}

export function groupsOfListener(world: World, listener: Resource): readonly Resource[] {
  return world
    .all(ENDPOINT_GROUP, listener)
    .filter(({ properties }) => textAt(properties, 'ListenerArn') === listener.id);
}

/** The accelerator that a listener's or an endpoint group's ARN is of: ARNs contain one another. */
export function acceleratorOf(world: World, place: Place, arn: string): Resource {
  return existingGlobal(world, place, ACCELERATOR, arn.split('/listener/')[0] ?? arn);
}

/** Has every change of an accelerator reached all edge locations? */
export function isDeployed(accelerator: Resource): boolean {
  return accelerator.state.get('status') === 'DEPLOYED';
}

/** Changes that haven't reached all edge locations yet, as an accelerator's state keeps them. */
export const PENDING = 'pending';

/**
 * Marks an accelerator as changed: it is IN_PROGRESS, and DEPLOYED a step after its last change. Then does `afterwards`.
 * Source: field Status of Accelerator (https://docs.aws.amazon.com/global-accelerator/latest/api/API_Accelerator.html).
 */
export function changed(world: World, accelerator: Resource, afterwards: () => void = () => undefined): void {
  const { state } = accelerator;
  state.set(PENDING, Number(state.get(PENDING) ?? 0) + 1);
  state.set('status', 'IN_PROGRESS');
  state.set('changedAt', new Date().toISOString());
  world.later(() => {
    settle(accelerator);
    afterwards();
  });
}

/** One change of an accelerator has reached all edge locations. */
export function settle({ state }: Resource): void {
  const left = Number(state.get(PENDING) ?? 1) - 1;
  state.set(PENDING, left);
  if (left === 0) state.set('status', 'DEPLOYED');
}
