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
    const policy = (Bucket: string, Resource: string): string | undefined =>
      refusalOf(() =>
        data.make('AWS::S3::BucketPolicy', {
          Bucket,
          PolicyDocument: {
            Version: '2012-10-17',
            Statement: [{ Effect: 'Deny', Principal: '*', Action: 's3:*', Resource }],
          },
        }),
      );
    expect(policy('other', 'arn:aws:s3:::other')).toMatch(/^NoSuchBucket/u);
    expect(policy('mine', 'arn:aws:s3:::other/*')).toMatch(/^MalformedPolicy: Policy has invalid resource/u);
    expect(policy('mine', 'arn:aws:s3:::mine/*')).toBeUndefined();
    expect(policy('mine', 'arn:aws:s3:::mine/*')).toMatch(/^ResourceConflict/u);
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
      'more minimum than maximum',
      { CacheUsageLimits: { ECPUPerSecond: { Minimum: 2000, Maximum: 1000 } } },
      /minimum is above/u,
    ],
  ])('is refused with %s', (_, others, refusal) => {
    const data = new DataWorld();
    expect(refusalOf(() => data.make(CACHE, cacheOf(data, others)))).toMatch(refusal);
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
