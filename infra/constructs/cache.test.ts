import { expect, test } from 'vitest';
import { processingUnitsOf } from '../cache-limits.ts';
import { EXCHANGE, RELEASE, RESERVE } from '../../service/valkey/scripts.ts';
import { CACHE_ACCESS } from './cache-access.ts';
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
    CacheUsageLimits: { DataStorage: { Maximum: 1, Unit: 'GB' }, ECPUPerSecond: { Maximum: 48_000 } },
  });
  const [cache] = Object.values(template.findResources('AWS::ElastiCache::ServerlessCache'));
  expect(cache?.['Properties'].SecurityGroupIds).toHaveLength(1);
});

test.each([
  [{ maxTasks: 8, requestsPerTask: 1000 }, 48_000],
  [{ maxTasks: 100, requestsPerTask: 2000 }, 1_200_000],
  // What ElastiCache takes, at least and at most.
  [{ maxTasks: 1, requestsPerTask: 10 }, 1000],
  [{ maxTasks: 1000, requestsPerTask: 100_000 }, 15_000_000],
])('a cache carries an exchange for each request that its region does: %j', (size, units) => {
  expect(processingUnitsOf(size)).toBe(units);
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
  expect(user?.['Properties']['AccessString']).toBe(CACHE_ACCESS);
  const access = CACHE_ACCESS.split(' ');
  expect(access.slice(0, 4)).toEqual(['on', '~kh:*', 'resetchannels', '-@all']);
  // The last word counts: whatever was allowed before.
  expect(access.at(-1)).toBe('-@dangerous');
  expect(access.filter((word) => /^\+@|^\+(script|function|fcall)/.test(word))).toEqual(['+@connection']);
  const scripts = [EXCHANGE, RESERVE, RELEASE].flatMap(({ text }) => [
    ...text.matchAll(/redis\.p?call\('(\w+)'/g),
  ]);
  const used = ['eval', 'evalsha', ...scripts.map(([, command = '']) => command.toLowerCase())];
  // Those for connections and to find the nodes aside, there is one for each command that is sent, and no other.
  const given = access.filter((word) => /^\+\w+$/.test(word)).map((word) => word.slice(1));
  expect(given.toSorted()).toEqual([...new Set(used)].toSorted());
  expect(access.filter((word) => /^(nopass|allkeys|~\*|>.*|\+@all)$/.test(word))).toEqual([]);
});

test('the service stack gets its name, address and user', () => {
  expect(data.cache).toMatchObject({ name: 'keyhearth-test-eu', userId: 'keyhearth-test-eu-tasks' });
  const attribute = (token: string): unknown => data.resolve(token)['Fn::GetAtt'][1];
  const { arn, endpoint, port, userArn } = data.cache;
  expect([arn, endpoint, port, userArn].map(attribute)).toEqual([
    'ARN',
    'Endpoint.Address',
    'Endpoint.Port',
    'Arn',
  ]);
});
