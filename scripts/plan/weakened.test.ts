import { expect, test } from 'vitest';
import { effectOf } from './effect.ts';
import type { Template } from './template.ts';

const one = (Type: string, Properties: Record<string, unknown>, rest: object = {}): Template => ({
  Resources: { One: { Type, Properties, ...rest } },
});
const weakened = (before: Template, after: Template): readonly string[] =>
  effectOf({ template: before }, after).weakened.map(({ what }) => what);

const OFF = 'its protection from deletion is switched off';
const CLUSTER = 'AWS::RDS::DBCluster';
const balancer = (Value: string): Record<string, unknown> => ({
  LoadBalancerAttributes: [{ Key: 'deletion_protection.enabled', Value }],
});
const expiring = (ExpirationInDays: number): Record<string, unknown> => ({
  LifecycleConfiguration: { Rules: [{ ExpirationInDays, Status: 'Enabled' }] },
});

test.each([
  [CLUSTER, { DeletionProtection: true }, { DeletionProtection: false }, OFF],
  [CLUSTER, { DeletionProtection: true }, {}, OFF],
  ['AWS::ElasticLoadBalancingV2::LoadBalancer', balancer('true'), balancer('false'), OFF],
  [
    CLUSTER,
    { BackupRetentionPeriod: 14 },
    { BackupRetentionPeriod: 1 },
    'BackupRetentionPeriod from 14 to 1: older data is deleted',
  ],
  [
    'AWS::Logs::LogGroup',
    { RetentionInDays: 30 },
    { RetentionInDays: 7 },
    'RetentionInDays from 30 to 7: older data is deleted',
  ],
  ['AWS::S3::Bucket', expiring(400), expiring(30), 'ExpirationInDays from 400 to 30: older data is deleted'],
])('%s is protected less: %j, then %j', (type, before, after, what) => {
  expect(weakened(one(type, before), one(type, after))).toEqual([what]);
  // The other way round it is protected better.
  expect(weakened(one(type, after), one(type, before))).toEqual([]);
});

test('a policy that keeps less is said, where nothing else changes as well', () => {
  const kept = { DeletionPolicy: 'RetainExceptOnCreate', UpdateReplacePolicy: 'Retain' };
  expect(weakened(one('AWS::S3::Bucket', {}, kept), one('AWS::S3::Bucket', {}))).toEqual([
    'where it leaves its stack it would be deleted, and not stay',
    'where it is made anew it would be deleted, and not stay',
  ]);
  expect(weakened(one(CLUSTER, {}, kept), one(CLUSTER, {}, { ...kept, DeletionPolicy: 'Snapshot' }))).toEqual(
    ['where it leaves its stack it would be deleted and leave a last snapshot, and not stay'],
  );
  expect(weakened(one('AWS::S3::Bucket', {}), one('AWS::S3::Bucket', {}, kept))).toEqual([]);
});
