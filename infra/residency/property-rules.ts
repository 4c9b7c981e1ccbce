import {
  absent,
  exactly,
  having,
  notMultiRegion,
  oneOf,
  only,
  ownAccount,
  ownGlobalCluster,
  ownImage,
  ownLog,
  ownLogBucket,
  ownReference,
  ownResource,
  ownRole,
  ownSecret,
  ownSubscriber,
  regionOfZone,
} from './demands.ts';
import { NETWORK_RULES } from './network-rules.ts';
import { nothing, rows, whole, type PropertyRule } from './property-rule.ts';

const FIREHOSE = 'AWS::KinesisFirehose::DeliveryStream';
const PROCESSORS = [
  'AppendDelimiterToRecord',
  'CloudWatchLogProcessing',
  'Decompression',
  'MetadataExtraction',
  'RecordDeAggregation',
];
const DATABASE = 'AWS::RDS::DBCluster';
const INSTANCE = 'AWS::RDS::DBInstance';
const TASKS = 'AWS::ECS::TaskDefinition';
const BALANCER = 'AWS::ElasticLoadBalancingV2::LoadBalancer';

/** Everything in a type of `REGIONAL_TYPES` and `GLOBAL_TYPES` that copies data, names a place, or leads to one. */
export const PROPERTY_RULES: readonly PropertyRule[] = [
  ...rows('Residency-SecretReplica', 'AWS::SecretsManager::Secret', [
    ['ReplicaRegions/*/Region', regionOfZone],
  ]),
  ...nothing('Residency-BucketReplication', 'AWS::S3::Bucket', 'ReplicationConfiguration'),
  ...nothing('Residency-Principal', 'AWS::S3::Bucket', 'AccessControl'),
  ...rows('Residency-Principal', 'AWS::S3::BucketPolicy', [['Bucket', ownReference]]),
  ...rows(
    'Residency-Principal',
    'AWS::S3::Bucket',
    [
      [
        'PublicAccessBlockConfiguration',
        exactly({
          BlockPublicAcls: 'true',
          BlockPublicPolicy: 'true',
          IgnorePublicAcls: 'true',
          RestrictPublicBuckets: 'true',
        }),
      ],
    ],
    false,
  ),
  ...whole('Residency-Principal', 'AWS::S3::Bucket', having('PublicAccessBlockConfiguration')),
  ...nothing('Residency-EntryPoint', 'AWS::S3::Bucket', 'AccelerateConfiguration', 'WebsiteConfiguration'),
  ...rows('Residency-LogDestination', 'AWS::S3::Bucket', [
    ['LoggingConfiguration/DestinationBucketName', ownReference],
    ['InventoryConfigurations/*/Destination/BucketArn', ownReference],
    ['AnalyticsConfigurations/*/StorageClassAnalysis/DataExport/Destination/BucketArn', ownReference],
    ['InventoryConfigurations/*/Destination/BucketAccountId', ownAccount],
    ['NotificationConfiguration/LambdaConfigurations', absent],
    ['NotificationConfiguration/QueueConfigurations/*/Queue', ownReference],
    ['NotificationConfiguration/TopicConfigurations/*/Topic', ownReference],
    ['MetadataConfiguration', absent],
    ['MetadataTableConfiguration', absent],
  ]),
  ...rows('Residency-DatabaseCopy', 'AWS::RDS::GlobalCluster', [
    ['GlobalClusterIdentifier', ownGlobalCluster],
    ['SourceDBClusterIdentifier', absent],
  ]),
  ...rows('Residency-DatabaseCopy', DATABASE, [
    ['GlobalClusterIdentifier', ownGlobalCluster],
    ['SourceRegion', absent],
    ['SourceDBClusterIdentifier', absent],
    ['SourceDbClusterResourceId', absent],
    ['ReplicationSourceIdentifier', absent],
    ['SnapshotIdentifier', absent],
    ['AssociatedRoles', absent],
    ['EnableGlobalWriteForwarding', oneOf('false')],
  ]),
  ...rows('Residency-Network', DATABASE, [
    ['PubliclyAccessible', oneOf('false')],
    ['EnableHttpEndpoint', oneOf('false')],
    ['Domain', absent],
  ]),
  ...whole('Residency-Network', INSTANCE, exactly({ PubliclyAccessible: 'false' })),
  ...nothing('Residency-Network', INSTANCE, 'Domain', 'DomainFqdn'),
  ...rows('Residency-DatabaseCopy', INSTANCE, [
    ['SourceRegion', absent],
    ['SourceDBInstanceIdentifier', absent],
    ['SourceDBClusterIdentifier', absent],
    ['SourceDbiResourceId', absent],
    ['DBSnapshotIdentifier', absent],
    ['DBClusterSnapshotIdentifier', absent],
    ['AutomaticBackupReplicationRegion', absent],
    ['AutomaticBackupReplicationKmsKeyId', absent],
    ['AssociatedRoles', absent],
  ]),
  ...rows('Residency-DatabaseCopy', 'AWS::ElastiCache::ServerlessCache', [['SnapshotArnsToRestore', absent]]),
  ...rows('Residency-KeyReplica', 'AWS::KMS::Key', [
    ['MultiRegion', notMultiRegion],
    ['Origin', oneOf('AWS_KMS')],
  ]),
  ...rows('Residency-KeyReplica', 'AWS::KMS::ReplicaKey', [['PrimaryKeyArn', ownReference]]),
  ...NETWORK_RULES,
  ...rows('Residency-LogDestination', 'AWS::Logs::SubscriptionFilter', [['DestinationArn', ownResource]]),
  ...rows('Residency-LogDestination', 'AWS::EC2::FlowLog', [
    ['LogDestination', ownResource],
    ['LogGroupName', ownReference],
    ['DeliverCrossAccountRole', absent],
  ]),
  ...rows('Residency-LogDestination', 'AWS::Events::Rule', [
    ['Targets/*/Arn', ownReference],
    ['Targets/*/DeadLetterConfig/Arn', ownReference],
  ]),
  ...rows('Residency-LogDestination', 'AWS::WAFv2::LoggingConfiguration', [
    ['LogDestinationConfigs/*', ownLog],
  ]),
  ...nothing('Residency-LogDestination', 'AWS::Logs::LogGroup', 'DataProtectionPolicy'),
  ...rows('Residency-LogDestination', TASKS, [
    ['ContainerDefinitions/*/LogConfiguration/LogDriver', oneOf('awslogs')],
    ['ContainerDefinitions/*/LogConfiguration/Options/awslogs-region', regionOfZone],
    ['ContainerDefinitions/*/LogConfiguration/Options/awslogs-endpoint', absent],
    ['ContainerDefinitions/*/LogConfiguration/Options/awslogs-group', ownReference],
    ['ContainerDefinitions/*/FirelensConfiguration', absent],
  ]),
  ...rows('Residency-Network', TASKS, [
    ['ContainerDefinitions/*/DnsServers', absent],
    ['ContainerDefinitions/*/ExtraHosts', absent],
    ['Volumes/*/EFSVolumeConfiguration', absent],
    ['Volumes/*/FSxWindowsFileServerVolumeConfiguration', absent],
    ['ProxyConfiguration', absent],
  ]),
  ...rows('Residency-AssetDestination', TASKS, [
    ['ContainerDefinitions/*/Image', ownImage],
    ['ContainerDefinitions/*/RepositoryCredentials', absent],
  ]),
  ...nothing('Residency-Parameter', TASKS, 'ContainerDefinitions/*/EnvironmentFiles'),
  ...rows('Residency-Parameter', TASKS, [['ContainerDefinitions/*/Secrets/*/ValueFrom', ownSecret]], false),
  ...rows('Residency-RoleBoundary', TASKS, [
    ['TaskRoleArn', ownRole],
    ['ExecutionRoleArn', ownRole],
  ]),
  ...rows('Residency-RoleBoundary', 'AWS::ECS::Service', [['TaskDefinition', ownReference]]),
  ...nothing('Residency-DatabaseCopy', 'AWS::ECS::Service', 'VolumeConfigurations'),
  ...nothing('Residency-LogDestination', 'AWS::ECS::Cluster', 'Configuration/ExecuteCommandConfiguration'),
  ...nothing('Residency-LogDestination', 'AWS::ECS::Service', 'ServiceConnectConfiguration'),
  ...nothing('Residency-CustomCode', 'AWS::ECS::Service', 'DeploymentConfiguration/LifecycleHooks'),
  ...rows('Residency-LogDestination', BALANCER, [['LoadBalancerAttributes/*', ownLogBucket]], false),
  ...rows(
    'Residency-LogDestination',
    FIREHOSE,
    [
      [
        '',
        only(
          /DestinationConfiguration$|SourceConfiguration$/,
          'ExtendedS3DestinationConfiguration',
          'DirectPutSourceConfiguration',
        ),
      ],
    ],
    false,
  ),
  ...rows('Residency-LogDestination', FIREHOSE, [
    ['ExtendedS3DestinationConfiguration/BucketARN', ownReference],
    ['ExtendedS3DestinationConfiguration/S3BackupConfiguration/BucketARN', ownReference],
    [
      'ExtendedS3DestinationConfiguration/DataFormatConversionConfiguration/SchemaConfiguration/Region',
      regionOfZone,
    ],
    // The other one, `Lambda`, runs a function on each record.
    ['ExtendedS3DestinationConfiguration/ProcessingConfiguration/Processors/*/Type', oneOf(...PROCESSORS)],
  ]),
  ...rows('Residency-RoleBoundary', FIREHOSE, [['ExtendedS3DestinationConfiguration/RoleARN', ownRole]]),
  ...['AWS::IAM::Policy', 'AWS::IAM::ManagedPolicy'].flatMap((type) => [
    ...rows('Residency-RoleBoundary', type, [['Roles/*', ownRole]]),
    ...nothing('Residency-RoleBoundary', type, 'Users', 'Groups'),
  ]),
  ...['AWS::CloudWatch::Alarm', 'AWS::CloudWatch::CompositeAlarm'].flatMap((type) =>
    rows('Residency-Subscription', type, [
      ['AlarmActions/*', ownReference],
      ['InsufficientDataActions/*', ownReference],
      ['OKActions/*', ownReference],
    ]),
  ),
  ...rows('Residency-Subscription', 'AWS::SNS::Subscription', [['', ownSubscriber]], false),
  ...rows('Residency-Subscription', 'AWS::SNS::Subscription', [
    ['Endpoint', seenWithItsProtocol],
    ['Region', regionOfZone],
    ['TopicArn', ownReference],
    ['RedrivePolicy', absent],
  ]),
  ...rows('Residency-Subscription', 'AWS::SNS::Topic', [
    ['Subscription/*', ownSubscriber],
    ['DataProtectionPolicy', absent],
  ]),
];

/** Claims an endpoint for the rule that sees both. */
function seenWithItsProtocol(): null {
  return null;
}

/** The rules of a type. */
export function propertyRulesOf(type: string): readonly PropertyRule[] {
  return PROPERTY_RULES.filter((rule) => rule.type === type);
}
