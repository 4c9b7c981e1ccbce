import { describe, expect, it } from 'vitest';
import type { Properties } from '../values.ts';
import { AWAY, DataWorld, HOME, behaviourOf, refusalOf } from './data-fixture.ts';
import { INTERFACE } from './ec2-lookups.ts';
import { SNAPSHOT } from './rds-names.ts';

const CLUSTER = 'AWS::RDS::DBCluster';
const PARAMETERS = 'AWS::RDS::DBClusterParameterGroup';

function refusedCluster(others: Parameters<DataWorld['cluster']>[1]): string | undefined {
  const data = new DataWorld();
  return refusalOf(() => data.cluster(HOME, others));
}

describe('a cluster', () => {
  it('has an identifier, endpoints and a resource id', () => {
    const { id, attributes } = new DataWorld().cluster(HOME, { DBClusterIdentifier: 'Main' });
    expect(id).toBe('main');
    expect(attributes).toMatchObject({
      DBClusterArn: 'arn:aws:rds:eu-central-1:111111111111:cluster:main',
      'Endpoint.Port': '5432',
    });
    expect(attributes['DBClusterResourceId']).toMatch(/^cluster-[0-9A-Z]{26}$/u);
    // What infra derives the one from the other by.
    const { 'Endpoint.Address': writer, 'ReadEndpoint.Address': reader } = attributes;
    expect(reader).toMatch(/^main\.cluster-ro-c[0-9a-z]+\.eu-central-1\.rds\.amazonaws\.com$/u);
    expect(JSON.stringify(writer)).toBe(JSON.stringify(reader).replace('.cluster-ro-', '.cluster-'));
  });

  it('has a name that no other one has in its region', () => {
    const data = new DataWorld();
    data.cluster();
    expect(refusalOf(() => data.cluster())).toMatch(/^DBClusterAlreadyExistsFault/u);
    expect(refusalOf(() => data.cluster(AWAY, { DBClusterIdentifier: 'main-eu-central-1' }))).toBeUndefined();
  });

  it.each(['1st', 'a--b', 'a-', 'a_b', 'x'.repeat(64)])('refuses the identifier %s', (id) => {
    expect(refusedCluster({ DBClusterIdentifier: id })).toMatch(/not a valid identifier/u);
  });

  it.each([
    [
      'a version that there is not',
      { EngineVersion: '99.1' },
      /^InvalidParameterCombination: Cannot find version 99\.1/u,
    ],
    ['an engine that there is not', { Engine: 'oracle' }, /Invalid DB engine/u],
    ['a subnet group that is not there', { DBSubnetGroupName: 'no' }, /^DBSubnetGroupNotFoundFault/u],
    ['a security group that is not there', { VpcSecurityGroupIds: ['sg-no'] }, /Invalid security group/u],
    [
      'a parameter group that is not there',
      { DBClusterParameterGroupName: 'no' },
      /^DBClusterParameterGroupNotFound/u,
    ],
    ['a key that is not there', { KmsKeyId: 'no' }, /^KMSKeyNotAccessibleFault/u],
    [
      'a log that its engine has not',
      { EnableCloudwatchLogsExports: ['audit'] },
      /cannot use the log types 'audit'/u,
    ],
    [
      'more minimum than maximum',
      { ServerlessV2ScalingConfiguration: { MinCapacity: 8, MaxCapacity: 4 } },
      /greater than or equal/u,
    ],
    [
      'capacity between the steps',
      { ServerlessV2ScalingConfiguration: { MinCapacity: 0.7, MaxCapacity: 4 } },
      /steps of 0\.5/u,
    ],
    ['backups of no days', { BackupRetentionPeriod: 0 }, /Invalid backup retention period/u],
    ['no master user', { MasterUsername: '' }, /MasterUsername must be provided/u],
    ['a reserved master user', { MasterUsername: 'admin' }, /reserved word/u],
    ['a short password', { MasterUserPassword: 'short' }, /shorter than 8/u],
    ['a password that is too long', { MasterUserPassword: 'x'.repeat(100) }, /longer than 99/u],
    ['a password with an @', { MasterUserPassword: 'long@enough' }, /printable ASCII/u],
    ['a snapshot that is not there', { SnapshotIdentifier: 'no' }, /^DBClusterSnapshotNotFoundFault/u],
    [
      'windows that overlap',
      { PreferredBackupWindow: '09:00-09:30', PreferredMaintenanceWindow: 'fri:09:15-fri:09:45' },
      /must not overlap/u,
    ],
    ['a window that is too short', { PreferredBackupWindow: '09:00-09:10' }, /Invalid backup window/u],
  ])('refuses %s', (_, others, refusal) => {
    expect(refusedCluster(others)).toMatch(refusal);
  });

  it('refuses parameters of another family', () => {
    const data = new DataWorld();
    data.make(PARAMETERS, {
      DBClusterParameterGroupName: 'old',
      Family: 'aurora-postgresql16',
      Description: 'x',
    });
    expect(refusalOf(() => data.cluster(HOME, { DBClusterParameterGroupName: 'old' }))).toMatch(
      /Please use a Parameter Group with DBParameterGroupFamily aurora-postgresql17$/u,
    );
  });

  it('cannot be deleted while it is protected or has instances', () => {
    const data = new DataWorld();
    const cluster = data.cluster(HOME, { DeletionProtection: true });
    expect(refusalOf(() => data.remove(cluster))).toMatch(
      /^InvalidParameterCombination: Cannot delete protected/u,
    );
    data.change(cluster, { DeletionProtection: false });
    data.instance(cluster);
    expect(refusalOf(() => data.remove(cluster))).toMatch(/still contains DB instances/u);
  });

  it('cannot go back to an older version or change its lifecycle', () => {
    const data = new DataWorld();
    const cluster = data.cluster();
    expect(refusalOf(() => data.change(cluster, { EngineVersion: '17.4' }))).toMatch(/Cannot upgrade/u);
    expect(refusalOf(() => data.change(cluster, { EngineVersion: '17.6' }))).toBeUndefined();
    expect(refusalOf(() => data.change(cluster, { EngineLifecycleSupport: 'x' }))).toMatch(
      /cannot be modified/u,
    );
  });

  it('leaves a snapshot that shows what it was, unless it could not be deleted anyway', () => {
    const data = new DataWorld();
    const cluster = data.cluster(HOME, { DeletionProtection: true });
    const context = data.context(HOME, { id: 'arn', name: 'keyhearth-data' });
    const { snapshot } = behaviourOf(CLUSTER);
    expect(refusalOf(() => snapshot?.(context, cluster))).toMatch(/protected/u);
    expect(data.world.all(SNAPSHOT)).toEqual([]);
    data.change(cluster, { DeletionProtection: false });
    snapshot?.(context, cluster);
    data.remove(cluster);
    const [kept] = data.world.all(SNAPSHOT);
    expect(kept?.id).toMatch(/^keyhearth-data-snapshot-made-[0-9a-z]{12}$/u);
    const { MasterUsername: _, MasterUserPassword: __, ...restored } = data.clusterProperties();
    expect(
      refusalOf(() => data.make(CLUSTER, { ...restored, SnapshotIdentifier: kept?.id ?? '' })),
    ).toBeUndefined();
  });
});

describe('an instance', () => {
  it('has an interface in the subnet of its zone until it is deleted', () => {
    const data = new DataWorld();
    const instance = data.instance(data.cluster(), 1, { AvailabilityZone: 'eu-central-1b' });
    const [at] = data.world.all(INTERFACE, HOME);
    expect(at?.properties).toMatchObject({ SubnetId: 'subnet-eu-central-1b', GroupSet: ['sg-eu-central-1'] });
    data.remove(instance);
    expect(data.world.all(INTERFACE, HOME)).toEqual([]);
  });

  it('goes where the cluster has none yet when it has no zone of its own', () => {
    const data = new DataWorld();
    const cluster = data.cluster();
    expect([1, 2, 3].map((number) => data.instance(cluster, number).state.get('zone'))).toEqual([
      'eu-central-1a',
      'eu-central-1b',
      'eu-central-1c',
    ]);
  });

  it('writes when it is the first, and the one of the lowest tier follows it', () => {
    const data = new DataWorld();
    const cluster = data.cluster();
    const first = data.instance(cluster, 1);
    data.instance(cluster, 2, { PromotionTier: 5 });
    data.instance(cluster, 3, { PromotionTier: 2 });
    expect(cluster.state.get('writer')).toBe(first.id);
    data.remove(first);
    expect(cluster.state.get('writer')).toBe(`${cluster.id}-3`);
  });

  it('makes the log group that its cluster writes to, unless there is one', () => {
    const data = new DataWorld();
    const name = '/aws/rds/cluster/main-eu-central-1/postgresql';
    data.make('AWS::Logs::LogGroup', { LogGroupName: name, RetentionInDays: 7 });
    data.instance(data.cluster(HOME, { EnableCloudwatchLogsExports: ['postgresql', 'instance'] }));
    expect(
      data.world.all('AWS::Logs::LogGroup').map(({ id, properties }) => [id, properties['RetentionInDays']]),
    ).toEqual([
      [name, 7],
      ['/aws/rds/cluster/main-eu-central-1/instance', undefined],
    ]);
  });

  it.each([
    ['a class that there is not', { DBInstanceClass: 'db.r9.huge' }, /Invalid DB Instance class/u],
    ['another engine than its cluster', { Engine: 'aurora-mysql' }, /doesn't match the engine name/u],
    ['another version than its cluster', { EngineVersion: '17.4' }, /does not match the engine version/u],
    ['a zone without a subnet', { AvailabilityZone: 'eu-central-1d' }, /has no subnet/u],
    ['a cluster that is not there', { DBClusterIdentifier: 'no' }, /^DBClusterNotFoundFault/u],
    ['an authority that there is not', { CACertificateIdentifier: 'rds-ca-2019' }, /^CertificateNotFound/u],
    ['a tier above 15', { PromotionTier: 16 }, /Invalid promotion tier/u],
    [
      'insights for a week and a day',
      { EnablePerformanceInsights: true, PerformanceInsightsRetentionPeriod: 8 },
      /retention period/u,
    ],
    [
      "insights' key without insights",
      { PerformanceInsightsKMSKeyId: 'alias/aws/rds' },
      /EnablePerformanceInsights/u,
    ],
  ])('refuses %s', (_, others, refusal) => {
    const data = new DataWorld();
    const cluster = data.cluster();
    expect(refusalOf(() => data.instance(cluster, 1, others))).toMatch(refusal);
  });

  it('is serverless only where its cluster says how far it scales', () => {
    const data = new DataWorld();
    const { ServerlessV2ScalingConfiguration: _, ...properties } = data.clusterProperties();
    const cluster = data.make(CLUSTER, properties);
    expect(refusalOf(() => data.instance(cluster))).toMatch(
      /^InvalidDBClusterStateFault: Set the Serverless v2/u,
    );
  });

  it('is replaced where it moves or loses the key of its insights', () => {
    const data = new DataWorld();
    const { replaces } = behaviourOf('AWS::RDS::DBInstance');
    const instance = data.instance(data.cluster(), 1, {
      EnablePerformanceInsights: true,
      PerformanceInsightsKMSKeyId: data.key(),
    });
    const asked = (name: string, value: string): boolean | undefined =>
      replaces?.(instance, { ...instance.properties, [name]: value }, [name]);
    expect(asked('AvailabilityZone', 'eu-central-1c')).toBe(true);
    expect(asked('PerformanceInsightsKMSKeyId', 'other')).toBe(true);
    expect(asked('PreferredMaintenanceWindow', 'sun:10:00-sun:10:30')).toBe(false);
  });
});

describe('groups', () => {
  it('of subnets need two zones of one VPC', () => {
    const data = new DataWorld();
    const group = (SubnetIds: string[]): string | undefined =>
      refusalOf(() => data.make('AWS::RDS::DBSubnetGroup', { DBSubnetGroupDescription: 'x', SubnetIds }));
    const [first = '', second = ''] = data.subnets();
    expect(group([first])).toMatch(/^DBSubnetGroupDoesNotCoverEnoughAZs/u);
    expect(group(['subnet-no'])).toMatch(/^InvalidSubnet/u);
    data.add('AWS::EC2::Subnet', 'other', {
      place: HOME,
      properties: { VpcId: 'vpc-2', AvailabilityZone: 'eu-central-1b' },
    });
    expect(group([first, 'other'])).toMatch(/different VPCs/u);
    expect(group([first, second])).toBeUndefined();
  });

  it('of subnets keep the subnets that instances are in', () => {
    const data = new DataWorld();
    data.instance(data.cluster(), 1, { AvailabilityZone: 'eu-central-1a' });
    const group = data.world.find(HOME, 'AWS::RDS::DBSubnetGroup', 'db');
    if (group === undefined) throw new Error('no group');
    const [first = '', second = '', third = ''] = data.subnets();
    expect(refusalOf(() => data.change(group, { SubnetIds: [second, third] }))).toMatch(
      /^SubnetAlreadyInUse/u,
    );
    expect(refusalOf(() => data.change(group, { SubnetIds: [first, third] }))).toBeUndefined();
  });

  it.each<[string, string, string]>([
    [
      'rds.force_tls',
      '1',
      'InvalidRequest: Invalid / Unmodifiable / Unsupported DB Parameter: rds.force_tls',
    ],
    ['rds.force_ssl', '2', 'Invalid parameter value: 2 for: rds.force_ssl allowed values are: 0,1'],
    ['log_min_duration_statement', '-2', 'allowed values are: -1-2147483647'],
    ['idle_in_transaction_session_timeout', '1min', 'allowed values are: 0-2147483647'],
    ['log_statement', 'some', 'allowed values are: none,ddl,mod,all'],
  ])('have no parameter %s of %s', (name, value, sentence) => {
    const data = new DataWorld();
    const group = (Parameters: Properties) =>
      data.make(PARAMETERS, { Family: 'aurora-postgresql18', Description: 'x', Parameters });
    expect(refusalOf(() => group({ [name]: value }))).toContain(sentence);
    const made = group({ 'rds.force_ssl': 1, max_connections: '{DBInstanceClassMemory/9531392}' });
    expect(refusalOf(() => data.change(made, { Parameters: { [name]: value } }))).toContain(sentence);
  });

  it('cannot be deleted while a cluster uses them', () => {
    const data = new DataWorld();
    const parameters = data.make(PARAMETERS, { Family: 'aurora-postgresql17', Description: 'x' });
    const cluster = data.cluster(HOME, { DBClusterParameterGroupName: parameters.id });
    const subnets = data.world.find(HOME, 'AWS::RDS::DBSubnetGroup', 'db');
    if (subnets === undefined) throw new Error('no group');
    expect(refusalOf(() => data.remove(parameters))).toMatch(/^InvalidDBParameterGroupState/u);
    expect(refusalOf(() => data.remove(subnets))).toMatch(/^InvalidDBSubnetGroupStateFault/u);
    data.remove(cluster);
    expect(refusalOf(() => data.remove(parameters))).toBeUndefined();
    expect(refusalOf(() => data.remove(subnets))).toBeUndefined();
  });
});
