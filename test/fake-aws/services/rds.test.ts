import {
  CreateDBClusterSnapshotCommand,
  CreateGlobalClusterCommand,
  DeleteDBClusterCommand,
  DeleteDBInstanceCommand,
  DeleteGlobalClusterCommand,
  DescribeDBClusterSnapshotsCommand,
  DescribeDBClustersCommand,
  DescribeDBInstancesCommand,
  DescribeGlobalClustersCommand,
  FailoverGlobalClusterCommand,
  ModifyDBClusterCommand,
  ModifyGlobalClusterCommand,
  RDSClient,
  RemoveFromGlobalClusterCommand,
  SwitchoverGlobalClusterCommand,
} from '@aws-sdk/client-rds';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { accountKeys } from '../account.ts';
import { AWAY, DataWorld, HOME } from '../behaviours/data-fixture.ts';
import { type FakeAws, startFakeAws } from '../server.ts';
import { RDS_SERVICE } from './rds.ts';

const PRIMARY = 'main-eu-central-1';
const REPLICA_ARN = 'arn:aws:rds:eu-west-3:111111111111:cluster:main-eu-west-3';
const PRIMARY_ARN = `arn:aws:rds:eu-central-1:111111111111:cluster:${PRIMARY}`;

let data: DataWorld;
let aws: FakeAws;
let rds: RDSClient;

async function start(): Promise<void> {
  data = new DataWorld();
  aws = await startFakeAws({ world: data.world, services: [RDS_SERVICE] });
  rds = new RDSClient({
    endpoint: aws.endpoint,
    region: HOME.region,
    credentials: accountKeys(HOME.account),
    maxAttempts: 1,
  });
}

async function stop(): Promise<void> {
  rds.destroy();
  await aws.close();
}

describe('RDS, asked by the SDK', () => {
  beforeEach(start);
  afterEach(stop);

  /** A global database with a primary and a replica, which have an instance each. */
  function makeGlobal(): void {
    data.global();
    data.instance(data.cluster(HOME, { GlobalClusterIdentifier: 'world' }));
    data.instance(data.replica());
  }

  async function members(): Promise<readonly (readonly [string | undefined, boolean | undefined])[]> {
    const { GlobalClusters } = await rds.send(
      new DescribeGlobalClustersCommand({ GlobalClusterIdentifier: 'world' }),
    );
    return (GlobalClusters?.[0]?.GlobalClusterMembers ?? []).map(
      ({ DBClusterArn, IsWriter }) => [DBClusterArn, IsWriter] as const,
    );
  }

  it('describes a cluster, who writes in it and what it is part of', async () => {
    makeGlobal();
    data.change(data.world.all('AWS::RDS::DBCluster', HOME)[0] ?? data.cluster(), {
      Tags: [{ Key: 'zone', Value: 'eu' }],
    });
    const { DBClusters } = await rds.send(new DescribeDBClustersCommand({ DBClusterIdentifier: PRIMARY }));
    expect(DBClusters).toHaveLength(1);
    expect(DBClusters?.[0]).toMatchObject({
      Status: 'available',
      DBClusterArn: PRIMARY_ARN,
      EngineVersion: '17.5',
      Port: 5432,
      StorageEncrypted: true,
      DBClusterMembers: [{ DBInstanceIdentifier: `${PRIMARY}-1`, IsClusterWriter: true, PromotionTier: 1 }],
      ServerlessV2ScalingConfiguration: { MinCapacity: 0.5, MaxCapacity: 4 },
      VpcSecurityGroups: [{ VpcSecurityGroupId: 'sg-eu-central-1', Status: 'active' }],
      TagList: [{ Key: 'zone', Value: 'eu' }],
    });
  });

  it('lists nothing where there is nothing', async () => {
    const { DBClusters } = await rds.send(new DescribeDBClustersCommand({}));
    const { DBInstances } = await rds.send(new DescribeDBInstancesCommand({}));
    expect([DBClusters, DBInstances]).toEqual([[], []]);
  });

  it('describes an instance with its endpoint and zone', async () => {
    data.instance(data.cluster());
    const { DBInstances } = await rds.send(new DescribeDBInstancesCommand({}));
    expect(DBInstances?.[0]).toMatchObject({
      DBInstanceIdentifier: `${PRIMARY}-1`,
      AvailabilityZone: 'eu-central-1a',
      Endpoint: { Address: expect.stringMatching(/^main-eu-central-1-1\./u) as string, Port: 5432 },
    });
  });

  it('answers for what is not there as RDS does', async () => {
    const asked = rds.send(new DescribeDBClustersCommand({ DBClusterIdentifier: 'no' }));
    await expect(asked).rejects.toMatchObject({ name: 'DBClusterNotFoundFault' });
    await expect(
      rds.send(new DescribeDBInstancesCommand({ DBInstanceIdentifier: 'no' })),
    ).rejects.toMatchObject({
      name: 'DBInstanceNotFoundFault',
    });
  });

  it('switches over and fails over', async () => {
    makeGlobal();
    const moved = { GlobalClusterIdentifier: 'world', TargetDbClusterIdentifier: REPLICA_ARN };
    await rds.send(new SwitchoverGlobalClusterCommand(moved));
    expect(await members()).toEqual([
      [REPLICA_ARN, true],
      [PRIMARY_ARN, false],
    ]);
    await rds.send(
      new FailoverGlobalClusterCommand({
        GlobalClusterIdentifier: 'world',
        TargetDbClusterIdentifier: PRIMARY_ARN,
        AllowDataLoss: true,
      }),
    );
    expect(await members()).toEqual([
      [PRIMARY_ARN, true],
      [REPLICA_ARN, false],
    ]);
    await expect(
      rds.send(new FailoverGlobalClusterCommand({ ...moved, AllowDataLoss: true, Switchover: true })),
    ).rejects.toThrow(/AllowDataLoss and the Switchover/u);
  });

  it('makes a global database around a cluster, protects it, and takes the cluster out', async () => {
    data.cluster();
    await rds.send(
      new CreateGlobalClusterCommand({
        GlobalClusterIdentifier: 'world',
        SourceDBClusterIdentifier: PRIMARY_ARN,
        DeletionProtection: true,
      }),
    );
    expect(await members()).toEqual([[PRIMARY_ARN, true]]);
    const drop = new DeleteGlobalClusterCommand({ GlobalClusterIdentifier: 'world' });
    await rds.send(
      new RemoveFromGlobalClusterCommand({
        GlobalClusterIdentifier: 'world',
        DbClusterIdentifier: PRIMARY_ARN,
      }),
    );
    await expect(rds.send(drop)).rejects.toThrow(/disable deletion protection/u);
    await rds.send(
      new ModifyGlobalClusterCommand({ GlobalClusterIdentifier: 'world', DeletionProtection: false }),
    );
    await rds.send(drop);
    await expect(members()).rejects.toMatchObject({ name: 'GlobalClusterNotFoundFault' });
  });

  it('deletes an instance and its cluster, with a last snapshot', async () => {
    data.instance(data.cluster(HOME, { DeletionProtection: true }));
    const drop = (others: object): Promise<unknown> =>
      rds.send(new DeleteDBClusterCommand({ DBClusterIdentifier: PRIMARY, ...others }));
    await rds.send(new ModifyDBClusterCommand({ DBClusterIdentifier: PRIMARY, DeletionProtection: false }));
    await expect(drop({})).rejects.toThrow(/FinalDBSnapshotIdentifier is required/u);
    await expect(drop({ SkipFinalSnapshot: true })).rejects.toMatchObject({
      name: 'InvalidDBClusterStateFault',
    });
    await rds.send(new DeleteDBInstanceCommand({ DBInstanceIdentifier: `${PRIMARY}-1` }));
    await drop({ FinalDBSnapshotIdentifier: 'last' });
    const { DBClusterSnapshots } = await rds.send(new DescribeDBClusterSnapshotsCommand({}));
    expect(
      DBClusterSnapshots?.map((one) => [one.DBClusterSnapshotIdentifier, one.DBClusterIdentifier]),
    ).toEqual([['last', PRIMARY]]);
    expect(data.world.all('AWS::RDS::DBCluster')).toEqual([]);
  });

  it('deletes no member of a global database, and takes no name of a snapshot twice', async () => {
    makeGlobal();
    const drop = new DeleteDBClusterCommand({ DBClusterIdentifier: PRIMARY, SkipFinalSnapshot: true });
    await expect(rds.send(drop)).rejects.toThrow(/please remove it from globalcluster first/u);
    const keep = new CreateDBClusterSnapshotCommand({
      DBClusterIdentifier: PRIMARY,
      DBClusterSnapshotIdentifier: 'before',
    });
    await rds.send(keep);
    await expect(rds.send(keep)).rejects.toMatchObject({ name: 'DBClusterSnapshotAlreadyExistsFault' });
  });

  it('keeps regions apart', async () => {
    data.cluster(AWAY);
    const { DBClusters } = await rds.send(new DescribeDBClustersCommand({}));
    expect(DBClusters).toEqual([]);
  });
});
