import type { Behaviour, Context, Made } from '../behaviour.ts';
import { Refusal } from '../refusal.ts';
import type { Properties } from '../values.ts';
import type { Resource } from '../world.ts';
import { ALIAS, DELETED_KEY, KEY, REPLICA_KEY, findKey } from './key-lookups.ts';
import { checkKeyPolicy } from './key-policy.ts';
import { flagAt, numberAt, requiredText } from './property-values.ts';

// "ScheduleKeyDeletion", AWS KMS API Reference: 7 to 30 days, 30 unless given.
const PENDING_DAYS = { least: 7, most: 30 } as const;
// "CreateAlias", AWS KMS API Reference.
const ALIAS_NAME = /^alias\/[a-zA-Z0-9/_-]{1,250}$/u;

/** Ref is the key's id. "AWS::KMS::Key", CloudFormation Template Reference, "Return values". */
const key: Behaviour = {
  type: KEY,
  create(context, properties): Made {
    checkKey(context, properties);
    const id =
      flagAt(properties, 'MultiRegion') === true
        ? `mrk-${context.world.hex(32)}`
        : uuid(context.world.hex(32));
    return made(context, id);
  },
  update(context, resource, properties): undefined {
    checkKey(context, properties);
    // "Changing the primary key in a set of multi-Region keys" doesn't make one of a single-region key: AWS::KMS::Key, "MultiRegion".
    if (flagAt(properties, 'MultiRegion') !== flagAt(resource.properties, 'MultiRegion')) {
      throw new Refusal(
        'InvalidRequest',
        'You cannot change the MultiRegion property after the KMS key is created.',
      );
    }
  },
  remove: scheduleDeletion,
};

/** "AWS::KMS::ReplicaKey", CloudFormation Template Reference; "ReplicateKey", AWS KMS API Reference. */
const replica: Behaviour = {
  type: REPLICA_KEY,
  create(context, properties): Made {
    const { world, place } = context;
    checkKey(context, properties);
    const arn = requiredText(properties, 'PrimaryKeyArn');
    const [, , , region = '', account = '', name = ''] = arn.split(':');
    const primary = world.find({ account, region }, KEY, name.replace(/^key\//u, ''));
    if (primary === undefined) throw new Refusal('NotFoundException', `Key '${arn}' does not exist`);
    if (flagAt(primary.properties, 'MultiRegion') !== true) {
      throw new Refusal('UnsupportedOperationException', `${arn} is not a multi-Region primary key.`);
    }
    const taken = [KEY, REPLICA_KEY, DELETED_KEY].some(
      (type) => world.find(place, type, primary.id) !== undefined,
    );
    if (region === place.region || taken) {
      throw new Refusal(
        'AlreadyExistsException',
        `Key ${primary.id} already exists in Region ${place.region}.`,
      );
    }
    return made(context, primary.id);
  },
  update(context, _resource, properties): undefined {
    checkKey(context, properties);
  },
  remove: scheduleDeletion,
};

/** Ref is the alias's name. "CreateAlias", AWS KMS API Reference. */
const alias: Behaviour = {
  type: ALIAS,
  create(context, properties): Made {
    const { world, place } = context;
    const name = requiredText(properties, 'AliasName');
    if (!ALIAS_NAME.test(name) || name.startsWith('alias/aws/')) {
      throw new Refusal(
        'InvalidAliasNameException',
        name.startsWith('alias/aws/')
          ? 'alias/aws/ is a reserved prefix.'
          : `Alias must start with the prefix "alias/". Please see https://docs.aws.amazon.com/kms/latest/developerguide/kms-alias.html`,
      );
    }
    if (world.find(place, ALIAS, name) !== undefined) {
      throw new Refusal(
        'AlreadyExistsException',
        `An alias with the name ${aliasArn(context, name)} already exists`,
      );
    }
    checkTarget(context, properties);
    return { id: name };
  },
  update(context, _resource, properties): undefined {
    checkTarget(context, properties);
  },
};

export const KMS: readonly Behaviour[] = [key, replica, alias];

function made({ place: { account, region } }: Context, id: string): Made {
  return { id, attributes: { KeyId: id, Arn: `arn:aws:kms:${region}:${account}:key/${id}` } };
}

function checkKey(context: Context, properties: Properties): void {
  const days = numberAt(properties, 'PendingWindowInDays');
  if (days !== undefined && (days < PENDING_DAYS.least || days > PENDING_DAYS.most)) {
    throw new Refusal(
      'ValidationException',
      `PendingWindowInDays must be between ${PENDING_DAYS.least} and ${PENDING_DAYS.most}`,
    );
  }
  if (properties['KeyPolicy'] !== undefined) checkKeyPolicy(context, properties['KeyPolicy']);
}

function checkTarget({ world, place }: Context, properties: Properties): void {
  const target = requiredText(properties, 'TargetKeyId');
  // "TargetKeyId": id or ARN, no other alias.
  const found = target.includes('alias/') ? undefined : findKey(world, place, target);
  if (found === null || found === undefined) {
    throw new Refusal('NotFoundException', `Key '${target}' does not exist`);
  }
}

/**
 * The key stays until its waiting period is over, and can't be used. A primary with replicas waits for the deletion of the last of them
 * first: nothing refuses its deletion. Sources: "ScheduleKeyDeletion", AWS KMS API Reference; "Deleting multi-Region keys", AWS KMS
 * Developer Guide.
 */
function scheduleDeletion({ world, place }: Context, { id, type, properties, attributes }: Resource): void {
  const days = numberAt(properties, 'PendingWindowInDays') ?? PENDING_DAYS.most;
  world.add({
    ...place,
    type: DELETED_KEY,
    id,
    stack: null,
    properties,
    attributes,
    state: new Map<string, string | number>([
      ['keyType', type],
      ['days', days],
    ]),
  });
}

function aliasArn({ place: { account, region } }: Context, name: string): string {
  return `arn:aws:kms:${region}:${account}:${name}`;
}

function uuid(hex: string): string {
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}
