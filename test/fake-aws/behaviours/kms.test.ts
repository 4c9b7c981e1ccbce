import { describe, expect, it } from 'vitest';
import { AWAY, DataWorld, HOME, keyPolicy, refusalOf } from './data-fixture.ts';
import { findKey } from './key-lookups.ts';
import { requiredText } from './property-values.ts';

const KEY = 'AWS::KMS::Key';
const REPLICA = 'AWS::KMS::ReplicaKey';
const ALIAS = 'AWS::KMS::Alias';

const statement = { Effect: 'Allow', Principal: { AWS: '111111111111' }, Action: 'kms:*', Resource: '*' };

describe('a key', () => {
  it('is found by its id, its ARN and its alias, in its own region alone', () => {
    const data = new DataWorld();
    const key = data.make(KEY, {});
    data.make(ALIAS, { AliasName: 'alias/mine', TargetKeyId: key.id });
    const arn = requiredText(key.attributes, 'Arn');
    for (const reference of [key.id, arn, 'alias/mine', 'arn:aws:kms:eu-central-1:111111111111:alias/mine']) {
      expect(findKey(data.world, HOME, reference)?.id).toBe(key.id);
      expect(findKey(data.world, AWAY, reference)).toBeUndefined();
    }
    expect(key.id).toMatch(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/u);
  });

  it.each([
    ['a statement without principal', { ...statement, Principal: undefined }],
    ['a role that is not there', { ...statement, Principal: { AWS: 'arn:aws:iam::111111111111:role/no' } }],
    ['nobody who can change it', { ...statement, Action: 'kms:Encrypt' }],
    ['another account only', { ...statement, Principal: { AWS: '222222222222' } }],
  ])('refuses a policy with %s', (_, { Principal, ...others }) => {
    const changed = Principal === undefined ? others : { ...others, Principal };
    const policy = { Version: '2012-10-17', Statement: [changed] };
    expect(refusalOf(() => new DataWorld().make(KEY, { KeyPolicy: policy }))).toMatch(
      /^MalformedPolicyDocumentException/u,
    );
  });

  it('takes a policy for a role that is there', () => {
    const data = new DataWorld();
    const role = data.addRole('tasks', 'ecs-tasks.amazonaws.com');
    const policy = {
      Version: '2012-10-17',
      Statement: [statement, { ...statement, Principal: { AWS: role } }],
    };
    expect(refusalOf(() => data.make(KEY, { KeyPolicy: policy }))).toBeUndefined();
  });

  it('waits 7 to 30 days to be deleted, and cannot be used meanwhile', () => {
    const data = new DataWorld();
    expect(refusalOf(() => data.make(KEY, { PendingWindowInDays: 6 }))).toMatch(/between 7 and 30/u);
    const key = data.make(KEY, {});
    data.remove(key);
    expect(findKey(data.world, HOME, key.id)).toBeUndefined();
    expect(data.world.find(HOME, 'KMS::KeyPendingDeletion', key.id)?.state.get('days')).toBe(30);
  });
});

describe('a replica of a key', () => {
  it('has the id of its primary, once in a region', () => {
    const data = new DataWorld();
    const primary = data.make(KEY, { MultiRegion: true });
    const properties = { KeyPolicy: keyPolicy(HOME), PrimaryKeyArn: primary.attributes['Arn'] ?? '' };
    const replica = data.make(REPLICA, properties, AWAY);
    expect(replica.id).toBe(primary.id);
    expect(replica.id).toMatch(/^mrk-[0-9a-f]{32}$/u);
    expect(refusalOf(() => data.make(REPLICA, properties, AWAY))).toMatch(/^AlreadyExistsException/u);
    expect(refusalOf(() => data.make(REPLICA, properties, HOME))).toMatch(/^AlreadyExistsException/u);
    // Scheduled for deletion it still stands in the way of another one.
    data.remove(replica);
    expect(refusalOf(() => data.make(REPLICA, properties, AWAY))).toMatch(/^AlreadyExistsException/u);
  });

  it('is of a multi-Region key that is there', () => {
    const data = new DataWorld();
    const single = data.make(KEY, {});
    const replica = (arn: string): string | undefined =>
      refusalOf(() => data.make(REPLICA, { KeyPolicy: keyPolicy(HOME), PrimaryKeyArn: arn }, AWAY));
    expect(replica(requiredText(single.attributes, 'Arn'))).toMatch(/^UnsupportedOperationException/u);
    expect(replica('arn:aws:kms:eu-central-1:111111111111:key/no')).toMatch(/^NotFoundException/u);
  });

  it('does not keep its primary from being scheduled for deletion', () => {
    const data = new DataWorld();
    const primary = data.make(KEY, { MultiRegion: true });
    data.make(REPLICA, { KeyPolicy: keyPolicy(HOME), PrimaryKeyArn: primary.attributes['Arn'] ?? '' }, AWAY);
    expect(refusalOf(() => data.remove(primary))).toBeUndefined();
  });
});

describe('an alias', () => {
  it.each(['mine', 'alias/aws/rds', 'alias/a b'])('cannot be called %s', (AliasName) => {
    const data = new DataWorld();
    expect(refusalOf(() => data.make(ALIAS, { AliasName, TargetKeyId: data.key() }))).toMatch(
      /^InvalidAliasNameException/u,
    );
  });

  it('is unique in its region and is of a key that is there', () => {
    const data = new DataWorld();
    const alias = (TargetKeyId: string): string | undefined =>
      refusalOf(() => data.make(ALIAS, { AliasName: 'alias/mine', TargetKeyId }));
    expect(alias('no')).toMatch(/^NotFoundException/u);
    expect(alias(data.key())).toBeUndefined();
    expect(alias(data.key())).toMatch(/^AlreadyExistsException/u);
  });
});
