import { describe, expect, it } from 'vitest';
import { streamsOf, appendLog } from '../log-store.ts';
import type { Properties } from '../values.ts';
import { DataWorld, ELSEWHERE, HOME, AWAY, refusalOf } from './data-fixture.ts';
import { INTERFACE } from './ec2-lookups.ts';
import { requiredText } from './property-values.ts';

const BUCKET = 'AWS::S3::Bucket';
const GROUP = 'AWS::Logs::LogGroup';
const USER = 'AWS::ElastiCache::User';
const USERS = 'AWS::ElastiCache::UserGroup';
const CACHE = 'AWS::ElastiCache::ServerlessCache';

describe('a bucket', () => {
  it('has a name that no account has', () => {
    const data = new DataWorld();
    data.make(BUCKET, { BucketName: 'mine' });
    expect(refusalOf(() => data.make(BUCKET, { BucketName: 'mine' }, AWAY))).toMatch(
      /^BucketAlreadyOwnedByYou/u,
    );
    expect(refusalOf(() => data.make(BUCKET, { BucketName: 'mine' }, ELSEWHERE))).toMatch(
      /^BucketAlreadyExists/u,
    );
  });

  it.each(['ab', 'Mine', 'a..b', '10.0.0.1', 'xn--a', 'x'.repeat(64)])(
    'cannot be called %s',
    (BucketName) => {
      expect(refusalOf(() => new DataWorld().make(BUCKET, { BucketName }))).toMatch(/^InvalidBucketName/u);
    },
  );

  it('cannot be deleted with objects in it', () => {
    const data = new DataWorld();
    const bucket = data.make(BUCKET, {});
    data.world.objects.put(bucket.id, { key: 'a', bytes: Buffer.from('x') });
    expect(refusalOf(() => data.remove(bucket))).toMatch(/^BucketNotEmpty/u);
    data.world.objects.remove(bucket.id, 'a');
    expect(refusalOf(() => data.remove(bucket))).toBeUndefined();
  });

  it('has one policy, about itself', () => {
    const data = new DataWorld();
    data.make(BUCKET, { BucketName: 'mine' });
    const policy = (Bucket: string, Resource: string, Action = 's3:*'): string | undefined =>
      refusalOf(() =>
        data.make('AWS::S3::BucketPolicy', {
          Bucket,
          PolicyDocument: {
            Version: '2012-10-17',
            Statement: [{ Effect: 'Deny', Principal: '*', Action, Resource }],
          },
        }),
      );
    expect(policy('other', 'arn:aws:s3:::other')).toMatch(/^NoSuchBucket/u);
    expect(policy('mine', 'arn:aws:s3:::other/*')).toMatch(/^MalformedPolicy: Policy has invalid resource/u);
    expect(policy('mine', 'arn:aws:s3:::mine/*', 'sqs:SendMessage')).toBe(
      'MalformedPolicy: Policy has invalid action',
    );
    expect(policy('mine', 'arn:aws:s3:::mine/*')).toBeUndefined();
    expect(policy('mine', 'arn:aws:s3:::mine/*')).toMatch(/^ResourceConflict/u);
  });
});

describe("a bucket's lifecycle", () => {
  const rule = (changes: Properties): string | undefined =>
    refusalOf(() =>
      new DataWorld().make(BUCKET, {
        LifecycleConfiguration: { Rules: [{ Status: 'Enabled', ...changes }] },
      }),
    );

  it.each<[Properties, string]>([
    [{ ExpirationInDays: 0 }, "InvalidArgument: 'Days' for Expiration action must be a positive integer"],
    [{ ExpirationInDays: -1 }, "InvalidArgument: 'Days' for Expiration action must be a positive integer"],
    [{ NoncurrentVersionExpiration: { NoncurrentDays: 0 } }, "InvalidArgument: 'NoncurrentDays'"],
    [
      { AbortIncompleteMultipartUpload: { DaysAfterInitiation: 0 } },
      "InvalidArgument: 'DaysAfterInitiation'",
    ],
  ])('waits a day at least: %j', (changes, refusal) => {
    expect(rule(changes)).toContain(refusal);
  });

  it('may wait a day', () => {
    expect(rule({ ExpirationInDays: 1, NoncurrentVersionExpiration: { NoncurrentDays: 1 } })).toBeUndefined();
  });
});

describe('a log group', () => {
  it('has a name of its own and a retention that there is', () => {
    const data = new DataWorld();
    const group = (properties: Properties): string | undefined =>
      refusalOf(() => data.make(GROUP, properties));
    expect(group({ LogGroupName: 'a', RetentionInDays: 8 })).toMatch(/Retention of 8 days is invalid/u);
    expect(group({ LogGroupName: 'a b' })).toMatch(/^InvalidParameterException/u);
    expect(group({ LogGroupName: 'a', RetentionInDays: 7 })).toBeUndefined();
    expect(group({ LogGroupName: 'a' })).toMatch(/^ResourceAlreadyExistsException/u);
  });

  it('is encrypted with a key of its region that lets CloudWatch Logs use it', () => {
    const data = new DataWorld();
    const closed = data.make('AWS::KMS::Key', {});
    const group = (KmsKeyId: string): string | undefined => refusalOf(() => data.make(GROUP, { KmsKeyId }));
    expect(group(requiredText(closed.attributes, 'Arn'))).toMatch(/is not allowed to be used with Arn/u);
    expect(group(data.key(AWAY))).toMatch(/could not be found/u);
    expect(group(data.key())).toBeUndefined();
  });

  it('loses its streams and lines when it is deleted', () => {
    const data = new DataWorld();
    const group = data.make(GROUP, { LogGroupName: 'a' });
    appendLog(data.world, HOME, 'a', 'one', 'line');
    data.remove(group);
    expect(refusalOf(() => appendLog(data.world, HOME, 'a', 'one', 'line'))).toMatch(
      /^ResourceNotFoundException/u,
    );
    data.make(GROUP, { LogGroupName: 'a' });
    expect(streamsOf(data.world, HOME, 'a').size).toBe(0);
  });

  it('has streams whose names another group may have as well', () => {
    const data = new DataWorld();
    for (const LogGroupName of ['a', 'b']) data.make(GROUP, { LogGroupName });
    const stream = (LogGroupName: string) =>
      data.make('AWS::Logs::LogStream', { LogGroupName, LogStreamName: 'same' });
    stream('a');
    expect(refusalOf(() => stream('a'))).toMatch(/^ResourceAlreadyExistsException/u);
    const other = stream('b');
    data.remove(other);
    expect([...streamsOf(data.world, HOME, 'a').keys()]).toEqual(['same']);
    expect(streamsOf(data.world, HOME, 'b').size).toBe(0);
  });
});

describe('a delivery stream', () => {
  it('needs a role that it may assume, a bucket and a key', () => {
    const data = new DataWorld();
    const RoleARN = data.addRole('events', 'firehose.amazonaws.com');
    const closed = data.addRole('tasks', 'ecs-tasks.amazonaws.com');
    data.make(BUCKET, { BucketName: 'mine' });
    const stream = (destination: Properties, others: Properties = {}): string | undefined =>
      refusalOf(() =>
        data.make('AWS::KinesisFirehose::DeliveryStream', {
          ExtendedS3DestinationConfiguration: { BucketARN: 'arn:aws:s3:::mine', RoleARN, ...destination },
          ...others,
        }),
      );
    expect(stream({ RoleARN: closed })).toMatch(/unable to assume role/u);
    expect(stream({ BucketARN: 'arn:aws:s3:::other' })).toMatch(/does not exist/u);
    expect(
      stream({ EncryptionConfiguration: { KMSEncryptionConfig: { AWSKMSKeyARN: data.key(AWAY) } } }),
    ).toMatch(/^InvalidKMSResourceException/u);
    expect(stream({ BufferingHints: { IntervalInSeconds: 901, SizeInMBs: 5 } })).toMatch(/BufferingHints/u);
    expect(
      stream({}, { DeliveryStreamEncryptionConfigurationInput: { KeyType: 'CUSTOMER_MANAGED_CMK' } }),
    ).toMatch(/KeyARN/u);
    expect(stream({}, { DeliveryStreamName: 'events' })).toBeUndefined();
    expect(stream({}, { DeliveryStreamName: 'events' })).toMatch(/^ResourceInUseException/u);
  });
});

describe("a delivery stream's prefixes", () => {
  const errors = 'failed/!{firehose:error-output-type}/';
  const stream = (destination: Properties): string | undefined => {
    const data = new DataWorld();
    const RoleARN = data.addRole('events', 'firehose.amazonaws.com');
    data.make(BUCKET, { BucketName: 'mine' });
    return refusalOf(() =>
      data.make('AWS::KinesisFirehose::DeliveryStream', {
        ExtendedS3DestinationConfiguration: { BucketARN: 'arn:aws:s3:::mine', RoleARN, ...destination },
      }),
    );
  };

  it.each<[Properties, string]>([
    [
      { Prefix: '!{timestamp:yyyy}/' },
      'ErrorOutputPrefix cannot be null or empty when Prefix contains expressions',
    ],
    [{ Prefix: '!{moon:phase}/', ErrorOutputPrefix: errors }, '!{moon:phase} is not a valid expression'],
    [
      { Prefix: '!{firehose:name}/', ErrorOutputPrefix: errors },
      '!{firehose:name} is not a valid expression',
    ],
    [{ Prefix: '!{timestamp:yyyy', ErrorOutputPrefix: errors }, '!{timestamp:yyyy is not a valid expression'],
    [{ Prefix: errors, ErrorOutputPrefix: errors }, 'Prefix cannot contain !{firehose:error-output-type}'],
    [{ ErrorOutputPrefix: 'failed/!{timestamp:yyyy}/' }, 'must contain at least one instance'],
    [{ Prefix: '!{partitionKeyFromQuery:a}/', ErrorOutputPrefix: errors }, 'dynamic partitioning is enabled'],
    [
      { ErrorOutputPrefix: `${errors}!{partitionKeyFromQuery:a}/` },
      'cannot contain expressions of partition keys',
    ],
  ])('are refused as %j', (prefixes, sentence) => {
    const refusal = stream(prefixes);
    expect(refusal).toMatch(/^InvalidArgumentException: Ths supplied prefix/u);
    expect(refusal).toContain(sentence);
  });

  it('may have expressions of time and chance, and plain ones no company', () => {
    const Prefix = 'events/date=!{timestamp:yyyy-MM-dd}/!{firehose:random-string}/';
    expect(stream({ Prefix, ErrorOutputPrefix: errors })).toBeUndefined();
    expect(stream({ Prefix: 'events/' })).toBeUndefined();
  });
});

describe('a cache', () => {
  const user = { UserId: 'tasks', UserName: 'tasks', Engine: 'valkey', AuthenticationMode: { Type: 'iam' } };
  const cacheOf = (data: DataWorld, others: Properties = {}): Properties => ({
    ServerlessCacheName: 'Counters',
    Engine: 'valkey',
    SubnetIds: data.subnets().slice(0, 2),
    SecurityGroupIds: ['sg-eu-central-1'],
    ...others,
  });

  it('is made of users, a group and subnets, and deleted in the other order', () => {
    const data = new DataWorld();
    const one = data.make(USER, user);
    const group = data.make(USERS, { UserGroupId: 'all', Engine: 'valkey', UserIds: ['tasks'] });
    const cache = data.make(CACHE, cacheOf(data, { UserGroupId: 'all' }));
    expect(cache.id).toBe('counters');
    expect(cache.attributes).toMatchObject({ 'Endpoint.Port': '6379', 'ReaderEndpoint.Port': '6380' });
    expect(data.world.all(INTERFACE, HOME)).toHaveLength(2);
    expect(refusalOf(() => data.remove(one))).toMatch(/^InvalidUserState/u);
    expect(refusalOf(() => data.remove(group))).toMatch(/^InvalidUserGroupState/u);
    for (const resource of [cache, group, one]) data.remove(resource);
    expect(data.world.all(INTERFACE, HOME)).toEqual([]);
  });

  it.each([
    ['a name that is too long', { ServerlessCacheName: 'x'.repeat(41) }, /at most 40/u],
    ['one subnet', { SubnetIds: ['subnet-eu-central-1a'] }, /subnets given/u],
    [
      'a zone twice',
      { SubnetIds: ['subnet-eu-central-1a', 'subnet-eu-central-1a'] },
      /different Availability Zones/u,
    ],
    ['a security group that is not there', { SecurityGroupIds: ['sg-no'] }, /sg-no/u],
    ['a user group that is not there', { UserGroupId: 'no' }, /^UserGroupNotFoundFault/u],
    ['a key that is not there', { KmsKeyId: 'no' }, /KMS key no/u],
    [
      'a version that there is not',
      { MajorEngineVersion: '42' },
      /^InvalidParameterValue: Invalid major engine version: 42/u,
    ],
    [
      'too few units',
      { CacheUsageLimits: { ECPUPerSecond: { Maximum: 999 } } },
      /999 is not between 1000 and 15000000/u,
    ],
    [
      'too much storage',
      { CacheUsageLimits: { DataStorage: { Maximum: 5001, Unit: 'GB' } } },
      /5001 is not between 1 and 5000/u,
    ],
    [
      'more minimum than maximum',
      { CacheUsageLimits: { ECPUPerSecond: { Minimum: 2000, Maximum: 1000 } } },
      /minimum is above/u,
    ],
  ])('is refused with %s', (_, others, refusal) => {
    const data = new DataWorld();
    expect(refusalOf(() => data.make(CACHE, cacheOf(data, others)))).toMatch(refusal);
  });

  it.each(['7', '8', '9'])('may be of version %s of Valkey', (MajorEngineVersion) => {
    const data = new DataWorld();
    const limits = { DataStorage: { Maximum: 1, Unit: 'GB' }, ECPUPerSecond: { Maximum: 15_000_000 } };
    const cache = data.make(CACHE, cacheOf(data, { MajorEngineVersion, CacheUsageLimits: limits }));
    expect(cache.attributes['FullEngineVersion']).toBe(MajorEngineVersion);
  });

  it.each([
    'on ~* +@all',
    'on ~kh:* %R~other:* &news:* resetchannels -@all +@read +cluster|slots -@dangerous (+get ~public:*)',
  ])('has users with access like %s', (AccessString) => {
    expect(refusalOf(() => new DataWorld().make(USER, { ...user, AccessString }))).toBeUndefined();
  });

  it.each([
    'full access',
    'on ~* +@everything',
    'on >password ~* +@all',
    'on nopass',
    'on reset',
    'on ~* ++get',
  ])('has no users with access like %s', (AccessString) => {
    expect(refusalOf(() => new DataWorld().make(USER, { ...user, AccessString }))).toMatch(
      /^InvalidParameterValue: Access string is invalid: syntax error at /u,
    );
  });

  it.each([
    ['another name than its id', { UserName: 'other' }, /User Id and User name must be same/u],
    ['a password beside IAM', { Passwords: ['x'.repeat(16)] }, /not allowed/u],
    ['no password at all', { AuthenticationMode: { Type: 'no-password-required' } }, /must have a password/u],
    [
      'a short password',
      { AuthenticationMode: { Type: 'password', Passwords: ['short'] } },
      /between 16-128/u,
    ],
  ])('has no user with %s', (_, others, refusal) => {
    expect(refusalOf(() => new DataWorld().make(USER, { ...user, ...others }))).toMatch(refusal);
  });

  it('has a default user in its group only where it is of Redis OSS', () => {
    const data = new DataWorld();
    data.make(USER, { ...user, Engine: 'redis' });
    const group = (Engine: string, UserIds: string[]): string | undefined =>
      refusalOf(() => data.make(USERS, { UserGroupId: Engine, Engine, UserIds }));
    expect(group('redis', ['tasks'])).toMatch(/^DefaultUserRequired/u);
    expect(group('redis', ['tasks', 'default'])).toBeUndefined();
    expect(group('valkey', ['no'])).toMatch(/^UserNotFound/u);
    expect(group('valkey', ['tasks'])).toBeUndefined();
  });
});
