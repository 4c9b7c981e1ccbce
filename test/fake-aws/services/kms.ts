import { callContext, removeByCall } from '../behaviours/by-call.ts';
import { ALIAS, DELETED_KEY, KEY, REPLICA_KEY, findKey } from '../behaviours/key-lookups.ts';
import { KMS } from '../behaviours/kms.ts';
import { flagAt, numberAt, requiredText } from '../behaviours/property-values.ts';
import type { Answer, Call, Service } from '../call.ts';
import { Refusal } from '../refusal.ts';
import { type Json, type Properties, textAt } from '../values.ts';
import type { Resource, World } from '../world.ts';
import { decrypt, encrypt } from './kms-ciphertext.ts';

const DAY_SECONDS = 86_400;

/** AWS KMS, as far as keys are looked at, used and deleted. */
export const KMS_SERVICE: Service = {
  signingName: 'kms',
  protocol: 'json',
  actions: {
    Decrypt: decrypt,
    Encrypt: encrypt,
    DescribeKey: (call) => ({ result: { KeyMetadata: metadataOf(call.world, asked(call)) } }),
    GetKeyPolicy: (call) => {
      const policy = asked(call).properties['KeyPolicy'] ?? defaultPolicy(call.account);
      return {
        result: {
          Policy: typeof policy === 'string' ? policy : JSON.stringify(policy),
          PolicyName: 'default',
        },
      };
    },
    ListAliases: listAliases,
    ListKeys: listKeys,
    ScheduleKeyDeletion: scheduleDeletion,
  },
};

function listKeys({ world, account, region }: Call): Answer {
  const keys = [KEY, REPLICA_KEY, DELETED_KEY].flatMap((type) => world.all(type, { account, region }));
  return {
    result: {
      Keys: keys.map(({ id, attributes }) => ({ KeyId: id, KeyArn: attributes['Arn'] ?? null })),
      Truncated: false,
    },
  };
}

function listAliases({ world, account, region, input }: Call): Answer {
  const place = { account, region };
  const wanted = textAt(input, 'KeyId');
  const key = wanted === undefined ? undefined : findKey(world, place, wanted);
  const aliases = world
    .all(ALIAS, place)
    .map(({ id, properties }) => ({
      id,
      target: findKey(world, place, requiredText(properties, 'TargetKeyId')),
    }))
    .filter(({ target }) => wanted === undefined || target?.id === key?.id);
  return {
    result: {
      Aliases: aliases.map(({ id, target }) => ({
        AliasName: id,
        AliasArn: `arn:aws:kms:${region}:${account}:${id}`,
        ...(target === undefined || target === null ? {} : { TargetKeyId: target.id }),
      })),
      Truncated: false,
    },
  };
}

/** "ScheduleKeyDeletion", AWS KMS API Reference. */
function scheduleDeletion(call: Call): Answer {
  const { world, account, region, input } = call;
  // By id or ARN only.
  if (requiredText(input, 'KeyId').includes('alias/')) {
    throw new Refusal('NotFoundException', `Invalid keyId '${requiredText(input, 'KeyId')}'`);
  }
  const key = asked(call);
  if (key.type === DELETED_KEY) {
    throw new Refusal(
      'KMSInvalidStateException',
      `${requiredText(key.attributes, 'Arn')} is pending deletion.`,
    );
  }
  const days = numberAt(input, 'PendingWindowInDays');
  if (days !== undefined) key.properties = { ...key.properties, PendingWindowInDays: days };
  const behaviour = KMS.find(({ type }) => type === key.type);
  if (behaviour !== undefined) removeByCall(callContext(world, { account, region }, key.id), behaviour, key);
  const deleted = asked(call);
  const { KeyState, DeletionDate, PendingDeletionWindowInDays } = metadataOf(world, deleted);
  return {
    result: withoutNull({
      KeyId: deleted.attributes['Arn'] ?? null,
      KeyState: KeyState ?? null,
      DeletionDate: DeletionDate ?? null,
      PendingWindowInDays: PendingDeletionWindowInDays ?? deleted.state.get('days') ?? null,
    }),
  };
}

/** The key that a call names, a deleted one too. Throws `NotFoundException`. */
function asked({ world, account, region, input }: Call): Resource {
  const place = { account, region };
  const reference = requiredText(input, 'KeyId');
  const id = reference.split('/').at(-1) ?? reference;
  const found =
    findKey(world, place, reference) ??
    [KEY, REPLICA_KEY, DELETED_KEY]
      .map((type) => world.find(place, type, id))
      .find((one) => one !== undefined);
  if (found !== undefined && found !== null) return found;
  throw new Refusal('NotFoundException', `Key '${reference}' does not exist`);
}

function metadataOf(world: World, key: Resource): Properties {
  const { account, id, properties, attributes } = key;
  const isReplica = properties['PrimaryKeyArn'] !== undefined;
  const multi = isReplica || flagAt(properties, 'MultiRegion') === true;
  const replicas = world.all(REPLICA_KEY).filter((one) => one.account === account && one.id === id);
  return withoutNull({
    AWSAccountId: account,
    KeyId: id,
    Arn: attributes['Arn'] ?? null,
    Description: textAt(properties, 'Description') ?? '',
    Enabled: key.type !== DELETED_KEY && flagAt(properties, 'Enabled') !== false,
    KeyUsage: textAt(properties, 'KeyUsage') ?? 'ENCRYPT_DECRYPT',
    KeySpec: textAt(properties, 'KeySpec') ?? 'SYMMETRIC_DEFAULT',
    KeyManager: 'CUSTOMER',
    Origin: textAt(properties, 'Origin') ?? 'AWS_KMS',
    MultiRegion: multi,
    ...stateOf(key, !isReplica && replicas.length > 0),
    MultiRegionConfiguration: multi
      ? {
          MultiRegionKeyType: isReplica ? 'REPLICA' : 'PRIMARY',
          PrimaryKey: keyIn(isReplica ? requiredText(properties, 'PrimaryKeyArn') : attributes['Arn']),
          ReplicaKeys: replicas.map((one) => keyIn(one.attributes['Arn'])),
        }
      : null,
  });
}

/** A deleted primary waits for its replicas before its own waiting period begins: "Key states of AWS KMS keys". */
function stateOf(key: Resource, hasReplicas: boolean): Properties {
  if (key.type !== DELETED_KEY) {
    return { KeyState: flagAt(key.properties, 'Enabled') === false ? 'Disabled' : 'Enabled' };
  }
  const days = Number(key.state.get('days'));
  return hasReplicas
    ? { KeyState: 'PendingReplicaDeletion', PendingDeletionWindowInDays: days }
    : { KeyState: 'PendingDeletion', DeletionDate: Math.floor(Date.now() / 1000) + days * DAY_SECONDS };
}

function keyIn(arn: Json | undefined): Properties {
  const text = typeof arn === 'string' ? arn : '';
  return { Arn: text, Region: text.split(':')[3] ?? '' };
}

function withoutNull(properties: Properties): Properties {
  return Object.fromEntries(Object.entries(properties).filter(([, value]) => value !== null));
}

/** "Default key policy", AWS KMS Developer Guide. */
function defaultPolicy(account: string): Properties {
  return {
    Version: '2012-10-17',
    Statement: [
      {
        Effect: 'Allow',
        Principal: { AWS: `arn:aws:iam::${account}:root` },
        Action: 'kms:*',
        Resource: '*',
      },
    ],
  };
}
