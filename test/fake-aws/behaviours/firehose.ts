import type { Behaviour, Context, Made } from '../behaviour.ts';
import { physicalName } from '../cloudformation/names.ts';
import { Refusal } from '../refusal.ts';
import { type Properties, textAt, valueAt } from '../values.ts';
import { checkPrefixes } from './firehose-prefixes.ts';
import { roleWithArn, trusts } from './iam-lookups.ts';
import { requireKey } from './key-lookups.ts';
import { flagAt, numberAt } from './property-values.ts';
import { BUCKET } from './s3.ts';

const STREAM = 'AWS::KinesisFirehose::DeliveryStream';
const NAME = /^[a-zA-Z0-9_.-]{1,64}$/u;
const INVALID = 'InvalidArgumentException';
const DESTINATIONS = ['S3DestinationConfiguration', 'ExtendedS3DestinationConfiguration'];
// "BufferingHints" and "Configure buffering hints", Amazon Data Firehose Developer Guide.
const BUFFER = { seconds: 900, megabytes: 128 } as const;
// "Dynamic partitioning": at least 64 MB.
const PARTITIONED_MEGABYTES = 64;

/** Ref is the stream's name. "CreateDeliveryStream", Amazon Data Firehose API Reference. */
const stream: Behaviour = {
  type: STREAM,
  create(context, properties): Made {
    const { world, place } = context;
    const name = textAt(properties, 'DeliveryStreamName') ?? physicalName(context, 64);
    if (!NAME.test(name)) throw new Refusal(INVALID, `Delivery stream name ${name} is invalid`);
    if (world.find(place, STREAM, name) !== undefined) {
      throw new Refusal(
        'ResourceInUseException',
        `Firehose ${name} under accountId ${place.account} already exists`,
      );
    }
    checkStream(context, properties);
    return {
      id: name,
      attributes: { Arn: `arn:aws:firehose:${place.region}:${place.account}:deliverystream/${name}` },
    };
  },
  update(context, _resource, properties): undefined {
    checkStream(context, properties);
  },
};

export const FIREHOSE: readonly Behaviour[] = [stream];

function checkStream(context: Context, properties: Properties): void {
  const { world, place } = context;
  const refuseKey = (key: string): Refusal =>
    new Refusal('InvalidKMSResourceException', `Key '${key}' is invalid`);
  const key = textAt(properties, 'DeliveryStreamEncryptionConfigurationInput.KeyARN');
  const own = textAt(properties, 'DeliveryStreamEncryptionConfigurationInput.KeyType');
  // "DeliveryStreamEncryptionConfigurationInput": a key with CUSTOMER_MANAGED_CMK, and only there.
  if ((key !== undefined) !== (own === 'CUSTOMER_MANAGED_CMK')) {
    throw new Refusal(INVALID, 'KeyARN must be given when KeyType is CUSTOMER_MANAGED_CMK, and only then');
  }
  requireKey(world, place, key, refuseKey);
  for (const destination of DESTINATIONS) {
    const configuration = valueAt(properties, destination);
    if (configuration === undefined) continue;
    checkDestination(context, properties, destination);
    requireKey(
      world,
      place,
      textAt(properties, `${destination}.EncryptionConfiguration.KMSEncryptionConfig.AWSKMSKeyARN`),
      refuseKey,
    );
  }
}

function checkDestination({ world }: Context, properties: Properties, destination: string): void {
  const text = (path: string): string => textAt(properties, `${destination}.${path}`) ?? '';
  const role = roleWithArn(world, text('RoleARN'));
  // "Controlling access with Amazon Data Firehose": the service assumes the role.
  if (role === undefined || !trusts(role, 'firehose.amazonaws.com')) {
    throw new Refusal(
      INVALID,
      `Firehose is unable to assume role ${text('RoleARN')}. Please check the role provided.`,
    );
  }
  const name = text('BucketARN').replace(/^arn:aws:s3:::/u, '');
  // A bucket may be in another region: "Cross-Region delivery".
  if (!world.all(BUCKET).some(({ id }) => id === name)) {
    throw new Refusal(INVALID, `The bucket ${name} does not exist`);
  }
  checkBuffer(properties, destination);
  checkPrefixes(properties, destination);
  const log = `${destination}.CloudWatchLoggingOptions`;
  if (flagAt(properties, `${log}.Enabled`) === true) {
    const group = textAt(properties, `${log}.LogGroupName`) ?? '';
    const streamName = textAt(properties, `${log}.LogStreamName`) ?? '';
    if (group === '' || streamName === '') {
      throw new Refusal(INVALID, 'LogGroupName and LogStreamName must be given where logging is enabled');
    }
  }
}

function checkBuffer(properties: Properties, destination: string): void {
  const seconds = numberAt(properties, `${destination}.BufferingHints.IntervalInSeconds`) ?? 0;
  const megabytes = numberAt(properties, `${destination}.BufferingHints.SizeInMBs`) ?? PARTITIONED_MEGABYTES;
  const partitioned = flagAt(properties, `${destination}.DynamicPartitioningConfiguration.Enabled`) === true;
  if (seconds > BUFFER.seconds || megabytes > BUFFER.megabytes || megabytes < 1) {
    throw new Refusal(
      INVALID,
      `BufferingHints: at most ${BUFFER.seconds} seconds, and 1 to ${BUFFER.megabytes} MB`,
    );
  }
  if (partitioned && megabytes < PARTITIONED_MEGABYTES) {
    throw new Refusal(INVALID, `BufferingHints.SizeInMBs must be at least ${PARTITIONED_MEGABYTES}`);
  }
}
