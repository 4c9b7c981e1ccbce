import type { Behaviour, Context, Made } from '../behaviour.ts';
import { physicalName } from '../cloudformation/names.ts';
import { Refusal } from '../refusal.ts';
import { type Properties, textAt } from '../values.ts';
import { checkPolicy, textsOf } from './iam-policy-document.ts';
import { numberAt, objectsAt, requiredText } from './property-values.ts';

export const BUCKET = 'AWS::S3::Bucket';
const BUCKET_POLICY = 'AWS::S3::BucketPolicy';

const NAME_LENGTH_MAX = 63;
/** Waiting times of a lifecycle's rule, and what S3 calls them. */
const LIFECYCLE_DAYS: Readonly<Record<string, string>> = {
  ExpirationInDays: "'Days' for Expiration action",
  'NoncurrentVersionExpiration.NoncurrentDays': "'NoncurrentDays' for NoncurrentVersionExpiration action",
  NoncurrentVersionExpirationInDays: "'NoncurrentDays' for NoncurrentVersionExpiration action",
  'AbortIncompleteMultipartUpload.DaysAfterInitiation':
    "'DaysAfterInitiation' for AbortIncompleteMultipartUpload action",
};
const CONFLICT = 409;
const NOT_FOUND = 404;

/** Ref is the bucket's name. "AWS::S3::Bucket", CloudFormation Template Reference, "Return values". */
const bucket: Behaviour = {
  type: BUCKET,
  create(context, properties): Made {
    const { world, place } = context;
    const name =
      textAt(properties, 'BucketName') ?? physicalName(context, NAME_LENGTH_MAX, { lowerCase: true });
    checkName(name);
    const taken = world.all(BUCKET).find(({ id }) => id === name);
    if (taken?.account === place.account) {
      throw new Refusal('BucketAlreadyOwnedByYou', `${name} already exists`, CONFLICT);
    }
    if (taken !== undefined) throw new Refusal('BucketAlreadyExists', `${name} already exists`, CONFLICT);
    checkBucket(properties);
    return {
      id: name,
      attributes: {
        Arn: `arn:aws:s3:::${name}`,
        DomainName: `${name}.s3.amazonaws.com`,
        DualStackDomainName: `${name}.s3.dualstack.${place.region}.amazonaws.com`,
        RegionalDomainName: `${name}.s3.${place.region}.amazonaws.com`,
        WebsiteURL: `http://${name}.s3-website-${place.region}.amazonaws.com`,
      },
    };
  },
  update(_context, _resource, properties): undefined {
    checkBucket(properties);
  },
  remove({ world }, { id }): void {
    // "DeleteBucket", Amazon S3 API Reference.
    if (world.objects.list(id).length > 0) {
      throw new Refusal('BucketNotEmpty', 'The bucket you tried to delete is not empty', CONFLICT);
    }
  },
};

/** "PutBucketPolicy", Amazon S3 API Reference. A bucket has one policy. */
const bucketPolicy: Behaviour = {
  type: BUCKET_POLICY,
  create(context, properties): Made {
    const name = requiredText(properties, 'Bucket');
    checkBucketPolicy(context, name, properties);
    if (context.world.find(context.place, BUCKET_POLICY, name) !== undefined) {
      throw new Refusal('ResourceConflict', 'The bucket policy already exists on bucket.', CONFLICT);
    }
    return { id: name };
  },
  update(context, resource, properties): undefined {
    checkBucketPolicy(context, resource.id, properties);
  },
};

export const S3: readonly Behaviour[] = [bucket, bucketPolicy];

/** "General purpose bucket naming rules", Amazon S3 User Guide. */
function checkName(name: string): void {
  const shape = /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/u.test(name);
  const address = /^\d+\.\d+\.\d+\.\d+$/u.test(name);
  const reserved = /^(?:xn--|sthree-|amzn-s3-demo-)|(?:-s3alias|--ol-s3|\.mrap|--x-s3|--table-s3)$/u.test(
    name,
  );
  if (shape && !name.includes('..') && !address && !reserved) return;
  throw new Refusal('InvalidBucketName', 'The specified bucket is not valid.');
}

/** "PutBucketEncryption", Amazon S3 API Reference: whether the key exists isn't looked at until something is written. */
function checkBucket(properties: Properties): void {
  for (const rule of objectsAt(properties, 'BucketEncryption.ServerSideEncryptionConfiguration')) {
    const key = textAt(rule, 'ServerSideEncryptionByDefault.KMSMasterKeyID');
    const algorithm = textAt(rule, 'ServerSideEncryptionByDefault.SSEAlgorithm');
    if (key !== undefined && algorithm === 'AES256') {
      throw new Refusal(
        'InvalidArgument',
        'a KMSMasterKeyID is not applicable if the default sse algorithm is not aws:kms or aws:kms:dsse',
      );
    }
  }
  checkLifecycle(properties);
}

/** "PutBucketLifecycleConfiguration" and "LifecycleExpiration", Amazon S3 API Reference: "a non-zero positive integer". */
function checkLifecycle(properties: Properties): void {
  for (const rule of objectsAt(properties, 'LifecycleConfiguration.Rules')) {
    for (const [path, action] of Object.entries(LIFECYCLE_DAYS)) {
      const days = numberAt(rule, path);
      if (days === undefined || (Number.isInteger(days) && days > 0)) continue;
      throw new Refusal('InvalidArgument', `${action} must be a positive integer`);
    }
  }
}

function checkBucketPolicy({ world, place }: Context, name: string, properties: Properties): void {
  if (world.find(place, BUCKET, name) === undefined) {
    throw new Refusal('NoSuchBucket', 'The specified bucket does not exist', NOT_FOUND);
  }
  const arn = `arn:aws:s3:::${name}`;
  const statements = checkPolicy(properties['PolicyDocument'], 'resource', 'MalformedPolicy');
  // "Actions, resources, and condition keys for Amazon S3": a bucket's policy is about S3.
  const actions = statements.flatMap((one) => [...textsOf(one['Action']), ...textsOf(one['NotAction'])]);
  if (actions.some((action) => action !== '*' && !/^s3:/iu.test(action))) {
    throw new Refusal('MalformedPolicy', 'Policy has invalid action');
  }
  const resources = statements.flatMap((statement) => textsOf(statement['Resource']));
  if (
    resources.some((one) => one !== '*' && one !== arn && !one.startsWith(`${arn}/`) && one !== `${arn}*`)
  ) {
    throw new Refusal('MalformedPolicy', 'Policy has invalid resource');
  }
}
