import type { Behaviour, Context } from '../behaviour.ts';
import type { Place, Properties } from '../values.ts';
import { type Resource, type World, globalPlace } from '../world.ts';

/** The context of a call: no stack asks, and names that would be made up contain the call's own. */
export function callContext(world: World, place: Place, logicalId: string): Context {
  return { world, place, stack: null, logicalId };
}

/** Makes what a call of an AWS API asks for, by the rules that hold for a stack too. Throws the same refusals. */
export function createByCall(context: Context, behaviour: Behaviour, properties: Properties): Resource {
  const { world, place } = context;
  const where = behaviour.scope === 'global' ? globalPlace(place) : place;
  const { id, attributes = {}, state } = behaviour.create(context, properties);
  return world.add({
    account: where.account,
    region: where.region,
    type: behaviour.type,
    id,
    properties,
    attributes,
    stack: null,
    ...(state === undefined ? {} : { state }),
  });
}

/** Changes what is there, likewise. */
export function updateByCall(
  context: Context,
  behaviour: Behaviour,
  resource: Resource,
  changes: Properties,
): void {
  const properties = { ...resource.properties, ...changes };
  const attributes = behaviour.update?.(context, resource, properties);
  resource.properties = properties;
  if (attributes !== undefined) resource.attributes = { ...resource.attributes, ...attributes };
}

/** Deletes it, likewise. */
export function removeByCall(context: Context, behaviour: Behaviour, resource: Resource): void {
  behaviour.remove?.(context, resource);
  context.world.remove(resource);
}
