import type { PriceName } from '../price-names.ts';

/** Types of resources that cost something, and the prices that they are charged by. */
export const PRICED: Readonly<Record<string, readonly PriceName[]>> = {
  'AWS::CloudWatch::Alarm': ['alarmMonth'],
  'AWS::CloudWatch::Dashboard': ['dashboardMonth'],
  'AWS::EC2::EIP': ['publicIpv4Hour'],
  'AWS::EC2::FlowLog': ['vendedLogGb'],
  'AWS::EC2::NatGateway': ['natHour', 'natGb'],
  'AWS::EC2::VPCEndpoint': ['endpointHour', 'endpointGb'],
  'AWS::EC2::VPCPeeringConnection': ['interRegionGb'],
  'AWS::ECS::Cluster': ['metricMonth', 'logIngestGb'],
  'AWS::ECS::Service': ['fargateVcpuHour', 'fargateGbHour'],
  'AWS::ElastiCache::ServerlessCache': ['cacheGbHour', 'cacheEcpuMillion', 'crossZoneGb'],
  'AWS::ElasticLoadBalancingV2::LoadBalancer': ['loadBalancerHour', 'loadBalancerLcuHour', 'internetGb'],
  'AWS::GlobalAccelerator::Accelerator': ['acceleratorHour', 'acceleratorPremiumGb', 'publicIpv4Hour'],
  'AWS::KMS::Key': ['kmsKeyMonth', 'kmsTenThousand'],
  'AWS::KMS::ReplicaKey': ['kmsKeyMonth'],
  'AWS::KinesisFirehose::DeliveryStream': ['firehoseGb'],
  'AWS::Logs::LogGroup': ['logIngestGb', 'logStorageGbMonth'],
  'AWS::RDS::DBCluster': ['auroraStorageGbMonth', 'auroraIoMillion', 'auroraBackupGbMonth'],
  'AWS::RDS::DBInstance': ['auroraAcuHour', 'auroraHour r8g.large'],
  'AWS::RDS::GlobalCluster': ['auroraReplicatedWriteMillion', 'interRegionGb'],
  'AWS::Route53::HostedZone': ['hostedZoneMonth'],
  'AWS::S3::Bucket': ['s3GbMonth', 's3PutThousand'],
  'AWS::SecretsManager::Secret': ['secretMonth'],
  'AWS::WAFv2::WebACL': ['wafAclMonth', 'wafRuleMonth', 'wafMillion'],
};

const NETWORK = 'AWS charges nothing for what only describes a network';
const SCALING = 'scaling itself is free; the alarms that it makes are counted';
const CACHE_USER = 'who may enter a cache is free';
const DATABASE_SETTING = 'settings of a database are free';
const IDENTITY = 'IAM is free';

/** Types of resources that cost nothing by themselves, and why. */
export const FREE: Readonly<Record<string, string>> = {
  'AWS::ApplicationAutoScaling::ScalableTarget': SCALING,
  'AWS::ApplicationAutoScaling::ScalingPolicy': SCALING,
  'AWS::Budgets::Budget': 'a budget that only tells is free',
  'AWS::CertificateManager::Certificate': 'public certificates for AWS’s own endpoints are free',
  'AWS::EC2::InternetGateway': NETWORK,
  'AWS::EC2::Route': NETWORK,
  'AWS::EC2::RouteTable': NETWORK,
  'AWS::EC2::SecurityGroup': NETWORK,
  'AWS::EC2::SecurityGroupEgress': NETWORK,
  'AWS::EC2::SecurityGroupIngress': NETWORK,
  'AWS::EC2::Subnet': NETWORK,
  'AWS::EC2::SubnetRouteTableAssociation': NETWORK,
  'AWS::EC2::VPC': NETWORK,
  'AWS::EC2::VPCGatewayAttachment': NETWORK,
  'AWS::ECS::TaskDefinition': 'what runs is charged, not its description',
  'AWS::ElastiCache::User': CACHE_USER,
  'AWS::ElastiCache::UserGroup': CACHE_USER,
  'AWS::ElasticLoadBalancingV2::Listener': 'in the load balancer’s hours',
  'AWS::ElasticLoadBalancingV2::ListenerRule':
    'the first ten rules of a listener cost nothing, and each has one',
  'AWS::ElasticLoadBalancingV2::TargetGroup': 'in the load balancer’s hours',
  'AWS::GlobalAccelerator::EndpointGroup': 'in the accelerator’s hours',
  'AWS::GlobalAccelerator::Listener': 'in the accelerator’s hours',
  'AWS::IAM::ManagedPolicy': IDENTITY,
  'AWS::IAM::Policy': IDENTITY,
  'AWS::IAM::Role': IDENTITY,
  'AWS::KMS::Alias': 'a name of a key is free',
  'AWS::Logs::LogStream': 'what is written to it is charged',
  'AWS::RDS::DBClusterParameterGroup': DATABASE_SETTING,
  'AWS::RDS::DBSubnetGroup': DATABASE_SETTING,
  'AWS::Route53::RecordSet': 'aliases of AWS’s own endpoints are answered for nothing',
  'AWS::S3::BucketPolicy': IDENTITY,
  'AWS::SNS::Subscription': 'the first thousand mails of a month are free, and an alarm is rare',
  'AWS::SNS::Topic': 'the first million messages of a month are free',
  'AWS::SNS::TopicPolicy': IDENTITY,
  'AWS::WAFv2::IPSet': 'in the web ACL’s price',
  'AWS::WAFv2::LoggingConfiguration': 'refusals are rare, and only they are written',
  'AWS::WAFv2::WebACLAssociation': 'in the web ACL’s price',
};
