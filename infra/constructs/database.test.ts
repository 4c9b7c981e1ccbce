import { expect, test } from 'vitest';
import type { Template } from 'aws-cdk-lib/assertions';
import { AWS_REGION_CODES } from '../../topology/aws-regions.ts';
import { DEFAULT_SIZE } from '../../topology/read.ts';
import type { RegionSize } from '../../topology/types.ts';
import {
  cacheNames,
  clusterIdentifier,
  databaseLogGroupName,
  globalClusterIdentifier,
  instanceIdentifier,
} from '../names.ts';
import { regionOf, stacksOf, templateOf } from '../test/zones.ts';
import { CLUSTER_PARAMETERS } from './database-parameters.ts';

const REGION = 'eu-central-1';

interface Instance {
  readonly Properties: Record<string, unknown>;
  readonly DependsOn?: readonly string[];
}

function made(size: RegionSize): { readonly template: Template; readonly endpoints: readonly unknown[] } {
  const { data } = regionOf(stacksOf({ replicas: [], sizes: { default: size } }), REGION);
  return {
    template: templateOf(data),
    endpoints: data.database.readerEndpoints.map((endpoint) => data.resolve(endpoint)),
  };
}

function instancesOf(template: Template): readonly [id: string, instance: Instance][] {
  return Object.entries(template.findResources('AWS::RDS::DBInstance')) as [string, Instance][];
}

const serverless = made({});
const provisioned = made({ databaseInstanceClass: 'r8g.large', databaseInstances: 4 });

test('Serverless v2 scales between the two numbers of the topology', () => {
  serverless.template.hasResourceProperties('AWS::RDS::DBCluster', {
    ServerlessV2ScalingConfiguration: {
      MinCapacity: DEFAULT_SIZE.databaseMinAcu,
      MaxCapacity: DEFAULT_SIZE.databaseMaxAcu,
    },
  });
  for (const [, { Properties }] of instancesOf(serverless.template))
    expect(Properties['DBInstanceClass']).toBe('db.serverless');
});

test('provisioned instances have the class and the number of the topology, and nothing that scales', () => {
  const [cluster] = Object.values(provisioned.template.findResources('AWS::RDS::DBCluster'));
  expect(cluster?.['Properties']).not.toHaveProperty('ServerlessV2ScalingConfiguration');
  const classes = instancesOf(provisioned.template).map(
    ([, { Properties }]) => Properties['DBInstanceClass'],
  );
  expect(classes).toEqual(Array(4).fill('db.r8g.large'));
});

test('writer and readers are in different availability zones, and the first is made first and promoted first', () => {
  const [[first], ...others] = instancesOf(provisioned.template) as [
    [string, Instance],
    ...[string, Instance][],
  ];
  const all = instancesOf(provisioned.template).map(([, { Properties }]) => Properties);
  expect(all.map(({ AvailabilityZone }) => AvailabilityZone)).toEqual([
    'eu-central-1a',
    'eu-central-1b',
    'eu-central-1a',
    'eu-central-1b',
  ]);
  expect(all.map(({ PromotionTier }) => PromotionTier)).toEqual([0, 1, 2, 3]);
  for (const [, { DependsOn }] of others) expect(DependsOn).toEqual([first]);
});

test('tasks read from the other instances first and from the usual writer last', () => {
  const ids = instancesOf(provisioned.template).map(([id]) => id);
  expect(provisioned.endpoints).toEqual(
    [...ids.slice(1), ids[0]].map((id) => ({ 'Fn::GetAtt': [id, 'Endpoint.Address'] })),
  );
  expect(made({ databaseInstances: 1 }).endpoints).toHaveLength(1);
});

test('no instance is public or upgrades itself, and each has the same authority', () => {
  for (const [, { Properties }] of [
    ...instancesOf(serverless.template),
    ...instancesOf(provisioned.template),
  ]) {
    expect(Properties).toMatchObject({
      PubliclyAccessible: false,
      AutoMinorVersionUpgrade: false,
      CACertificateIdentifier: 'rds-ca-rsa2048-g1',
    });
  }
});

test('insights are on whatever the size, for seven days and with the region’s key: it can’t be taken away again', () => {
  const burstable = made({ databaseInstanceClass: 't4g.medium' });
  const large = made({ databaseMinAcu: 8 });
  for (const { template } of [serverless, provisioned, burstable, large]) {
    for (const [, { Properties }] of instancesOf(template)) {
      expect(Properties).toMatchObject({
        EnablePerformanceInsights: true,
        PerformanceInsightsRetentionPeriod: 7,
        PerformanceInsightsKMSKeyId: expect.anything(),
      });
    }
  }
});

test('instances have literal names, and windows of their own on other days than the cluster’s', () => {
  const all = instancesOf(provisioned.template).map(([, { Properties }]) => Properties);
  expect(all.map(({ DBInstanceIdentifier }) => DBInstanceIdentifier)).toEqual(
    [1, 2, 3, 4].map((number) => `keyhearth-test-eu-eu-central-1-${number}`),
  );
  expect(all.map(({ PreferredMaintenanceWindow }) => PreferredMaintenanceWindow)).toEqual(
    ['sat', 'sun', 'mon', 'tue'].map((day) => `${day}:10:30-${day}:11:00`),
  );
});

test('the cluster is encrypted with the region’s key, entered by IAM, backed up, and its log is kept as long as the zone says', () => {
  serverless.template.hasResourceProperties('AWS::RDS::DBCluster', {
    StorageEncrypted: true,
    KmsKeyId: {},
    EnableIAMDatabaseAuthentication: true,
    BackupRetentionPeriod: 14,
    CopyTagsToSnapshot: true,
    EnableCloudwatchLogsExports: ['postgresql'],
    PreferredBackupWindow: '09:00-09:30',
    PreferredMaintenanceWindow: 'fri:10:30-fri:11:00',
    EngineLifecycleSupport: 'open-source-rds-extended-support',
  });
  const name = '/aws/rds/cluster/keyhearth-test-eu-eu-central-1/postgresql';
  const logs = serverless.template.findResources('AWS::Logs::LogGroup', {
    Properties: { LogGroupName: name, RetentionInDays: 30 },
  });
  const [[id, log]] = Object.entries(logs) as [[string, { Properties: Record<string, unknown> }]];
  expect(log.Properties).toHaveProperty('KmsKeyId');
  serverless.template.hasResource('AWS::RDS::DBCluster', { DependsOn: [id] });
});

test('TLS is forced, a forgotten transaction ends, and no value or failed statement reaches the log', () => {
  serverless.template.hasResourceProperties('AWS::RDS::DBClusterParameterGroup', {
    Family: 'aurora-postgresql18',
    Parameters: CLUSTER_PARAMETERS,
  });
  expect(CLUSTER_PARAMETERS).toMatchObject({
    'rds.force_ssl': '1',
    idle_in_transaction_session_timeout: '60000',
    log_statement: 'none',
    log_parameter_max_length: '0',
    log_parameter_max_length_on_error: '0',
    log_min_error_statement: 'panic',
    log_error_verbosity: 'terse',
  });
  // Migrations and RDS's own maintenance take as long as they take.
  for (const limit of ['statement_timeout', 'lock_timeout', 'transaction_timeout'])
    expect(CLUSTER_PARAMETERS).not.toHaveProperty([limit]);
});

test('identifiers are what RDS and ElastiCache take, for whatever names a topology may have', () => {
  const names = [
    { environment: 'e'.repeat(32), name: 'z'.repeat(32) },
    { environment: 'a--b', name: 'c-' },
    { environment: 'test', name: 'eu' },
  ];
  const identifier = /^[a-z](-?[a-z0-9])*$/;
  for (const zone of names) {
    expect(globalClusterIdentifier(zone)).toMatch(identifier);
    expect(globalClusterIdentifier(zone).length).toBeLessThanOrEqual(63);
    const clusters = AWS_REGION_CODES.map((region) => clusterIdentifier(zone, region));
    expect(new Set(clusters).size).toBe(AWS_REGION_CODES.length);
    const instances = AWS_REGION_CODES.flatMap((region) =>
      [1, 16].map((number) => instanceIdentifier(zone, region, number)),
    );
    expect(new Set(instances).size).toBe(2 * AWS_REGION_CODES.length);
    for (const name of [...clusters, ...instances]) {
      expect(name).toMatch(identifier);
      expect(name.length).toBeLessThanOrEqual(63);
    }
    for (const name of Object.values(cacheNames)) {
      expect(name(zone)).toMatch(identifier);
      expect(name(zone).length).toBeLessThanOrEqual(40);
    }
  }
  expect(globalClusterIdentifier({ environment: 'a--b', name: 'c' })).not.toBe(
    globalClusterIdentifier({ environment: 'a-b', name: 'c' }),
  );
  expect(databaseLogGroupName({ environment: 'test', name: 'eu' }, REGION)).toContain(
    `/${clusterIdentifier({ environment: 'test', name: 'eu' }, REGION)}/`,
  );
});
