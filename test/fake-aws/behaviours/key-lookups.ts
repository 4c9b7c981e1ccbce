import type { Refusal } from '../refusal.ts';
import { type Place, textAt, valueAt } from '../values.ts';
import type { Resource, World } from '../world.ts';
import { checkPolicy, textsOf } from './iam-policy-document.ts';

export const KEY = 'AWS::KMS::Key';
export const REPLICA_KEY = 'AWS::KMS::ReplicaKey';
export const ALIAS = 'AWS::KMS::Alias';
/** A key whose deletion is scheduled: it exists, but nothing can be encrypted with it. No type of CloudFormation's. */
export const DELETED_KEY = 'KMS::KeyPendingDeletion';

/** Aliases of the keys that AWS makes by itself once something asks for them: "AWS managed keys", AWS KMS Developer Guide. */
const AWS_MANAGED = 'alias/aws/';

/**
 * The key that a reference means (id, ARN, alias or an alias's ARN), in its place: one of another account or region isn't found. Null for a key
 * that AWS manages. Undefined where there is none that can be used.
 * Source: "Key identifiers (KeyId)", AWS KMS Developer Guide.
 */
export function findKey(world: World, place: Place, reference: string): Resource | null | undefined {
  const id = localName(place, reference);
  if (id === undefined) return undefined;
  if (id.startsWith(AWS_MANAGED)) return null;
  if (id.startsWith('alias/')) {
    const alias = world.find(place, ALIAS, id);
    return alias === undefined
      ? undefined
      : findKey(world, place, textAt(alias.properties, 'TargetKeyId') ?? '');
  }
  const name = id.replace(/^key\//u, '');
  const found = world.find(place, KEY, name) ?? world.find(place, REPLICA_KEY, name);
  return found?.properties['Enabled'] === false ? undefined : found;
}

/** Throws the caller's refusal where a reference is given that means no usable key of this place. */
export function requireKey(
  world: World,
  place: Place,
  reference: string | undefined,
  refusal: (reference: string) => Refusal,
): void {
  if (reference !== undefined && findKey(world, place, reference) === undefined) throw refusal(reference);
}

/** Does a statement of the key's policy let a service of AWS use it? Conditions aren't evaluated. */
export function letsService(key: Resource, service: string, action: string): boolean {
  const policy = key.properties['KeyPolicy'];
  // Without a policy of its own a key has the one that lets its account use it, and no service.
  if (policy === undefined) return false;
  return checkPolicy(policy, 'resource').some(
    (statement) =>
      textAt(statement, 'Effect') === 'Allow' &&
      (statement['Principal'] === '*' ||
        textsOf(valueAt(statement, 'Principal.Service')).includes(service)) &&
      textsOf(statement['Action']).some((pattern) => matches(pattern, action)),
  );
}

function localName({ account, region }: Place, reference: string): string | undefined {
  if (!reference.startsWith('arn:')) return reference;
  const [, , service, where, owner, ...rest] = reference.split(':');
  return service === 'kms' && where === region && owner === account ? rest.join(':') : undefined;
}

function matches(pattern: string, action: string): boolean {
  const expression = pattern
    .split('*')
    .map((part) => part.replace(/[.+?^${}()|[\]\\]/gu, String.raw`\$&`))
    .join('.*');
  return new RegExp(`^${expression}$`, 'iu').test(action);
}
