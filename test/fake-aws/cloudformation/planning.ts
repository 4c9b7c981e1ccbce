import { isDeepStrictEqual } from 'node:util';
import { Refusal } from '../refusal.ts';
import type { Json, Properties } from '../values.ts';
import type { Resource } from '../world.ts';
import type { EarlyFinding, ResourceChange } from './change-set.ts';
import { difference, replacementBy } from './changes.ts';
import { orderOf, propertiesOf, type Surroundings } from './deployment.ts';
import { isTakenIn } from './imports.ts';
import { isUnknown } from './intrinsics.ts';
import { outputsOf } from './outputs.ts';
import { checkProperties } from './property-check.ts';
import { stackScope } from './scope.ts';
import type { Definition, Output, Stack, StackResource } from './stack.ts';
import type { TemplateResource } from './template.ts';

export interface Plan {
  readonly changes: readonly ResourceChange[];
  /** Whether carrying it out would change anything, resources or not. */
  readonly isEmpty: boolean;
  readonly findings: readonly EarlyFinding[];
}

export interface PlanOptions {
  /** Physical ids of what is to be imported, by logical id. */
  readonly imported: ReadonlyMap<string, string>;
  /** Takes in what exists under a new resource's name, as `isTakenIn` has it. */
  readonly importsExisting: boolean;
}

/**
 * What a definition would change of a stack, as far as it can be known before it is carried out; and what AWS finds wrong with it
 * already ("Validate stack deployments",
 * https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/validate-stack-deployments.html).
 *
 * @throws Refusal where a function asks for what isn't there: an export, another stack's output, a secret
 */
export function planOf(
  stack: Stack,
  definition: Definition,
  { provisioner, stacks }: Surroundings,
  { imported, importsExisting }: PlanOptions,
): Plan {
  /** What will be another resource, or a new one: nothing of it is known. */
  const unknown = new Set<string>();
  const present = (logicalId: string): StackResource | undefined =>
    unknown.has(logicalId) ? undefined : stack.resources.get(logicalId);
  const scope = stackScope(
    stack,
    definition,
    {
      physicalId: (logicalId) => present(logicalId)?.physicalId,
      attribute: (logicalId, name) => {
        const entry = present(logicalId);
        return entry === undefined ? undefined : provisioner.attribute(entry, name);
      },
    },
    { world: provisioner.world, stacks },
  );
  const order = orderOf(definition.template, scope).flat();
  const changes: ResourceChange[] = [];
  const findings: EarlyFinding[] = [];
  for (const logicalId of order) {
    const resource = definition.template.resources.get(logicalId);
    if (resource === undefined) continue;
    const properties = propertiesOf(resource, scope);
    const entry = stack.resources.get(logicalId);
    const existing = entry && provisioner.find(entry);
    findings.push(...valueFindings(logicalId, resource.type, properties, stack.region));
    if (entry === undefined || existing === undefined) {
      unknown.add(logicalId);
      const taken = provisioner.taken(resource.type, provisioner.placeOf(resource.type, stack), properties);
      const physicalId =
        imported.get(logicalId) ??
        (importsExisting && taken !== undefined && isTakenIn(resource, taken) ? taken.id : undefined);
      if (physicalId === undefined && taken !== undefined) findings.push(nameFinding(logicalId, taken));
      changes.push(addition(logicalId, resource, properties, physicalId));
      continue;
    }
    if (entry.type !== resource.type) {
      throw new Refusal(
        'ValidationError',
        `Update of resource type is not permitted. The new template modifies resource type of the following resources: [${logicalId}]`,
      );
    }
    const change = modification(entry, existing, {
      resource,
      properties,
      behaviour: provisioner.behaviours.get(entry.type),
    });
    if (change !== undefined) changes.push(change);
    if (change !== undefined && change.replacement !== 'False') unknown.add(logicalId);
  }
  const wanted = new Set(order);
  for (const entry of stack.resources.values())
    if (!wanted.has(entry.logicalId)) changes.push(removal(entry));
  const outputs = outputsOf(definition.template, scope);
  const isEmpty =
    changes.length === 0 &&
    isDeepStrictEqual(sorted(outputs), sorted(stack.outputs)) &&
    isDeepStrictEqual(definition.tags, stack.definition?.tags ?? []);
  return { changes, isEmpty, findings };
}

function sorted(outputs: readonly Output[]): readonly Output[] {
  return outputs.toSorted((a, b) => a.key.localeCompare(b.key));
}

function addition(
  logicalId: string,
  { type }: TemplateResource,
  after: Properties,
  imported: string | undefined,
): ResourceChange {
  return {
    action: imported === undefined ? 'Add' : 'Import',
    logicalId,
    physicalId: imported,
    type,
    replacement: undefined,
    scope: [],
    details: [],
    before: undefined,
    after,
    ...(imported !== undefined && { imported }),
  };
}

function removal({ logicalId, physicalId, type, properties }: StackResource): ResourceChange {
  const common = { logicalId, physicalId, type, replacement: undefined, scope: [], details: [] };
  return { action: 'Remove', ...common, before: properties, after: undefined };
}

function modification(
  entry: StackResource,
  existing: Resource,
  {
    resource,
    properties,
    behaviour,
  }: {
    readonly resource: TemplateResource;
    readonly properties: Properties;
    readonly behaviour: Parameters<typeof difference>[2]['behaviour'];
  },
): ResourceChange | undefined {
  const before = entry.properties;
  const { changed, replacement } = difference(before, properties, { behaviour, resource: existing });
  const attributes = [
    ...(isDeepStrictEqual(resource.metadata, entry.metadata) ? [] : ['Metadata']),
    ...((resource.deletionPolicy ?? 'Delete') === entry.deletionPolicy ? [] : ['DeletionPolicy']),
    ...((resource.updateReplacePolicy ?? 'Delete') === entry.updateReplacePolicy
      ? []
      : ['UpdateReplacePolicy']),
  ];
  if (changed.length === 0 && attributes.length === 0) return undefined;
  const properties1 = changed.map((name) => {
    const replaces = replacementBy(name, properties, { behaviour, resource: existing, changed });
    return detail('Properties', name, {
      recreation: { True: 'Always', Conditional: 'Conditionally', False: 'Never' }[replaces],
      before: before[name],
      after: properties[name],
    });
  });
  return {
    action: 'Modify',
    logicalId: entry.logicalId,
    physicalId: entry.physicalId,
    type: entry.type,
    replacement,
    scope: [...(changed.length > 0 ? ['Properties'] : []), ...attributes],
    details: [
      ...properties1,
      ...attributes.map((attribute) => detail(attribute, undefined, { recreation: 'Never' })),
    ],
    before,
    after: properties,
  };
}

/** "ResourceChangeDetail" (https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_ResourceChangeDetail.html). */
function detail(
  attribute: string,
  name: string | undefined,
  {
    recreation,
    before,
    after,
  }: {
    readonly recreation: string;
    readonly before?: Json | undefined;
    readonly after?: Json | undefined;
  },
): Json {
  const [beforeText, afterText] = [before, after].map((value) =>
    value === undefined || typeof value === 'string' ? value : JSON.stringify(value),
  );
  return {
    Target: {
      Attribute: attribute,
      RequiresRecreation: recreation,
      ...(name !== undefined && { Name: name, Path: `/${attribute}/${name}` }),
      ...(beforeText !== undefined && { BeforeValue: beforeText }),
      ...(afterText !== undefined && { AfterValue: afterText }),
      ...(name !== undefined && {
        AttributeChangeType: before === undefined ? 'Add' : after === undefined ? 'Remove' : 'Modify',
      }),
    },
    Evaluation: isUnknown(after) ? 'Dynamic' : 'Static',
    ChangeSource: isUnknown(after) ? 'ResourceReference' : 'DirectModification',
  };
}

function valueFindings(
  logicalId: string,
  type: string,
  properties: Properties,
  region: string,
): readonly EarlyFinding[] {
  return checkProperties(type, properties, region).map(({ path, message }) => ({
    logicalId,
    type,
    validation: 'PROPERTY_VALIDATION',
    path: `/Resources/${logicalId}/Properties${path}`,
    reason: `#${path}: ${message}`,
  }));
}

function nameFinding(logicalId: string, { type, id }: Resource): EarlyFinding {
  return {
    logicalId,
    type,
    validation: 'NAME_CONFLICT_VALIDATION',
    path: `/Resources/${logicalId}/Properties`,
    reason: `Resource of type '${type}' with identifier '${id}' already exists.`,
  };
}
