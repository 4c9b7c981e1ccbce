import { isDeepStrictEqual } from 'node:util';
import { Refusal } from '../refusal.ts';
import type { Json, Properties } from '../values.ts';
import { checkName, difference } from './changes.ts';
import { deleteResources, sentenceOf } from './deletion.ts';
import { dependenciesOf, inOrder } from './dependencies.ts';
import { takeIn } from './imports.ts';
import { resolve } from './intrinsics.ts';
import type { Next } from './order.ts';
import { checkExports, outputsOf } from './outputs.ts';
import type { Provisioner } from './provision.ts';
import { stackScope, type Known, type StackScope } from './scope.ts';
import type { Definition, Stack, StackResource } from './stack.ts';
import type { Stacks } from './store.ts';
import type { Template, TemplateResource } from './template.ts';

/** An operation that can't go on: what of it is done has to be undone. */
export class DeploymentFailure extends Error {
  override readonly name = 'DeploymentFailure';
}

export interface Surroundings {
  readonly provisioner: Provisioner;
  readonly stacks: Stacks;
  readonly next: Next;
}

/** What the present resources of a stack tell the functions of its template. */
function knownOf(stack: Stack, provisioner: Provisioner): Known {
  const present = (logicalId: string): StackResource => {
    const entry = stack.resources.get(logicalId);
    if (entry === undefined || entry.physicalId === '') {
      throw new Error(`${logicalId} is asked for before it is there`);
    }
    return entry;
  };
  return {
    physicalId: (logicalId) => present(logicalId).physicalId,
    attribute: (logicalId, name) => provisioner.attribute(present(logicalId), name),
  };
}

/** Logical ids of a template's wanted resources, in groups of which each needs only earlier ones. */
export function orderOf(template: Template, scope: StackScope, next?: Next): readonly (readonly string[])[] {
  const wanted = [...template.resources].filter(([, { condition }]) => scope.isWanted(condition));
  const ids = new Set(wanted.map(([id]) => id));
  return inOrder(
    new Map(
      wanted.map(([id, one]) => [
        id,
        new Set([...dependenciesOf(one, template)].filter((other) => ids.has(other))),
      ]),
    ),
    next,
  );
}

/**
 * Makes and changes a stack's resources until they are as its definition says, in the order of their dependencies; what is no longer
 * wanted stays until `cleanUp`. All that it does is in `stack.undo`.
 *
 * @param imported physical ids of resources that exist and are to be taken in, by logical id
 * @throws DeploymentFailure after those that had been begun are done
 */
export async function deploy(
  stack: Stack,
  definition: Definition,
  surroundings: Surroundings,
  imported: ReadonlyMap<string, string>,
): Promise<void> {
  const { provisioner, stacks, next } = surroundings;
  const scope = stackScope(stack, definition, knownOf(stack, provisioner), {
    world: provisioner.world,
    stacks,
  });
  const groups = orderOf(definition.template, scope, next);
  for (const group of groups) {
    if (stack.cancelled) throw new DeploymentFailure('Stack update cancelled');
    const failed = await Promise.all(
      group.map(async (logicalId) => {
        const resource = definition.template.resources.get(logicalId);
        const isDone =
          resource === undefined ||
          (await place(stack, logicalId, resource, { scope, definition, provisioner, imported }));
        return isDone ? [] : [logicalId];
      }),
    );
    const ids = failed.flat();
    if (ids.length > 0) throw new DeploymentFailure(failureOf(stack, ids));
  }
  try {
    const outputs = outputsOf(definition.template, scope);
    checkExports(stack, outputs, stacks);
    stack.outputs = outputs;
  } catch (error) {
    if (error instanceof Refusal) throw new DeploymentFailure(error.message);
    throw error;
  }
  stack.imports = new Set(scope.imports);
  const wanted = new Set(groups.flat());
  for (const [logicalId, entry] of stack.resources) {
    if (wanted.has(logicalId)) continue;
    stack.resources.delete(logicalId);
    stack.superseded.push({ ...entry, updateReplacePolicy: entry.deletionPolicy });
  }
}

/** Deletes what an update has superseded. What AWS refuses to delete is left behind, as AWS leaves it. */
export async function cleanUp(stack: Stack, { provisioner, next }: Surroundings): Promise<void> {
  const { superseded } = stack;
  stack.superseded = [];
  await deleteResources(stack, superseded, provisioner, {
    next,
    policyOf: ({ updateReplacePolicy }) => updateReplacePolicy,
    gone: () => undefined,
  });
  stack.undo = [];
}

interface Placing {
  readonly scope: StackScope;
  readonly definition: Definition;
  readonly provisioner: Provisioner;
  readonly imported: ReadonlyMap<string, string>;
}

/** @returns whether it is as it should be */
async function place(
  stack: Stack,
  logicalId: string,
  resource: TemplateResource,
  placing: Placing,
): Promise<boolean> {
  const existing = stack.resources.get(logicalId);
  const old = existing?.physicalId === '' ? undefined : existing;
  const importedId = placing.imported.get(logicalId);
  try {
    const properties = propertiesOf(resource, placing.scope);
    const entry = entryOf(logicalId, resource, { stack, properties, placing });
    if (importedId !== undefined) takeIn(stack, entry, importedId, placing.provisioner);
    else if (old === undefined) await add(stack, entry, placing);
    else await change(stack, old, entry, placing);
    return true;
  } catch (error) {
    const failed =
      stack.resources.get(logicalId) ?? entryOf(logicalId, resource, { stack, properties: {}, placing });
    stack.resources.set(logicalId, failed);
    const verb = importedId === undefined ? (old === undefined ? 'CREATE' : 'UPDATE') : 'IMPORT';
    stack.mark(failed, `${verb}_FAILED`, sentenceOf(error));
    return false;
  }
}

export function propertiesOf(resource: TemplateResource, scope: StackScope): Properties {
  const properties: Json | undefined = resolve(resource.properties, scope);
  // Properties are an object, and none of its functions stands in the object's own place: readTemplate has seen to the first, and a
  // function in their place resolves to what it resolves to.
  return (properties ?? {}) as Properties;
}

function entryOf(
  logicalId: string,
  resource: TemplateResource,
  {
    stack,
    properties,
    placing,
  }: { readonly stack: Stack; readonly properties: Properties; readonly placing: Placing },
): StackResource {
  return {
    logicalId,
    type: resource.type,
    place: placing.provisioner.placeOf(resource.type, stack),
    physicalId: '',
    properties,
    status: '',
    statusReason: undefined,
    changed: new Date(),
    dependsOn: dependenciesOf(resource, placing.definition.template),
    deletionPolicy: resource.deletionPolicy ?? 'Delete',
    updateReplacePolicy: resource.updateReplacePolicy ?? 'Delete',
    metadata: resource.metadata,
  };
}

async function add(stack: Stack, entry: StackResource, { provisioner }: Placing): Promise<void> {
  stack.resources.set(entry.logicalId, entry);
  stack.mark(entry, 'CREATE_IN_PROGRESS', undefined, entry.properties);
  await provisioner.world.step();
  entry.physicalId = provisioner.create(stack, entry.logicalId, entry.type, entry.properties);
  stack.undo.push({ kind: 'created', entry });
  stack.mark(entry, 'CREATE_IN_PROGRESS', 'Resource creation Initiated', entry.properties);
  await provisioner.stabilize(stack, entry);
  stack.mark(entry, 'CREATE_COMPLETE', undefined, entry.properties);
}

async function change(
  stack: Stack,
  old: StackResource,
  entry: StackResource,
  { provisioner }: Placing,
): Promise<void> {
  const resource = provisioner.find(old);
  if (resource === undefined) {
    throw new Refusal(
      'NotFound',
      `Resource of type '${old.type}' with identifier '${old.physicalId}' was not found.`,
    );
  }
  const behaviour = provisioner.behaviours.get(entry.type);
  const { changed, replacement } = difference(old.properties, entry.properties, { behaviour, resource });
  const { dependsOn, deletionPolicy, updateReplacePolicy, metadata } = entry;
  if (changed.length === 0 && isDeepStrictEqual(metadata, old.metadata)) {
    Object.assign(old, { dependsOn, deletionPolicy, updateReplacePolicy });
    return;
  }
  if (replacement === 'True') {
    checkName(entry.type, entry.logicalId, old.properties, entry.properties);
    stack.mark(
      old,
      'UPDATE_IN_PROGRESS',
      'Requested update requires the creation of a new physical resource; hence creating one.',
      entry.properties,
    );
    await provisioner.world.step();
    entry.physicalId = provisioner.create(stack, entry.logicalId, entry.type, entry.properties);
    stack.resources.set(entry.logicalId, entry);
    stack.undo.push({ kind: 'replaced', entry, old });
    stack.superseded.push(old);
    stack.mark(entry, 'UPDATE_IN_PROGRESS', 'Resource creation Initiated', entry.properties);
    await provisioner.stabilize(stack, entry);
    stack.mark(entry, 'UPDATE_COMPLETE', undefined, entry.properties);
    return;
  }
  stack.mark(old, 'UPDATE_IN_PROGRESS', undefined, entry.properties);
  await provisioner.world.step();
  const before = { ...old };
  if (changed.length > 0) provisioner.update(stack, old, entry.properties);
  stack.undo.push({ kind: 'updated', entry: old, before });
  Object.assign(old, {
    dependsOn,
    deletionPolicy,
    updateReplacePolicy,
    metadata,
    properties: entry.properties,
  });
  await provisioner.stabilize(stack, old);
  stack.mark(old, 'UPDATE_COMPLETE', undefined, entry.properties);
}

function failureOf(stack: Stack, ids: readonly string[]): string {
  const statuses = new Set(ids.map((id) => stack.resources.get(id)?.status));
  const verb = statuses.has('UPDATE_FAILED') ? 'update' : statuses.has('IMPORT_FAILED') ? 'import' : 'create';
  return `The following resource(s) failed to ${verb}: [${ids.join(', ')}]. `;
}
