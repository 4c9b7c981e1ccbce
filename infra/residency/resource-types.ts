/**
 * The types of resources that the gate lets through: a closed list, so that a new type is reviewed before it is used. To review a type
 * means to ask of each of its properties whether it copies data, names a place or lets somebody in; if one does, `property-rules.ts`
 * says what it may be.
 */
export const REGIONAL_TYPES: ReadonlySet<string> = new Set([
  'AWS::ApplicationAutoScaling::ScalableTarget',
  'AWS::ApplicationAutoScaling::ScalingPolicy',
  'AWS::CertificateManager::Certificate',
  'AWS::CloudWatch::Alarm',
  'AWS::CloudWatch::CompositeAlarm',
  'AWS::EC2::EIP',
  'AWS::EC2::FlowLog',
  'AWS::EC2::InternetGateway',
  'AWS::EC2::NatGateway',
  'AWS::EC2::NetworkAcl',
  'AWS::EC2::NetworkAclEntry',
  'AWS::EC2::Route',
  'AWS::EC2::RouteTable',
  'AWS::EC2::SecurityGroup',
  'AWS::EC2::SecurityGroupEgress',
  'AWS::EC2::SecurityGroupIngress',
  'AWS::EC2::Subnet',
  'AWS::EC2::SubnetNetworkAclAssociation',
  'AWS::EC2::SubnetRouteTableAssociation',
  'AWS::EC2::VPC',
  'AWS::EC2::VPCEndpoint',
  'AWS::EC2::VPCGatewayAttachment',
  'AWS::EC2::VPCPeeringConnection',
  'AWS::ECS::Cluster',
  'AWS::ECS::Service',
  'AWS::ECS::TaskDefinition',
  'AWS::ElastiCache::ServerlessCache',
  'AWS::ElastiCache::User',
  'AWS::ElastiCache::UserGroup',
  'AWS::ElasticLoadBalancingV2::Listener',
  'AWS::ElasticLoadBalancingV2::ListenerRule',
  'AWS::ElasticLoadBalancingV2::LoadBalancer',
  'AWS::ElasticLoadBalancingV2::TargetGroup',
  'AWS::Events::Rule',
  'AWS::KMS::Alias',
  'AWS::KMS::Key',
  'AWS::KMS::ReplicaKey',
  'AWS::KinesisFirehose::DeliveryStream',
  'AWS::Logs::LogGroup',
  'AWS::Logs::LogStream',
  'AWS::Logs::MetricFilter',
  'AWS::Logs::QueryDefinition',
  'AWS::Logs::ResourcePolicy',
  'AWS::Logs::SubscriptionFilter',
  'AWS::RDS::DBCluster',
  'AWS::RDS::DBClusterParameterGroup',
  'AWS::RDS::DBInstance',
  'AWS::RDS::DBParameterGroup',
  'AWS::RDS::DBSubnetGroup',
  'AWS::S3::Bucket',
  'AWS::S3::BucketPolicy',
  'AWS::SNS::Subscription',
  'AWS::SNS::Topic',
  'AWS::SNS::TopicPolicy',
  'AWS::SecretsManager::Secret',
  'AWS::SecretsManager::SecretTargetAttachment',
  'AWS::WAFv2::IPSet',
  'AWS::WAFv2::LoggingConfiguration',
  'AWS::WAFv2::WebACL',
  'AWS::WAFv2::WebACLAssociation',
]);

/** Types of services that are in no region, or in all: allowed all the same, with what they hold. docs/RESIDENCY.md repeats it. */
export const GLOBAL_TYPES: Readonly<Record<string, string>> = {
  'AWS::Budgets::Budget': "amounts of money and the alarms' address; no data of the zone",
  'AWS::CloudWatch::Dashboard': "names of metrics and regions; the numbers stay in each metric's region",
  'AWS::GlobalAccelerator::Accelerator': 'a name and addresses',
  'AWS::GlobalAccelerator::EndpointGroup':
    'which load balancers; connections pass through its edge still encrypted',
  'AWS::GlobalAccelerator::Listener': 'port numbers',
  'AWS::IAM::ManagedPolicy': 'who may do what; names of resources',
  'AWS::IAM::Policy': 'who may do what; names of resources',
  'AWS::IAM::Role': 'who may do what; names of resources',
  'AWS::RDS::GlobalCluster':
    "the list of the zone's clusters; data is in the clusters, in the regions that they are made in",
  'AWS::Route53::HostedZone': "names and private addresses of the regions' load balancers",
  'AWS::Route53::RecordSet': 'the hostname and the addresses that it stands for',
};

/** Types that a reviewer has refused for good, by their beginning, and why: nobody needs to ask again. */
export const REFUSED_TYPES: Readonly<Record<string, string>> = {
  'AWS::Backup::': 'backup plans can copy to other regions and accounts; databases have backups of their own',
  'AWS::CDK::Metadata':
    'it reports to AWS which constructs are used; set versionReporting to false in cdk.json',
  'AWS::CloudFront::': 'it decrypts, and keeps copies, at its edge',
  'AWS::DMS::': 'it copies databases to wherever its endpoints are',
  'AWS::DynamoDB::GlobalTable': 'its replicas may be in any region',
  'AWS::EC2::TransitGateway': 'it connects networks of other regions and accounts',
  'AWS::EC2::VPNConnection': 'it leads out of the zone',
  'AWS::ECR::PullThroughCacheRule': 'it reads from registries outside',
  'AWS::ECR::ReplicationConfiguration': 'it copies images to other regions and accounts',
  'AWS::ElastiCache::GlobalReplicationGroup': 'its replicas may be in any region',
  'AWS::Events::EventBusPolicy': 'it lets other accounts in',
  'AWS::Logs::Destination': 'it takes logs from other accounts, and sends them where its target is',
  'AWS::RAM::': 'it shares resources with other accounts',
  'AWS::S3::MultiRegionAccessPoint': 'it spreads objects over regions',
  'AWS::S3::StorageLens': 'it gathers and exports from all regions',
  'AWS::SSM::ResourceDataSync': 'it gathers from regions in one bucket',
};

/** Types that run code while a template is deployed. */
export function runsCode(type: string): boolean {
  return /^Custom::|^AWS::Lambda::|^AWS::CloudFormation::|^AWS::Serverless::|::MODULE$/.test(type);
}

/** Why a type isn't let through; null when it is. */
export function typeProblem(type: string): string | null {
  if (REGIONAL_TYPES.has(type) || Object.hasOwn(GLOBAL_TYPES, type)) return null;
  const refused = Object.entries(REFUSED_TYPES).find(([start]) => type.startsWith(start));
  return refused === undefined ? 'it has not been reviewed' : refused[1];
}
