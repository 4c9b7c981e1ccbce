import { interfacesOf } from '../behaviours/ec2-interfaces.ts';
import { flagAt, numberAt, requiredText } from '../behaviours/property-values.ts';
import { globalArn } from '../behaviours/rds-global.ts';
import { globalOf, isReader, membersOf } from '../behaviours/rds-membership.ts';
import { clusterArn, instancesOf, rdsArn } from '../behaviours/rds-names.ts';
import { members } from '../call.ts';
import { type Json, type Properties, textAt, textsAt } from '../values.ts';
import type { Resource, World } from '../world.ts';

const PROMOTION_TIER_USUAL = 1;
/** Nothing here remembers when it was made. */
const MADE = '2026-01-01T00:00:00.000Z';

/** `DBCluster`, Amazon RDS API Reference. */
export function clusterAnswer(world: World, cluster: Resource): Properties {
  const { id, properties, attributes, state } = cluster;
  const global = globalOf(world, cluster);
  const reader = isReader(world, cluster);
  const writer = global === undefined ? null : membersOf(global).writer;
  return withoutNull({
    DBClusterIdentifier: id,
    DBClusterArn: clusterArn(cluster),
    DbClusterResourceId: attributes['DBClusterResourceId'] ?? null,
    Status: 'available',
    Engine: requiredText(properties, 'Engine'),
    EngineVersion: textAt(properties, 'EngineVersion') ?? null,
    EngineMode: textAt(properties, 'EngineMode') ?? 'provisioned',
    Endpoint: attributes['Endpoint.Address'] ?? null,
    ReaderEndpoint: attributes['ReadEndpoint.Address'] ?? null,
    Port: Number(attributes['Endpoint.Port'] ?? 0),
    DatabaseName: textAt(properties, 'DatabaseName') ?? null,
    MasterUsername: textAt(properties, 'MasterUsername') ?? null,
    MultiAZ: new Set(instancesOf(world, cluster).map((one) => one.state.get('zone'))).size > 1,
    DBSubnetGroup: requiredText(properties, 'DBSubnetGroupName'),
    DBClusterParameterGroup: textAt(properties, 'DBClusterParameterGroupName') ?? null,
    StorageEncrypted: flagAt(properties, 'StorageEncrypted') ?? false,
    KmsKeyId: textAt(properties, 'KmsKeyId') ?? null,
    BackupRetentionPeriod: numberAt(properties, 'BackupRetentionPeriod') ?? 1,
    PreferredBackupWindow: textAt(properties, 'PreferredBackupWindow') ?? null,
    PreferredMaintenanceWindow: textAt(properties, 'PreferredMaintenanceWindow') ?? null,
    DeletionProtection: flagAt(properties, 'DeletionProtection') ?? false,
    IAMDatabaseAuthenticationEnabled: flagAt(properties, 'EnableIAMDatabaseAuthentication') ?? false,
    CopyTagsToSnapshot: flagAt(properties, 'CopyTagsToSnapshot') ?? false,
    ClusterCreateTime: MADE,
    GlobalClusterIdentifier: global?.id ?? null,
    ReplicationSourceIdentifier: reader ? writer : null,
    ServerlessV2ScalingConfiguration: properties['ServerlessV2ScalingConfiguration'] ?? null,
    EnabledCloudwatchLogsExports: members(textsAt(properties, 'EnableCloudwatchLogsExports')),
    VpcSecurityGroups: members(
      textsAt(properties, 'VpcSecurityGroupIds').map((group) => ({
        VpcSecurityGroupId: group,
        Status: 'active',
      })),
      'VpcSecurityGroupMembership',
    ),
    DBClusterMembers: members(
      instancesOf(world, cluster).map((one) => ({
        DBInstanceIdentifier: one.id,
        IsClusterWriter: !reader && state.get('writer') === one.id,
        DBClusterParameterGroupStatus: 'in-sync',
        PromotionTier: numberAt(one.properties, 'PromotionTier') ?? PROMOTION_TIER_USUAL,
      })),
      'DBClusterMember',
    ),
    TagList: tagsOf(properties),
  });
}

/** `DBInstance`, Amazon RDS API Reference. */
export function instanceAnswer(world: World, instance: Resource, cluster: Resource | undefined): Properties {
  const { id, properties, attributes, state, account, region } = instance;
  const place = { account, region };
  const [at] = interfacesOf(world, place, rdsArn(place, 'db', id));
  const vpc = at?.attributes['VpcId'];
  return withoutNull({
    DBInstanceIdentifier: id,
    DBInstanceArn: attributes['DBInstanceArn'] ?? null,
    DbiResourceId: attributes['DbiResourceId'] ?? null,
    DBInstanceClass: requiredText(properties, 'DBInstanceClass'),
    DBInstanceStatus: 'available',
    DBClusterIdentifier: cluster?.id ?? null,
    Engine: textAt(cluster?.properties ?? properties, 'Engine') ?? null,
    EngineVersion: textAt(cluster?.properties ?? properties, 'EngineVersion') ?? null,
    AvailabilityZone: state.get('zone') ?? null,
    Endpoint: {
      Address: attributes['Endpoint.Address'] ?? null,
      Port: Number(attributes['Endpoint.Port'] ?? 0),
    },
    DBSubnetGroup: withoutNull({
      DBSubnetGroupName: textAt(cluster?.properties ?? {}, 'DBSubnetGroupName') ?? null,
      VpcId: vpc ?? null,
    }),
    InstanceCreateTime: MADE,
    MultiAZ: false,
    PromotionTier: numberAt(properties, 'PromotionTier') ?? PROMOTION_TIER_USUAL,
    PubliclyAccessible: flagAt(properties, 'PubliclyAccessible') ?? false,
    AutoMinorVersionUpgrade: flagAt(properties, 'AutoMinorVersionUpgrade') ?? true,
    StorageEncrypted: flagAt(cluster?.properties ?? {}, 'StorageEncrypted') ?? false,
    PerformanceInsightsEnabled: flagAt(properties, 'EnablePerformanceInsights') ?? false,
    CACertificateIdentifier: textAt(properties, 'CACertificateIdentifier') ?? null,
    PreferredMaintenanceWindow: textAt(properties, 'PreferredMaintenanceWindow') ?? null,
    TagList: tagsOf(properties),
  });
}

/** `GlobalCluster`, Amazon RDS API Reference. */
export function globalAnswer(global: Resource): Properties {
  const { id, state, properties, attributes } = global;
  const { writer, readers } = membersOf(global);
  const isWriter = (arn: string): boolean => arn === writer;
  return withoutNull({
    GlobalClusterIdentifier: id,
    GlobalClusterResourceId: state.get('resourceId') ?? null,
    GlobalClusterArn: globalArn(global),
    Status: 'available',
    Engine: state.get('engine') ?? null,
    EngineVersion: state.get('engineVersion') ?? null,
    DatabaseName: state.get('databaseName') ?? null,
    StorageEncrypted: state.get('encrypted') ?? false,
    DeletionProtection: flagAt(properties, 'DeletionProtection') ?? false,
    Endpoint: textAt(attributes, 'GlobalEndpoint.Address') ?? null,
    GlobalClusterMembers: members(
      [...(writer === null ? [] : [writer]), ...readers].map((arn) => ({
        DBClusterArn: arn,
        IsWriter: isWriter(arn),
        Readers: members(isWriter(arn) ? readers : []),
        SynchronizationStatus: 'connected',
        GlobalWriteForwardingStatus: 'disabled',
      })),
      'GlobalClusterMember',
    ),
  });
}

/** `DBClusterSnapshot`, Amazon RDS API Reference. */
export function snapshotAnswer(snapshot: Resource): Properties {
  const { id, properties, attributes, state } = snapshot;
  return withoutNull({
    DBClusterSnapshotIdentifier: id,
    DBClusterSnapshotArn: attributes['Arn'] ?? null,
    DBClusterIdentifier: state.get('cluster') ?? null,
    SnapshotCreateTime: state.get('createdAt') ?? null,
    SnapshotType: 'manual',
    Status: 'available',
    PercentProgress: 100,
    Engine: requiredText(properties, 'Engine'),
    EngineVersion: textAt(properties, 'EngineVersion') ?? null,
    MasterUsername: textAt(properties, 'MasterUsername') ?? null,
    StorageEncrypted: flagAt(properties, 'StorageEncrypted') ?? false,
    KmsKeyId: textAt(properties, 'KmsKeyId') ?? null,
    TagList: tagsOf(properties),
  });
}

function tagsOf(properties: Properties): Properties {
  const tags = properties['Tags'];
  // A list as the schema says.
  return members(Array.isArray(tags) ? (tags as readonly Json[]) : [], 'Tag');
}

function withoutNull(properties: Properties): Properties {
  return Object.fromEntries(Object.entries(properties).filter(([, value]) => value !== null));
}
