import type { Behaviour, Context, Made } from '../behaviour.ts';
import { physicalName } from '../cloudformation/names.ts';
import { Refusal } from '../refusal.ts';
import { type Place, type Properties, isProperties, textAt, valueAt } from '../values.ts';
import type { Resource, World } from '../world.ts';
import { requireKey } from './key-lookups.ts';
import { objectsAt, requiredText } from './property-values.ts';
import { generatedSecret } from './secret-values.ts';
import { stateText } from './state-values.ts';

export const SECRET = 'AWS::SecretsManager::Secret';
/** A secret that a call deleted and that can still be restored: its name is taken. No type of CloudFormation's. */
export const DELETED_SECRET = 'SecretsManager::SecretPendingDeletion';

// "CreateSecret", AWS Secrets Manager API Reference.
const NAME = /^[A-Za-z0-9/_+=.@-]{1,512}$/u;
const SECRET_BYTES_MAX = 65_536;

/**
 * Ref is the secret's ARN, with six characters that AWS adds to its name. A replica is a secret of its region with the same name and the same
 * six characters. "AWS::SecretsManager::Secret", CloudFormation Template Reference; "Replicate AWS Secrets Manager secrets across
 * Regions", AWS Secrets Manager User Guide. CloudFormation deletes without a recovery window: "DeletionPolicy attribute".
 */
const secret: Behaviour = {
  type: SECRET,
  create(context, properties): Made {
    const { world, place } = context;
    const name = textAt(properties, 'Name') ?? physicalName(context, 512);
    checkName(world, place, name);
    checkKeyOf(world, place, textAt(properties, 'KmsKeyId'));
    const value = valueOf(properties);
    const regions = replicaRegions(properties);
    checkReplicas(context, { name, regions });
    const suffix = world.hex(6);
    for (const replica of regions) addReplica(context, { name, suffix, properties, value, replica });
    const arn = arnOf(place, name, suffix);
    return {
      id: arn,
      attributes: { Id: arn },
      state: new Map([
        ['name', name],
        ['SecretString', value],
        ['suffix', suffix],
      ]),
    };
  },
  update(context, resource, properties): undefined {
    const { world, place } = context;
    checkKeyOf(world, place, textAt(properties, 'KmsKeyId'));
    const name = nameOf(resource);
    const before = replicaRegions(resource.properties);
    const after = replicaRegions(properties);
    const isIn = (list: readonly ReplicaRegion[], one: ReplicaRegion): boolean =>
      list.some(({ region }) => region === one.region);
    const fresh = after.filter((one) => !isIn(before, one));
    checkReplicas(context, { name, regions: fresh, all: after });
    for (const gone of before.filter((one) => !isIn(after, one))) {
      removeReplica(world, place.account, name, gone.region);
    }
    // A value is generated anew where how it is generated changes: "GenerateSecretString".
    const changed =
      JSON.stringify(generation(resource.properties)) !== JSON.stringify(generation(properties));
    if (changed) resource.state.set('SecretString', valueOf(properties));
    const value = secretValue(resource);
    const suffix = stateText(resource, 'suffix');
    for (const replica of fresh) addReplica(context, { name, suffix, properties, value, replica });
    for (const { region } of after) {
      const copy = findSecret(world, { account: place.account, region }, name);
      copy?.state.set('SecretString', value);
    }
  },
  remove({ world, place }, resource): void {
    const name = nameOf(resource);
    for (const { region } of replicaRegions(resource.properties)) {
      removeReplica(world, place.account, name, region);
    }
  },
};

export const SECRETS: readonly Behaviour[] = [secret];

/** A secret by its name, its ARN, or its ARN without the six characters. */
export function findSecret(world: World, place: Place, reference: string): Resource | undefined {
  return world
    .all(SECRET, place)
    .find(
      (one) =>
        one.id === reference || nameOf(one) === reference || one.id.replace(/-[^-]{6}$/u, '') === reference,
    );
}

/** What GetSecretValue gives. */
export function secretValue(resource: Resource): string {
  return stateText(resource, 'SecretString');
}

interface ReplicaRegion {
  readonly region: string;
  readonly key: string | undefined;
}

interface Copy {
  readonly name: string;
  readonly suffix: string;
  readonly properties: Properties;
  readonly value: string;
  readonly replica: ReplicaRegion;
}

function nameOf(resource: Resource): string {
  return stateText(resource, 'name');
}

function checkName(world: World, place: Place, name: string): void {
  if (!NAME.test(name)) {
    throw new Refusal(
      'ValidationException',
      'Invalid name. Must be a valid name containing alphanumeric characters, or any of the following: -/_+=.@!',
    );
  }
  if (findSecret(world, place, name) !== undefined) {
    throw new Refusal(
      'ResourceExistsException',
      `The operation failed because the secret ${name} already exists.`,
    );
  }
  if (world.find(place, DELETED_SECRET, name) !== undefined) {
    throw new Refusal(
      'InvalidRequestException',
      "You can't create this secret because a secret with this name is already scheduled for deletion.",
    );
  }
}

function checkKeyOf(world: World, place: Place, key: string | undefined): void {
  requireKey(
    world,
    place,
    key,
    () =>
      new Refusal(
        'InvalidRequestException',
        "Access to KMS is not allowed or the key doesn't exist in the secret's Region.",
      ),
  );
}

function checkReplicas(
  { world, place }: Context,
  {
    name,
    regions,
    all = regions,
  }: { name: string; regions: readonly ReplicaRegion[]; all?: readonly ReplicaRegion[] },
): void {
  const names = all.map(({ region }) => region);
  // "ReplicateSecretToRegions", AWS Secrets Manager API Reference: InvalidParameterException.
  if (names.includes(place.region)) {
    throw new Refusal(
      'InvalidParameterException',
      `Invalid replica region. The primary region ${place.region} can't be a replica region.`,
    );
  }
  if (new Set(names).size !== names.length) {
    throw new Refusal('InvalidParameterException', "Replica regions can't contain duplicates.");
  }
  for (const { region, key } of regions) {
    const there = { account: place.account, region };
    checkKeyOf(world, there, key);
    checkName(world, there, name);
  }
}

function addReplica({ world, place }: Context, { name, suffix, properties, value, replica }: Copy): void {
  const there = { account: place.account, region: replica.region };
  const { ReplicaRegions: _, KmsKeyId: __, ...own } = properties;
  const id = arnOf(there, name, suffix);
  world.add({
    ...there,
    type: SECRET,
    id,
    stack: null,
    properties: { ...own, Name: name, ...(replica.key === undefined ? {} : { KmsKeyId: replica.key }) },
    attributes: { Id: id },
    state: new Map([
      ['name', name],
      ['SecretString', value],
      ['suffix', suffix],
      ['primary', place.region],
    ]),
  });
}

function removeReplica(world: World, account: string, name: string, region: string): void {
  const copy = findSecret(world, { account, region }, name);
  // One that was promoted is a secret of its own.
  if (copy?.state.has('primary') === true) world.remove(copy);
}

function replicaRegions(properties: Properties): readonly ReplicaRegion[] {
  return objectsAt(properties, 'ReplicaRegions').map((one) => ({
    region: requiredText(one, 'Region'),
    key: textAt(one, 'KmsKeyId'),
  }));
}

function arnOf({ account, region }: Place, name: string, suffix: string): string {
  return `arn:aws:secretsmanager:${region}:${account}:secret:${name}-${suffix}`;
}

function generation(properties: Properties): unknown {
  return [properties['GenerateSecretString'] ?? null, properties['SecretString'] ?? null];
}

function valueOf(properties: Properties): string {
  const how = valueAt(properties, 'GenerateSecretString');
  const given = textAt(properties, 'SecretString');
  if (how !== undefined && given !== undefined) {
    throw new Refusal('InvalidRequest', "You can't specify both SecretString and GenerateSecretString.");
  }
  const value = isProperties(how) ? generatedSecret(how) : (given ?? '');
  if (Buffer.byteLength(value) > SECRET_BYTES_MAX) {
    throw new Refusal(
      'InvalidParameterException',
      `The secret value is longer than ${SECRET_BYTES_MAX} bytes.`,
    );
  }
  return value;
}
