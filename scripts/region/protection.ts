import type { Template, TemplateResource } from '../lib/deployed-stack.ts';

/** Days after which a key that goes is gone: the fewest that KMS has. Until then no other can take its place. */
const KEY_DAYS = 7;

/**
 * What a region had to itself and nothing else has, by type, with the properties that keep it from going: a replica's database and its copy
 * of the zone's key hold nothing that the other regions don't, and they stand in the way of the region's return.
 */
const DELETED_WITH_ITS_REGION: ReadonlyMap<string, Readonly<Record<string, unknown>>> = new Map([
  ['AWS::RDS::DBCluster', { DeletionProtection: false }],
  ['AWS::RDS::DBClusterParameterGroup', {}],
  ['AWS::RDS::DBSubnetGroup', {}],
  // Besides, CloudFormation takes no change of a policy alone.
  ['AWS::KMS::ReplicaKey', { PendingWindowInDays: KEY_DAYS }],
]);

/** Where a template remembers its protected resources as they were, so that a later run can put them back. */
const MEMORY = 'KeyhearthProtected';

/** A stack's template with which what the region had to itself goes when the stack is deleted. The events stay. */
export function withoutProtection(template: Template): Template {
  const before = Object.entries(template.Resources).filter(([, { Type }]) =>
    DELETED_WITH_ITS_REGION.has(Type),
  );
  const changed = before.map(([id, resource]) => [
    id,
    {
      ...resource,
      DeletionPolicy: 'Delete',
      Properties: { ...resource.Properties, ...DELETED_WITH_ITS_REGION.get(resource.Type) },
    },
  ]);
  return {
    ...template,
    Metadata: { [MEMORY]: Object.fromEntries(before), ...template.Metadata },
    Resources: { ...template.Resources, ...Object.fromEntries(changed) },
  };
}

/** The template that `withoutProtection` was given; undefined for one that it didn't make. */
export function protectedAgain(template: Template): Template | undefined {
  const { [MEMORY]: before, ...Metadata } = template.Metadata ?? {};
  if (before === undefined) return undefined;
  // Nobody but `withoutProtection` writes it.
  const resources = before as Readonly<Record<string, TemplateResource>>;
  const { Metadata: _, ...rest } = template;
  return {
    ...rest,
    ...(Object.keys(Metadata).length === 0 ? {} : { Metadata }),
    Resources: { ...template.Resources, ...resources },
  };
}

/** Whether something of that would stay, or refuse to go. */
export function isProtected(template: Template): boolean {
  return Object.values(template.Resources).some(
    ({ Type, DeletionPolicy = 'Delete', Properties = {} }) =>
      DELETED_WITH_ITS_REGION.has(Type) &&
      (DeletionPolicy.startsWith('Retain') || Properties['DeletionProtection'] === true),
  );
}

/** Types that stay when the stack is deleted as `withoutProtection` leaves it. */
export function keptOf(template: Template): readonly string[] {
  const kept = Object.values(withoutProtection(template).Resources).flatMap(({ Type, DeletionPolicy = '' }) =>
    DeletionPolicy.startsWith('Retain') ? [Type] : [],
  );
  return [...new Set(kept)].toSorted();
}
