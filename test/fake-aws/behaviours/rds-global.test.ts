import { describe, expect, it } from 'vitest';
import { AWAY, DataWorld, HOME, THIRD, behaviourOf, refusalOf } from './data-fixture.ts';
import { globalOf, isReader, membersOf, promote } from './rds-membership.ts';
import { clusterArn } from './rds-names.ts';

/** A global database with a primary that has an instance. */
function withPrimary(): { readonly data: DataWorld; readonly primary: ReturnType<DataWorld['cluster']> } {
  const data = new DataWorld();
  data.global();
  const primary = data.cluster(HOME, { GlobalClusterIdentifier: 'world' });
  data.instance(primary);
  return { data, primary };
}

describe('a global database', () => {
  it('is unique in the account, whatever the region and the case', () => {
    const data = new DataWorld();
    data.global();
    expect(refusalOf(() => data.global({ GlobalClusterIdentifier: 'World' }))).toMatch(
      /^GlobalClusterAlreadyExistsFault/u,
    );
  });

  it('takes its first cluster as the writer and later ones as readers', () => {
    const { data, primary } = withPrimary();
    const replica = data.replica();
    const global = globalOf(data.world, replica);
    expect(global && membersOf(global)).toEqual({
      writer: clusterArn(primary),
      readers: [clusterArn(replica)],
    });
  });

  it('refuses a cluster of a global database that is not there', () => {
    const data = new DataWorld();
    expect(refusalOf(() => data.replica())).toBe(
      'GlobalClusterNotFoundFault: Global cluster world not found',
    );
  });

  it.each([
    ['MasterUsername', 'owner', 'user name'],
    ['MasterUserPassword', 'longenough', 'password'],
    ['DatabaseName', 'app', 'database name'],
  ])('refuses a replica with %s', (property, value, noun) => {
    const { data } = withPrimary();
    expect(refusalOf(() => data.replica(AWAY, { [property]: value }))).toBe(
      `InvalidParameterCombination: Cannot specify ${noun} for cross region replication cluster`,
    );
  });

  it('refuses a replica while the primary has no instance', () => {
    const data = new DataWorld();
    data.global();
    data.cluster(HOME, { GlobalClusterIdentifier: 'world' });
    expect(refusalOf(() => data.replica())).toMatch(/not valid for physical replication$/u);
  });

  it('refuses an encrypted replica without a key of its own', () => {
    const { data } = withPrimary();
    const { KmsKeyId: _, ...properties } = data.replicaProperties(AWAY, { GlobalClusterIdentifier: 'world' });
    expect(refusalOf(() => data.make('AWS::RDS::DBCluster', properties, AWAY))).toMatch(
      /kmsKeyId should be explicitly specified$/u,
    );
  });

  it("refuses a replica with another region's key", () => {
    const { data } = withPrimary();
    expect(refusalOf(() => data.replica(AWAY, { KmsKeyId: data.key(HOME) }))).toMatch(
      /^KMSKeyNotAccessibleFault/u,
    );
  });

  it.each([
    ['engine', { Engine: 'aurora-mysql', EngineVersion: '8.0' }],
    ['version', { EngineVersion: '17.4' }],
    ['mode', { EngineMode: 'serverless' }],
  ])('refuses a replica of another %s', (_, others) => {
    const { data } = withPrimary();
    expect(refusalOf(() => data.replica(AWAY, others))).toMatch(/^InvalidParameterCombination/u);
  });

  it('refuses an unencrypted cluster in an encrypted database', () => {
    const data = new DataWorld();
    data.global();
    const { KmsKeyId: _, ...properties } = data.clusterProperties(HOME, {
      GlobalClusterIdentifier: 'world',
      StorageEncrypted: false,
    });
    expect(refusalOf(() => data.make('AWS::RDS::DBCluster', properties))).toMatch(/storage encryption/u);
  });

  it('has one cluster a region and no cluster name twice', () => {
    const { data } = withPrimary();
    data.replica();
    expect(refusalOf(() => data.replica(AWAY, { DBClusterIdentifier: 'other' }))).toMatch(
      /already has a DB cluster in Region eu-west-3$/u,
    );
    expect(refusalOf(() => data.replica(THIRD, { DBClusterIdentifier: 'main-eu-west-3' }))).toMatch(
      /^DBClusterAlreadyExistsFault/u,
    );
  });

  it('has no burstable instances', () => {
    const { data, primary } = withPrimary();
    expect(refusalOf(() => data.instance(primary, 2, { DBInstanceClass: 'db.t4g.medium' }))).toMatch(
      /^InvalidParameterValue: Global databases/u,
    );
  });

  it('refuses a replica of a primary with burstable instances, which one made from a cluster may have', () => {
    const data = new DataWorld();
    const primary = data.cluster();
    const instance = data.instance(primary, 1, { DBInstanceClass: 'db.t4g.medium' });
    data.make('AWS::RDS::GlobalCluster', {
      GlobalClusterIdentifier: 'world',
      SourceDBClusterIdentifier: primary.id,
    });
    expect(refusalOf(() => data.replica())).toBe(
      `InvalidParameterValue: Global databases don't support the DB instance class of ${clusterArn(primary)}`,
    );
    data.instance(primary, 2);
    data.remove(instance);
    data.replica();
  });

  it('has extended support or has it not', () => {
    const data = new DataWorld();
    const refusal = /^InvalidParameterValue: Invalid engine lifecycle support value: sometimes/u;
    expect(refusalOf(() => data.global({ EngineLifecycleSupport: 'sometimes' }))).toMatch(refusal);
    expect(refusalOf(() => data.cluster(HOME, { EngineLifecycleSupport: 'sometimes' }))).toMatch(refusal);
    data.global({ EngineLifecycleSupport: 'open-source-rds-extended-support-disabled' });
  });

  it('lets a primary go only after its replicas, instance by instance', () => {
    const { data, primary } = withPrimary();
    const replica = data.replica();
    const [instance] = data.world.all('AWS::RDS::DBInstance');
    if (instance === undefined) throw new Error('no instance');
    expect(refusalOf(() => data.remove(instance))).toMatch(
      /^InvalidDBClusterStateFault: Cannot delete the last instance of the master cluster/u,
    );
    data.remove(replica);
    data.remove(instance);
    data.remove(primary);
    expect(data.world.all('AWS::RDS::DBCluster')).toEqual([]);
  });

  it('lets a primary without instances go only after its replicas', () => {
    const { data, primary } = withPrimary();
    data.replica();
    for (const one of data.world.all('AWS::RDS::DBInstance')) data.world.remove(one);
    expect(refusalOf(() => data.remove(primary))).toMatch(
      /^InvalidGlobalClusterStateFault: Unable to remove/u,
    );
  });

  it('cannot be deleted with members or while it is protected', () => {
    const { data } = withPrimary();
    const [global] = data.world.all('AWS::RDS::GlobalCluster');
    if (global === undefined) throw new Error('no global cluster');
    expect(refusalOf(() => data.remove(global, HOME))).toMatch(/is not empty$/u);
    data.change(global, { DeletionProtection: true }, HOME);
    expect(refusalOf(() => data.remove(global, HOME))).toMatch(/^InvalidParameterCombination/u);
  });

  it('is made around a cluster that is there, which then cannot be deleted unless it leaves', () => {
    const data = new DataWorld();
    const cluster = data.cluster();
    data.make('AWS::RDS::GlobalCluster', {
      GlobalClusterIdentifier: 'world',
      SourceDBClusterIdentifier: clusterArn(cluster),
    });
    expect(refusalOf(() => data.remove(cluster))).toMatch(/please remove it from globalcluster first$/u);
  });

  it('lets a cluster go whose template no longer names it', () => {
    const { data } = withPrimary();
    const replica = data.replica();
    data.change(replica, { GlobalClusterIdentifier: '' });
    expect(globalOf(data.world, replica)).toBeUndefined();
    expect(replica.attributes['Endpoint.Address']).toMatch(/^main-eu-west-3\.cluster-/u);
  });

  it('replaces a cluster that is to join, and not one that leaves', () => {
    const { replaces } = behaviourOf('AWS::RDS::DBCluster');
    const data = new DataWorld();
    const cluster = data.cluster();
    const changed = ['GlobalClusterIdentifier'];
    expect(replaces?.(cluster, { ...cluster.properties, GlobalClusterIdentifier: 'world' }, changed)).toBe(
      true,
    );
    expect(replaces?.(cluster, cluster.properties, changed)).toBe(false);
  });

  it('moves its writer, and its endpoint of a writer with it', () => {
    const { data, primary } = withPrimary();
    const replica = data.replica();
    const global = globalOf(data.world, primary);
    if (global === undefined) throw new Error('no global cluster');
    expect(refusalOf(() => promote(data.world, global, clusterArn(replica)))).toMatch(/no DB instance/u);
    data.instance(replica);
    promote(data.world, global, clusterArn(replica));
    expect(membersOf(global)).toEqual({ writer: clusterArn(replica), readers: [clusterArn(primary)] });
    expect(isReader(data.world, primary)).toBe(true);
    expect(primary.attributes).not.toHaveProperty('Endpoint.Address');
    expect(replica.attributes['Endpoint.Address']).toMatch(/^main-eu-west-3\.cluster-c/u);
  });
});
