import { resourceSchema } from '../lib/resource-schemas.ts';
import type { Fate } from './effect-types.ts';
import type { Properties } from './resolve.ts';
import type { TemplateResource } from './template.ts';

/** Whether a change of a property makes the resource anew. Of a type that isn't known, any may: what can't be judged isn't harmless. */
export function replacedFor(type: string, property: string): 'never' | 'always' | 'maybe' {
  const schema = resourceSchema(type);
  return schema === undefined ? 'maybe' : (schema.properties.get(property)?.replaces ?? 'never');
}

/** Whether the CDK counts a type among those that hold data; one that isn't known counts as such. */
export function mayHoldData(type: string): boolean {
  return resourceSchema(type)?.stateful ?? true;
}

/** Whether AWS's schemas here have it. */
export function isKnownType(type: string): boolean {
  return resourceSchema(type) !== undefined;
}

type Deployed = TemplateResource & { readonly Properties: Properties };

/**
 * What becomes of a resource that leaves its template. Clusters and instances that aren't in one have a last snapshot taken unless the
 * template says otherwise.
 * Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-attribute-deletionpolicy.html
 */
export function fateOfRemoved(resource: Deployed): Fate {
  const { Type, DeletionPolicy } = resource;
  const snapshots =
    Type === 'AWS::RDS::DBCluster' || (Type === 'AWS::RDS::DBInstance' && !isMember(resource));
  return fateOf(DeletionPolicy ?? (snapshots ? 'Snapshot' : 'Delete'));
}

/**
 * What becomes of the old one where a new one takes its place.
 * Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-attribute-updatereplacepolicy.html
 */
export function fateOfReplaced({ UpdateReplacePolicy = 'Delete' }: TemplateResource): Fate {
  return fateOf(UpdateReplacePolicy);
}

/** An instance of an Aurora cluster: the cluster has the data. */
export function isMember({ Type, Properties }: Deployed): boolean {
  return Type === 'AWS::RDS::DBInstance' && Properties['DBClusterIdentifier'] !== undefined;
}

/** The name that a template gives a resource, if it gives one: CloudFormation makes one up otherwise. */
export function givenName(resource: Deployed): string | null {
  return partsOfName(resource).find((part) => part !== null) ?? null;
}

/** The same, where the template gives every part of what identifies it: AWS takes no second one of that name. */
export function wholeName(resource: Deployed): string | null {
  const parts = partsOfName(resource);
  return parts.length > 0 && !parts.includes(null) ? parts.join(' ') : null;
}

function partsOfName({ Type, Properties }: Deployed): readonly (string | null)[] {
  return (resourceSchema(Type)?.names ?? []).map((property) => {
    const value = Properties[property];
    return typeof value === 'string' ? value : null;
  });
}

function fateOf(policy: string): Fate {
  if (policy.startsWith('Retain')) return 'kept';
  return policy === 'Snapshot' ? 'snapshot' : 'deleted';
}
