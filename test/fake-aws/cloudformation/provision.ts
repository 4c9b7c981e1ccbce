import { setTimeout as delay } from 'node:timers/promises';
import { resourceSchema } from '../../../scripts/lib/resource-schemas.ts';
import type { Behaviour, Context } from '../behaviour.ts';
import { Refusal } from '../refusal.ts';
import { type Json, type Place, type Properties, valueAt } from '../values.ts';
import { globalPlace, type Resource, World } from '../world.ts';
import { checkProperties } from './property-check.ts';
import { missingReference } from './reference-check.ts';
import type { Stack, StackResource } from './stack.ts';
import { templateError, type DeletionPolicy } from './template.ts';

/** Types that CloudFormation itself makes and that are nothing outside of a stack. */
const OWN_TYPES: readonly Behaviour[] = [
  'AWS::CDK::Metadata',
  'AWS::CloudFormation::WaitConditionHandle',
].map((type) => ({
  type,
  create: ({ world, logicalId }) => ({ id: `${logicalId}-${world.hex(8)}` }),
}));

const POLL_MS = 20;

/** Makes, changes and removes single resources in the world, by their behaviours and what AWS's schemas say of them. */
export class Provisioner {
  readonly world: World;
  readonly behaviours: ReadonlyMap<string, Behaviour>;
  readonly #stabilizeMsMax: number;

  constructor(world: World, behaviours: ReadonlyMap<string, Behaviour>, stabilizeMsMax: number) {
    this.world = world;
    this.behaviours = new Map([...OWN_TYPES.map((one) => [one.type, one] as const), ...behaviours]);
    this.#stabilizeMsMax = stabilizeMsMax;
  }

  /** Where a type's resources of a stack live. */
  placeOf(type: string, { account, region }: Stack): Place {
    const place = { account, region };
    return this.behaviours.get(type)?.scope === 'global' ? globalPlace(place) : place;
  }

  find({ place, type, physicalId }: StackResource): Resource | undefined {
    return this.world.find(place, type, physicalId);
  }

  /**
   * An attribute for `Fn::GetAtt`: what the behaviour told, else the property of that name, else the id where the schema calls it so.
   *
   * @throws Refusal where the type has none of that name
   */
  attribute(entry: StackResource, name: string): Json {
    const resource = this.find(entry);
    const told = resource?.attributes[name] ?? valueAt(resource?.attributes ?? {}, name);
    if (told !== undefined) return told;
    const schema = resourceSchema(entry.type);
    if (schema?.names.length === 1 && schema.names[0] === name) return entry.physicalId;
    const property = valueAt(resource?.properties ?? {}, name);
    if (property !== undefined) return property;
    throw templateError(`resource ${entry.logicalId} does not support attribute type ${name} in Fn::GetAtt`);
  }

  /** @returns the physical id. @throws Refusal where AWS wouldn't make it; nothing is left of it then */
  create(stack: Stack, logicalId: string, type: string, properties: Properties): string {
    const place = this.placeOf(type, stack);
    const behaviour = this.#behaviour(type);
    checkValues(logicalId, type, properties, stack);
    const taken = this.taken(type, place, properties);
    if (taken !== undefined) throw alreadyExists(taken);
    const context = this.#context(stack, logicalId, place);
    const missing = missingReference(type, properties, {
      world: this.world,
      place: stack,
      behaviours: this.behaviours,
    });
    if (missing !== undefined) throw this.#ownRefusal(behaviour, context, properties) ?? missing;
    const made = behaviour.create(context, properties);
    const there = this.world.find(place, type, made.id);
    if (there !== undefined) throw alreadyExists(there);
    const resource = this.world.add({
      ...place,
      type,
      id: made.id,
      properties,
      attributes: made.attributes ?? {},
      stack: stack.id,
      ...(made.state && { state: made.state }),
    });
    return resource.id;
  }

  /** @throws Refusal where AWS wouldn't change it */
  update(stack: Stack, entry: StackResource, properties: Properties): void {
    const { type, logicalId, place } = entry;
    const behaviour = this.#behaviour(type);
    const resource = this.find(entry);
    if (resource === undefined) throw notFound(type, entry.physicalId);
    checkValues(logicalId, type, properties, stack);
    const context = this.#context(stack, logicalId, place);
    const missing = missingReference(type, properties, {
      world: this.world,
      place: stack,
      behaviours: this.behaviours,
    });
    if (missing !== undefined) throw missing;
    const attributes = behaviour.update?.(context, resource, properties) ?? {};
    resource.properties = properties;
    resource.attributes = { ...resource.attributes, ...attributes };
  }

  /** Waits until a resource that was made or changed is in use. @throws Refusal where it takes too long */
  async stabilize(stack: Stack, entry: StackResource): Promise<void> {
    const behaviour = this.#behaviour(entry.type);
    const context = this.#context(stack, entry.logicalId, entry.place);
    const last = performance.now() + this.#stabilizeMsMax;
    for (;;) {
      const resource = this.find(entry);
      if (resource === undefined) throw notFound(entry.type, entry.physicalId);
      if (behaviour.stable?.(context, resource) !== false) return;
      if (performance.now() > last) {
        throw new Refusal('NotStabilized', `Exceeded attempts to wait (${resource.type} ${resource.id})`);
      }
      await delay(Math.max(POLL_MS, this.world.paceMs));
    }
  }

  /** What a stack stops owning. @throws Refusal where AWS wouldn't delete it; one that is gone already is no failure */
  remove(stack: Stack, entry: StackResource, policy: DeletionPolicy): void {
    const resource = this.find(entry);
    if (resource === undefined) return;
    const behaviour = this.#behaviour(entry.type);
    const context = this.#context(stack, entry.logicalId, entry.place);
    if (policy === 'Snapshot') behaviour.snapshot?.(context, resource);
    this.#remove(behaviour, context, resource);
  }

  /** Leaves it in the world, owned by no stack. */
  retain(entry: StackResource): void {
    const resource = this.find(entry);
    if (resource !== undefined) resource.stack = null;
  }

  /** What has the name already that a template gives, where the name alone identifies a resource of the type. */
  taken(type: string, place: Place, properties: Properties): Resource | undefined {
    const [name, ...others] = resourceSchema(type)?.names ?? [];
    if (name === undefined || others.length > 0) return undefined;
    const given = properties[name];
    return typeof given === 'string' ? this.world.find(place, type, given) : undefined;
  }

  #behaviour(type: string): Behaviour {
    const behaviour = this.behaviours.get(type);
    if (behaviour === undefined) throw new Refusal('ValidationError', `Unrecognized resource type: ${type}`);
    return behaviour;
  }

  #context({ id, name }: Stack, logicalId: string, place: Place): Context {
    return { world: this.world, place, stack: { id, name }, logicalId };
  }

  /**
   * What a behaviour itself has against a resource that names what isn't there, since its sentence says more than that something wasn't
   * found. It is asked in a copy of the world, so that nothing of what it makes is left. Undefined where it has nothing against it, or
   * stumbles over what is missing.
   */
  #ownRefusal(behaviour: Behaviour, context: Context, properties: Properties): Refusal | undefined {
    const { images, objects } = this.world;
    const world = Object.assign(new World({ paceMs: this.world.paceMs }), { images, objects });
    for (const resource of this.world.everything()) world.add(resource);
    try {
      behaviour.create({ ...context, world }, properties);
      return undefined;
    } catch (error) {
      return error instanceof Refusal ? error : undefined;
    }
  }

  #remove(behaviour: Behaviour, context: Context, resource: Resource): void {
    behaviour.remove?.(context, resource);
    this.world.remove(resource);
  }
}

function checkValues(logicalId: string, type: string, properties: Properties, { region }: Stack): void {
  const findings = checkProperties(type, properties, region);
  if (findings.length === 0) return;
  const sentences = findings.map(({ path, message }) => `#${path}: ${message}`);
  throw new Refusal(
    'InvalidRequest',
    `Properties validation failed for resource ${logicalId} with message:\n${sentences.join('\n')}`,
  );
}

export function notFound(type: string, id: string): Refusal {
  return new Refusal('NotFound', `Resource of type '${type}' with identifier '${id}' was not found.`, 404);
}

/** Refuses what exists already, whoever owns it. */
export function alreadyExists({ type, id, stack }: Resource): Refusal {
  return new Refusal(
    'AlreadyExists',
    stack === null
      ? `Resource of type '${type}' with identifier '${id}' already exists.`
      : `${id} already exists in stack ${stack}`,
  );
}
