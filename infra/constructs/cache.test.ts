import { expect, test } from 'vitest';
import { regionOf, stacksOf, templateOf } from '../test/zones.ts';

const { data } = regionOf(stacksOf(), 'eu-west-3');
const template = templateOf(data);

test('the cache is Valkey, encrypted with the region’s key, without snapshots, and its bill is bounded', () => {
  template.hasResourceProperties('AWS::ElastiCache::ServerlessCache', {
    ServerlessCacheName: 'keyhearth-test-eu',
    Engine: 'valkey',
    MajorEngineVersion: '9',
    KmsKeyId: {},
    SnapshotRetentionLimit: 0,
    CacheUsageLimits: { DataStorage: { Maximum: 1, Unit: 'GB' }, ECPUPerSecond: { Maximum: 15_000 } },
  });
  const [cache] = Object.values(template.findResources('AWS::ElastiCache::ServerlessCache'));
  expect(cache?.['Properties'].SecurityGroupIds).toHaveLength(1);
});

test('it is in the first two availability zones, and a third one doesn’t change what can’t be changed', () => {
  const subnets = (letters: string): unknown => {
    const availabilityZones = { 'eu-west-3': Array.from(letters, (letter) => `eu-west-3${letter}`) };
    const stack = regionOf(stacksOf({ availabilityZones }), 'eu-west-3').data;
    const [cache] = Object.values(templateOf(stack).findResources('AWS::ElastiCache::ServerlessCache'));
    return cache?.['Properties'].SubnetIds;
  };
  expect(subnets('ab')).toHaveLength(2);
  expect(subnets('abc')).toEqual(subnets('ab'));
});

test('it has one user, who comes with an IAM token and may do what counters need', () => {
  template.resourceCountIs('AWS::ElastiCache::User', 1);
  template.hasResourceProperties('AWS::ElastiCache::User', {
    UserId: 'keyhearth-test-eu-tasks',
    UserName: 'keyhearth-test-eu-tasks',
    AuthenticationMode: { Type: 'iam' },
  });
  const [user] = Object.values(template.findResources('AWS::ElastiCache::User'));
  const access = String(user?.['Properties']['AccessString']).split(' ');
  expect(access.slice(0, 4)).toEqual(['on', '~kh:*', 'resetchannels', '-@all']);
  // The last word counts: whatever was allowed before.
  expect(access.at(-1)).toBe('-@dangerous');
  expect(access).not.toContain('+@scripting');
  expect(access.filter((word) => /^(nopass|allkeys|~\*|>.*|\+@all)$/.test(word))).toEqual([]);
});

test('the service stack gets its name, address and user', () => {
  expect(data.cache).toMatchObject({ name: 'keyhearth-test-eu', userId: 'keyhearth-test-eu-tasks' });
  const attribute = (token: string): unknown => data.resolve(token)['Fn::GetAtt'][1];
  expect([data.cache.arn, data.cache.endpoint, data.cache.userArn].map(attribute)).toEqual([
    'ARN',
    'Endpoint.Address',
    'Arn',
  ]);
});
