import { expect, test } from 'vitest';
import { Match, type Template } from 'aws-cdk-lib/assertions';
import type { AwsRegion } from '../../topology/aws-regions.ts';
import type { Zone } from '../../topology/types.ts';
import { GLOBAL_PARAMETERS } from '../constructs/global-database.ts';
import { outputKeys } from '../names.ts';
import { regionOf, stacksOf, templateOf } from '../test/zones.ts';
import type { DataStack } from './data-stack.ts';

const ORIGIN = 'eu-central-1';
const REPLICA = 'eu-west-3';
const CLICKHOUSE = {
  kind: 'clickhouse',
  secretName: 'clickhouse',
  addressRanges: ['198.51.100.0/24'],
  port: 8443,
} as const;

const dataOf = (zone: Partial<Zone>, region: AwsRegion): DataStack => regionOf(stacksOf(zone), region).data;

function propertiesOf(template: Template, type: string): Record<string, unknown> {
  const [found] = Object.values(template.findResources(type)) as { Properties: Record<string, unknown> }[];
  if (found === undefined) throw new Error(`no ${type}`);
  return found.Properties;
}

const two = stacksOf();
const [originStack, replicaStack] = [regionOf(two, ORIGIN).data, regionOf(two, REPLICA).data];
const [origin, replica] = [templateOf(originStack), templateOf(replicaStack)];
const alone = templateOf(dataOf({ replicas: [] }, ORIGIN));
const [clusterOfOrigin, clusterOfReplica, clusterAlone] = [origin, replica, alone].map((template) =>
  propertiesOf(template, 'AWS::RDS::DBCluster'),
) as [Record<string, unknown>, Record<string, unknown>, Record<string, unknown>];

test('the origin of several regions makes an empty, protected, encrypted global database of a literal name', () => {
  expect(propertiesOf(origin, 'AWS::RDS::GlobalCluster')).toMatchObject({
    GlobalClusterIdentifier: 'keyhearth-test-eu',
    Engine: 'aurora-postgresql',
    EngineVersion: clusterOfOrigin['EngineVersion'],
    EngineLifecycleSupport: 'open-source-rds-extended-support',
    StorageEncrypted: true,
    DeletionProtection: true,
  });
  origin.hasResource('AWS::RDS::GlobalCluster', {
    DeletionPolicy: 'RetainExceptOnCreate',
    UpdateReplacePolicy: 'Retain',
  });
  for (const template of [origin, replica, alone]) {
    expect(JSON.stringify(template.toJSON())).not.toMatch(/SourceDBCluster|ReplicationSource/);
  }
});

test('the origin’s cluster joins it, unless it was there before the global database', () => {
  expect(clusterOfOrigin['GlobalClusterIdentifier']).toEqual({
    'Fn::If': [expect.stringMatching(/Created/), { Ref: expect.any(String) }, { Ref: 'AWS::NoValue' }],
  });
  origin.hasCondition('*', { 'Fn::Equals': [{ Ref: GLOBAL_PARAMETERS.membership }, 'created'] });
});

test('a zone that gets its first replica, or loses its last, can’t be deployed with what CloudFormation has kept', () => {
  const allowed = (template: Template): { Default: string; AllowedValues: readonly string[] } =>
    template.toJSON()['Parameters'][GLOBAL_PARAMETERS.membership];
  const [several, one] = [allowed(origin), allowed(alone)];
  expect(several.AllowedValues).toContain(several.Default);
  expect(one.AllowedValues).toContain(one.Default);
  expect(several.AllowedValues.filter((value) => one.AllowedValues.includes(value))).toEqual([]);
});

/** Of the CloudFormation schema of AWS::RDS::DBCluster: a change of any of them would replace the cluster. */
const CREATE_ONLY = [
  'AvailabilityZones',
  'ClusterScalabilityType',
  'DBClusterIdentifier',
  'DBSubnetGroupName',
  'DBSystemId',
  'DatabaseName',
  'EngineMode',
  'KmsKeyId',
  'PubliclyAccessible',
  'SourceRegion',
  'StorageEncrypted',
  'Engine',
  'MasterUsername',
];

test('nothing that would replace the cluster differs between one region and several, and its name is literal', () => {
  for (const property of CREATE_ONLY)
    expect([property, clusterOfOrigin[property]]).toEqual([property, clusterAlone[property]]);
  expect(clusterAlone['DBClusterIdentifier']).toBe('keyhearth-test-eu-eu-central-1');
  expect(clusterAlone).not.toHaveProperty('GlobalClusterIdentifier');
  alone.resourceCountIs('AWS::RDS::GlobalCluster', 0);
});

test('a replica joins by name and has no user, no password and no database name', () => {
  expect(clusterOfReplica['GlobalClusterIdentifier']).toBe('keyhearth-test-eu');
  const text = JSON.stringify(replica.toJSON());
  expect(text).not.toMatch(/MasterUser|DatabaseName|secretsmanager|password/i);
});

test('the master user comes from the zone’s secret when CloudFormation makes the cluster; no template has a password', () => {
  expect(clusterOfOrigin).toMatchObject({
    MasterUsername: '{{resolve:secretsmanager:keyhearth/test/eu/database-master:SecretString:username::}}',
    MasterUserPassword:
      '{{resolve:secretsmanager:keyhearth/test/eu/database-master:SecretString:password::}}',
  });
  for (const template of [origin, replica, alone]) {
    const text = JSON.stringify(template.toJSON());
    const rest = text.replaceAll(/"MasterUserPassword":"\{\{resolve:secretsmanager:[\w/:-]+\}\}"/g, '');
    expect(rest).not.toMatch(/password/i);
  }
});

test('apart from that, and from what names their region, origin and replica are alike: nothing says who is home', () => {
  const own = [
    'MasterUsername',
    'MasterUserPassword',
    'DatabaseName',
    'EngineLifecycleSupport',
    'GlobalClusterIdentifier',
  ];
  const rest = (properties: Record<string, unknown>): unknown =>
    JSON.parse(
      JSON.stringify(Object.fromEntries(Object.entries(properties).filter(([key]) => !own.includes(key))))
        .replaceAll(/eu-central-1|eu-west-3/g, 'REGION')
        .replaceAll(/"Preferred(\w+)":"[^"]+"/g, '"$1":""'),
    );
  expect(rest(clusterOfOrigin)).toEqual(rest(clusterOfReplica));
});

test('replicas come after the origin and go before it; the origin comes after the zone’s secrets', () => {
  expect(replicaStack.dependencies).toContain(originStack);
  expect(originStack.dependencies).toContain(two.zoneStack);
  expect(originStack.dependencies).not.toContain(replicaStack);
  for (const region of [ORIGIN, REPLICA] as const) {
    const { data, base } = regionOf(two, region);
    expect(data.dependencies).toContain(base);
  }
});

test('a second replica changes neither the origin’s data nor the first one’s', () => {
  const three = stacksOf({ replicas: ['eu-north-1', REPLICA] });
  expect(templateOf(regionOf(three, ORIGIN).data).toJSON()).toEqual(origin.toJSON());
  expect(templateOf(regionOf(three, REPLICA).data).toJSON()).toEqual(replica.toJSON());
});

test('the same topology makes the same text', () => {
  const again = regionOf(stacksOf(), ORIGIN).data;
  expect(JSON.stringify(templateOf(again).toJSON())).toBe(JSON.stringify(origin.toJSON()));
});

test('unprotected, the origin leaves a snapshot, a replica nothing, and no stack is locked', () => {
  const stacks = stacksOf({ deletionProtection: false });
  const [from, to] = [regionOf(stacks, ORIGIN).data, regionOf(stacks, REPLICA).data];
  expect([from.terminationProtection, to.terminationProtection]).toEqual([false, false]);
  for (const [stack, policy] of [
    [from, 'Snapshot'],
    [to, 'Delete'],
  ] as const) {
    const template = templateOf(stack);
    template.hasResource('AWS::RDS::DBCluster', {
      DeletionPolicy: policy,
      Properties: { DeletionProtection: false },
    });
    template.hasResource('AWS::S3::Bucket', { DeletionPolicy: 'Delete' });
  }
  templateOf(from).hasResource('AWS::RDS::GlobalCluster', {
    DeletionPolicy: 'Delete',
    Properties: { DeletionProtection: false },
  });
});

test('protected, everything that holds data or that it needs stays', () => {
  expect([originStack.terminationProtection, replicaStack.terminationProtection]).toEqual([true, true]);
  for (const template of [origin, replica, alone]) {
    for (const type of [
      'AWS::RDS::DBCluster',
      'AWS::RDS::DBSubnetGroup',
      'AWS::RDS::DBClusterParameterGroup',
      'AWS::S3::Bucket',
      'AWS::Logs::LogGroup',
    ]) {
      template.allResources(type, { DeletionPolicy: 'RetainExceptOnCreate', UpdateReplacePolicy: 'Retain' });
    }
    template.hasResourceProperties('AWS::RDS::DBCluster', { DeletionProtection: true });
  }
});

test('scripts find the database, the bucket and the stream in the outputs', () => {
  const { clusterIdentifier, globalClusterIdentifier, eventBucket, eventStream } = outputKeys.data;
  for (const template of [origin, replica]) {
    for (const key of [clusterIdentifier, eventBucket, eventStream]) template.hasOutput(key, {});
    template.hasOutput(globalClusterIdentifier, { Value: 'keyhearth-test-eu' });
  }
  expect(alone.findOutputs(globalClusterIdentifier)).toEqual({});
});

test('the writer’s endpoint is what somebody has set, until then the origin’s; every region asks the origin’s stack', () => {
  const { globalWriterEndpoint } = outputKeys.data;
  origin.hasOutput(globalWriterEndpoint, {
    Value: { 'Fn::If': [Match.anyValue(), { 'Fn::Join': Match.anyValue() }, { Ref: 'WriterEndpoint' }] },
  });
  const expected = {
    'Fn::GetStackOutput': {
      StackName: originStack.stackName,
      OutputName: globalWriterEndpoint,
      Region: ORIGIN,
    },
  };
  for (const { database } of [originStack, replicaStack])
    expect(replicaStack.resolve(database.globalWriterEndpoint)).toEqual(expected);
  expect(dataOf({ replicas: [] }, ORIGIN).database.globalWriterEndpoint).toBeNull();
});

test('a region’s own endpoint is made from the readers’, which RDS tells of replicas too', () => {
  for (const [stack, template] of [
    [originStack, origin],
    [replicaStack, replica],
  ] as const) {
    const [id] = Object.keys(template.findResources('AWS::RDS::DBCluster'));
    template.hasOutput(outputKeys.data.clusterEndpoint, {
      Value: {
        'Fn::Join': [
          '.cluster-',
          { 'Fn::Split': ['.cluster-ro-', { 'Fn::GetAtt': [id, 'ReadEndpoint.Address'] }] },
        ],
      },
    });
    expect(stack.resolve(stack.database.clusterEndpoint)).toMatchObject({
      'Fn::GetStackOutput': { StackName: stack.stackName },
    });
  }
});

test('events that go to a ClickHouse server need neither stream nor bucket', () => {
  const data = dataOf({ events: CLICKHOUSE }, ORIGIN);
  expect(data.events).toBeNull();
  const template = templateOf(data);
  template.resourceCountIs('AWS::KinesisFirehose::DeliveryStream', 0);
  template.resourceCountIs('AWS::S3::Bucket', 0);
});

test('nothing hidden runs: no Lambda function, no custom resource', () => {
  for (const template of [origin, replica, alone]) {
    const types = Object.values(
      template.toJSON()['Resources'] as Record<string, { readonly Type: string }>,
    ).map(({ Type }) => Type);
    expect(types.filter((type) => /Lambda|Custom/.test(type))).toEqual([]);
  }
});
