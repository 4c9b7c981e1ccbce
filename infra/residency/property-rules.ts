import {
  absent,
  notMultiRegion,
  oneOf,
  only,
  ownAccount,
  ownAwsService,
  ownGlobalCluster,
  ownLogBucket,
  ownReference,
  ownResource,
  ownSubscriber,
  regionOfZone,
  type Demand,
} from './demands.ts';
import type { RuleId } from './rules.ts';

/** What a property of a type may be. */
export interface PropertyRule {
  readonly rule: RuleId;
  readonly type: string;
  /** Below `Properties`; `*` is every member of a list. */
  readonly path: string;
  readonly demand: Demand;
  /** Whether the rule's demand is all there is to say about texts there; otherwise they are judged as any other. */
  readonly claims: boolean;
}

type Row = readonly [path: string, demand: Demand];

function rows(rule: RuleId, type: string, list: readonly Row[], claims = true): readonly PropertyRule[] {
  return list.map(([path, demand]) => ({ rule, type, path, demand, claims }));
}

const FIREHOSE = 'AWS::KinesisFirehose::DeliveryStream';

/** Everything in a type of `REGIONAL_TYPES` and `GLOBAL_TYPES` that copies data, names a place, or leads to one. */
export const PROPERTY_RULES: readonly PropertyRule[] = [
  ...rows('Residency-SecretReplica', 'AWS::SecretsManager::Secret', [
    ['ReplicaRegions/*/Region', regionOfZone],
  ]),
  ...rows('Residency-BucketReplication', 'AWS::S3::Bucket', [['ReplicationConfiguration', absent]]),
  ...rows('Residency-LogDestination', 'AWS::S3::Bucket', [
    ['LoggingConfiguration/DestinationBucketName', ownReference],
    ['InventoryConfigurations/*/Destination/BucketArn', ownReference],
    ['AnalyticsConfigurations/*/StorageClassAnalysis/DataExport/Destination/BucketArn', ownReference],
    ['NotificationConfiguration/LambdaConfigurations', absent],
  ]),
  ...rows('Residency-DatabaseCopy', 'AWS::RDS::GlobalCluster', [
    ['GlobalClusterIdentifier', ownGlobalCluster],
    ['SourceDBClusterIdentifier', absent],
  ]),
  ...rows('Residency-DatabaseCopy', 'AWS::RDS::DBCluster', [
    ['GlobalClusterIdentifier', ownGlobalCluster],
    ['SourceRegion', absent],
    ['SourceDBClusterIdentifier', absent],
    ['SourceDbClusterResourceId', absent],
    ['ReplicationSourceIdentifier', absent],
    ['SnapshotIdentifier', absent],
  ]),
  ...rows('Residency-DatabaseCopy', 'AWS::RDS::DBInstance', [
    ['SourceRegion', absent],
    ['SourceDBInstanceIdentifier', absent],
    ['SourceDBClusterIdentifier', absent],
    ['SourceDbiResourceId', absent],
    ['DBSnapshotIdentifier', absent],
    ['DBClusterSnapshotIdentifier', absent],
    ['AutomaticBackupReplicationRegion', absent],
    ['AutomaticBackupReplicationKmsKeyId', absent],
  ]),
  ...rows('Residency-DatabaseCopy', 'AWS::ElastiCache::ServerlessCache', [['SnapshotArnsToRestore', absent]]),
  ...rows('Residency-KeyReplica', 'AWS::KMS::Key', [['MultiRegion', notMultiRegion]]),
  ...rows('Residency-KeyReplica', 'AWS::KMS::ReplicaKey', [['PrimaryKeyArn', ownResource]]),
  ...rows('Residency-Network', 'AWS::EC2::VPCPeeringConnection', [
    ['PeerRegion', regionOfZone],
    ['PeerOwnerId', ownAccount],
    ['PeerRoleArn', absent],
    ['PeerVpcId', ownReference],
    ['VpcId', ownReference],
  ]),
  ...rows('Residency-Network', 'AWS::EC2::VPCEndpoint', [
    ['ServiceRegion', regionOfZone],
    ['ServiceName', ownAwsService],
    ['ResourceConfigurationArn', absent],
    ['ServiceNetworkArn', absent],
  ]),
  ...rows('Residency-Network', 'AWS::EC2::Route', [
    ['TransitGatewayId', absent],
    ['CoreNetworkArn', absent],
    ['VpcPeeringConnectionId', ownReference],
  ]),
  ...rows('Residency-Network', 'AWS::Route53::HostedZone', [
    ['VPCs/*/VPCRegion', regionOfZone],
    ['VPCs/*/VPCId', ownReference],
    ['QueryLoggingConfig', absent],
  ]),
  ...rows('Residency-EntryPoint', 'AWS::WAFv2::WebACL', [['Scope', oneOf('REGIONAL')]]),
  ...rows('Residency-EntryPoint', 'AWS::WAFv2::IPSet', [['Scope', oneOf('REGIONAL')]]),
  ...rows('Residency-EntryPoint', 'AWS::GlobalAccelerator::EndpointGroup', [
    ['EndpointGroupRegion', regionOfZone],
    ['EndpointConfigurations/*/EndpointId', ownResource],
    ['EndpointConfigurations/*/AttachmentArn', absent],
  ]),
  ...rows('Residency-LogDestination', 'AWS::Logs::SubscriptionFilter', [['DestinationArn', ownResource]]),
  ...rows('Residency-LogDestination', 'AWS::EC2::FlowLog', [
    ['LogDestination', ownResource],
    ['DeliverCrossAccountRole', absent],
  ]),
  ...rows('Residency-LogDestination', 'AWS::Events::Rule', [['Targets/*/Arn', ownResource]]),
  ...rows('Residency-LogDestination', 'AWS::WAFv2::LoggingConfiguration', [
    ['LogDestinationConfigs/*', ownResource],
  ]),
  ...rows('Residency-LogDestination', 'AWS::ECS::TaskDefinition', [
    ['ContainerDefinitions/*/LogConfiguration/LogDriver', oneOf('awslogs')],
    ['ContainerDefinitions/*/LogConfiguration/Options/awslogs-region', regionOfZone],
  ]),
  ...rows(
    'Residency-LogDestination',
    'AWS::ElasticLoadBalancingV2::LoadBalancer',
    [['LoadBalancerAttributes/*', ownLogBucket]],
    false,
  ),
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
    ['ExtendedS3DestinationConfiguration/ProcessingConfiguration/Processors/*/Parameters/*', noCode],
  ]),
  ...rows('Residency-Subscription', 'AWS::SNS::Subscription', [['', ownSubscriber]], false),
  ...rows('Residency-Subscription', 'AWS::SNS::Subscription', [
    ['Endpoint', seenWithItsProtocol],
    ['Region', regionOfZone],
  ]),
  ...rows('Residency-Subscription', 'AWS::SNS::Topic', [
    ['Subscription/*', ownSubscriber],
    ['DataProtectionPolicy', absent],
  ]),
];

/** Firehose runs a function on each record where a parameter names one. */
function noCode(...[value]: Parameters<Demand>): string | null {
  return JSON.stringify(value).includes('LambdaArn') ? 'processors without a Lambda function' : null;
}

/** Claims an endpoint for the rule that sees both. */
function seenWithItsProtocol(): null {
  return null;
}

/** The rules of a type. */
export function propertyRulesOf(type: string): readonly PropertyRule[] {
  return PROPERTY_RULES.filter((rule) => rule.type === type);
}
