import { isDeepStrictEqual } from 'node:util';
import { resourceSchema } from '../../../scripts/lib/resource-schemas.ts';
import { Refusal } from '../refusal.ts';
import { isProperties, type Json } from '../values.ts';
import type { Resource } from '../world.ts';
import type { ResourceChange } from './change-set.ts';
import { UNKNOWN } from './intrinsics.ts';
import { alreadyExists, notFound, type Provisioner } from './provision.ts';
import type { Stack, StackResource } from './stack.ts';
import type { Template, TemplateResource } from './template.ts';
import { plain } from './text.ts';

/** `ResourcesToImport` of a call: physical ids by logical id. An identifier of several parts is joined as CloudFormation joins it. */
export function importsIn(given: readonly Json[]): ReadonlyMap<string, string> {
  return new Map(
    given.filter(isProperties).map((entry) => {
      const identifier = entry['ResourceIdentifier'];
      const parts = isProperties(identifier) ? Object.values(identifier).map(plain) : [UNKNOWN];
      return [plain(entry['LogicalResourceId']), parts.join('|')];
    }),
  );
}

/**
 * Whether `ImportExistingResources` takes in what has a new resource's name already: the template gives the name as it stands, by no
 * function, and keeps the resource when it is deleted; and no stack owns it.
 * "Import AWS resources into a CloudFormation stack automatically" (…/UserGuide/import-resources-automatically.html).
 */
export function isTakenIn(
  { type, properties, deletionPolicy }: TemplateResource,
  { stack, id }: Resource,
): boolean {
  const [name = ''] = resourceSchema(type)?.names ?? [];
  return (
    stack === null &&
    properties[name] === id &&
    (deletionPolicy === 'Retain' || deletionPolicy === 'RetainExceptOnCreate')
  );
}

/**
 * What an import wants of a template: a deletion policy, whichever it is, for each resource to import; nothing else that is new, and
 * the outputs that there were.
 * "Import AWS resources into a CloudFormation stack manually" (…/UserGuide/import-resources-manually.html).
 *
 * @throws Refusal
 */
export function checkImport(template: Template, imported: ReadonlyMap<string, string>, stack: Stack): void {
  const given = [...imported.keys()];
  refuseAny(
    given.filter((id) => !template.resources.has(id)),
    (ids) => `Resources [${ids}] passed in ResourceToImport are not in the template.`,
  );
  refuseAny(
    given.filter((id) => stack.resources.has(id)),
    (ids) => `Resources [${ids}] passed in ResourceToImport are already in a stack and cannot be imported.`,
  );
  refuseAny(
    given.filter((id) => template.resources.get(id)?.deletionPolicy === undefined),
    (ids) =>
      `The following resources to import [${ids}] must have DeletionPolicy attribute specified in the template.`,
  );
  if (!isDeepStrictEqual(template.outputs, stack.definition?.template.outputs ?? new Map())) {
    throw invalid('As part of the import operation, you cannot modify or add [Outputs]');
  }
}

/** @throws Refusal where an import's change set would do anything but import */
export function checkOnlyImports(changes: readonly ResourceChange[]): void {
  const idsOf = (...actions: readonly ResourceChange['action'][]): readonly string[] =>
    changes.filter(({ action }) => actions.includes(action)).map(({ logicalId }) => logicalId);
  refuseAny(idsOf('Add'), (ids) => `Resources [${ids}] is missing from ResourceToImport list`);
  refuseAny(
    idsOf('Modify', 'Remove'),
    (ids) =>
      `You have modified resources [${ids}] in your template that are not being imported. Update, create or delete operations cannot be executed during import operations.`,
  );
}

/**
 * Makes a stack the owner of what exists, and changes nothing else of it.
 *
 * @param entry without a physical id, which it gets once it is the stack's
 * @throws Refusal where there is none, or a stack owns it
 */
export function takeIn(
  stack: Stack,
  entry: StackResource,
  physicalId: string,
  provisioner: Provisioner,
): void {
  stack.resources.set(entry.logicalId, entry);
  stack.mark(entry, 'IMPORT_IN_PROGRESS', 'Resource import started.', entry.properties);
  const resource = provisioner.find({ ...entry, physicalId });
  if (resource === undefined) throw notFound(entry.type, physicalId);
  if (resource.stack !== null) throw alreadyExists(resource);
  entry.physicalId = physicalId;
  resource.stack = stack.id;
  stack.undo.push({ kind: 'imported', entry });
  stack.mark(entry, 'IMPORT_COMPLETE', 'Resource import completed.', entry.properties);
}

/** Undoes `takeIn`: it is nobody's again, whatever its deletion policy says. */
export function release(stack: Stack, entry: StackResource, provisioner: Provisioner): void {
  stack.mark(entry, 'IMPORT_ROLLBACK_IN_PROGRESS');
  provisioner.retain(entry);
  stack.mark(entry, 'IMPORT_ROLLBACK_COMPLETE');
  if (stack.resources.get(entry.logicalId) === entry) stack.resources.delete(entry.logicalId);
}

function refuseAny(ids: readonly string[], sentence: (ids: string) => string): void {
  if (ids.length > 0) throw invalid(sentence(ids.join(', ')));
}

function invalid(sentence: string): Refusal {
  return new Refusal('ValidationError', sentence);
}
