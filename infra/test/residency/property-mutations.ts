import {
  BASE,
  ZONE,
  FOREIGN,
  add,
  change,
  keyPolicy,
  output,
  subscription,
  type Mutation,
} from './mutation.ts';

const BALANCER = 'AWS::ElasticLoadBalancingV2::LoadBalancer';

function logsOf(what: string, type: string, properties: object): Mutation {
  return add('Residency-LogDestination', what, type, properties);
}

function entry(what: string, type: string, properties: object): Mutation {
  return add('Residency-EntryPoint', what, type, properties);
}

function network(what: string, type: string, properties: object): Mutation {
  return add('Residency-Network', what, type, properties);
}

function bucketPolicy(what: string, statement: object): Mutation {
  return add('Residency-Principal', what, 'AWS::S3::BucketPolicy', {
    PolicyDocument: { Statement: [statement] },
  });
}

/** Violations in properties of resources. */
export const PROPERTY_MUTATIONS: readonly Mutation[] = [
  add('Residency-SecretReplica', 'outside', 'AWS::SecretsManager::Secret', {
    ReplicaRegions: [{ Region: 'eu-west-3' }, { Region: 'us-east-1' }],
  }),
  add('Residency-SecretReplica', 'in a place not known yet', 'AWS::SecretsManager::Secret', {
    ReplicaRegions: [{ Region: { Ref: 'Where' } }],
  }),
  add('Residency-SecretReplica', 'on one side of a condition', 'AWS::SecretsManager::Secret', {
    ReplicaRegions: { 'Fn::If': ['Never', [{ Region: 'us-east-1' }], { Ref: 'AWS::NoValue' }] },
  }),
  add('Residency-BucketReplication', 'to a bucket that may be anywhere', 'AWS::S3::Bucket', {
    ReplicationConfiguration: { Rules: [{ Destination: { Bucket: 'arn:aws:s3:::somewhere' } }] },
  }),
  add('Residency-DatabaseCopy', "another zone's global cluster", 'AWS::RDS::DBCluster', {
    GlobalClusterIdentifier: 'keyhearth-test-us',
  }),
  add('Residency-DatabaseCopy', 'a copy from elsewhere', 'AWS::RDS::DBCluster', {
    SourceRegion: 'us-east-1',
  }),
  add('Residency-DatabaseCopy', 'a snapshot', 'AWS::RDS::DBCluster', { SnapshotIdentifier: 'x' }),
  add('Residency-DatabaseCopy', 'backups elsewhere', 'AWS::RDS::DBInstance', {
    AutomaticBackupReplicationRegion: 'us-east-1',
  }),
  add('Residency-KeyReplica', 'a key that could be replicated', 'AWS::KMS::Key', { MultiRegion: true }, ZONE),
  add('Residency-KeyReplica', "a replica of another region's key", 'AWS::KMS::ReplicaKey', {
    PrimaryKeyArn: 'arn:aws:kms:us-east-1:222222222222:key/mrk-1',
  }),
  keyPolicy('another account', { AWS: 'arn:aws:iam::999999999999:root' }),
  keyPolicy('another account by its number', { AWS: '999999999999' }),
  keyPolicy('everybody', '*'),
  keyPolicy("another region's service", { Service: 'logs.us-east-1.amazonaws.com' }),
  keyPolicy('an identity provider', { Federated: 'accounts.example.com' }),

  add('Residency-Network', 'a peer in another region', 'AWS::EC2::VPCPeeringConnection', {
    PeerRegion: 'us-east-1',
  }),
  add('Residency-Network', 'a peer in another account', 'AWS::EC2::VPCPeeringConnection', {
    PeerOwnerId: '999999999999',
  }),
  add('Residency-Network', 'a peer that may be of any zone', 'AWS::EC2::VPCPeeringConnection', {
    PeerVpcId: 'vpc-0123456789abcdef0',
  }),
  add('Residency-Network', 'a transit gateway', 'AWS::EC2::Route', { TransitGatewayId: 'tgw-1' }),
  add('Residency-Network', 'a service in another region', 'AWS::EC2::VPCEndpoint', {
    ServiceRegion: 'us-east-1',
  }),
  add('Residency-Network', "somebody's service", 'AWS::EC2::VPCEndpoint', {
    ServiceName: 'com.amazonaws.vpce.eu-central-1.vpce-svc-0123',
  }),
  add('Residency-Network', 'names seen elsewhere', 'AWS::Route53::HostedZone', {
    VPCs: [{ VPCRegion: 'us-east-1' }],
  }),
  add('Residency-EntryPoint', 'another region', 'AWS::GlobalAccelerator::EndpointGroup', {
    EndpointGroupRegion: 'us-east-1',
  }),
  add('Residency-EntryPoint', 'a load balancer of nobody', 'AWS::GlobalAccelerator::EndpointGroup', {
    EndpointConfigurations: [{ EndpointId: 'eipalloc-1' }],
  }),

  add('Residency-EntryPoint', 'a firewall at the edge', 'AWS::WAFv2::WebACL', { Scope: 'CLOUDFRONT' }),

  add('Residency-LogDestination', 'a stream elsewhere', 'AWS::Logs::SubscriptionFilter', {
    DestinationArn: FOREIGN,
  }),
  add('Residency-LogDestination', 'a bucket that may be anywhere', 'AWS::EC2::FlowLog', {
    LogDestination: 'arn:aws:s3:::somewhere',
  }),
  add('Residency-LogDestination', 'an event bus elsewhere', 'AWS::Events::Rule', {
    Targets: [{ Arn: 'arn:aws:events:us-east-1:222222222222:event-bus/default' }],
  }),
  add('Residency-LogDestination', 'a web address', 'AWS::KinesisFirehose::DeliveryStream', {
    HttpEndpointDestinationConfiguration: { EndpointConfiguration: { Url: 'https://logs.example.com' } },
  }),
  add('Residency-LogDestination', 'a bucket by its ARN', 'AWS::KinesisFirehose::DeliveryStream', {
    ExtendedS3DestinationConfiguration: { BucketARN: 'arn:aws:s3:::somewhere' },
  }),
  add(
    'Residency-LogDestination',
    'access logs in a bucket by its name',
    'AWS::ElasticLoadBalancingV2::LoadBalancer',
    {
      LoadBalancerAttributes: [{ Key: 'access_logs.s3.bucket', Value: 'somewhere' }],
    },
  ),
  add('Residency-LogDestination', 'a log driver of somebody else', 'AWS::ECS::TaskDefinition', {
    ContainerDefinitions: [{ LogConfiguration: { LogDriver: 'splunk' } }],
  }),
  add('Residency-LogDestination', "another region's logs", 'AWS::ECS::TaskDefinition', {
    ContainerDefinitions: [{ LogConfiguration: { Options: { 'awslogs-region': 'us-east-1' } } }],
  }),
  subscription('a web address', { Protocol: 'https', Endpoint: 'https://example.com' }),
  subscription('a queue elsewhere', { Protocol: 'sqs', Endpoint: 'arn:aws:sqs:eu-north-1:222222222222:q' }),
  subscription('a topic elsewhere', {
    Protocol: 'email',
    Endpoint: 'alarms@example.com',
    Region: 'us-east-1',
  }),
  add('Residency-RoleBoundary', 'no boundary', 'AWS::IAM::Role', {
    AssumeRolePolicyDocument: { Statement: [] },
  }),
  add('Residency-RoleBoundary', "another region's boundary", 'AWS::IAM::Role', {
    PermissionsBoundary: output('keyhearth-test-eu-base-eu-west-3', 'eu-west-3'),
  }),
  change('Residency-RoleBoundary', 'the boundary itself, loosened', ({ template }) => {
    for (const { Type: type, Properties: properties } of Object.values(template.Resources)) {
      const statement = { Effect: 'Allow', Action: '*', Resource: '*' };
      if (type === 'AWS::IAM::ManagedPolicy')
        // Properties are an object.
        Object.assign(properties as object, {
          PolicyDocument: { Version: '2012-10-17', Statement: statement },
        });
    }
  }),
  change('Residency-RoleBoundary', 'no boundary in the base', ({ template }) => {
    for (const { Type: type, Properties: properties } of Object.values(template.Resources)) {
      if (type === 'AWS::IAM::ManagedPolicy')
        // Properties are an object.
        Object.assign(properties as object, { ManagedPolicyName: 'other' });
    }
  }),
  add('Residency-RoleBoundary', 'any resource for a boundary', 'AWS::IAM::Role', {
    PermissionsBoundary: { Ref: 'DataKey2A0DE9E6' },
  }),
  add('Residency-RoleBoundary', 'any output for a boundary', 'AWS::IAM::Role', {
    PermissionsBoundary: output(BASE, 'eu-central-1'),
  }),
  add('Residency-RoleBoundary', 'a boundary on one side of a condition', 'AWS::IAM::Role', {
    PermissionsBoundary: {
      'Fn::If': [
        'Always',
        'arn:aws:iam::222222222222:policy/keyhearth-test-eu-boundary-eu-central-1',
        { Ref: 'AWS::NoValue' },
      ],
    },
  }),
  ...['TaskRoleArn', 'ExecutionRoleArn'].map((key) =>
    add('Residency-RoleBoundary', `a role by its name: ${key}`, 'AWS::ECS::TaskDefinition', {
      [key]: 'Admin',
    }),
  ),
  add('Residency-RoleBoundary', 'a policy for a role of elsewhere', 'AWS::IAM::Policy', { Roles: ['Admin'] }),
  add('Residency-RoleBoundary', 'tasks of elsewhere', 'AWS::ECS::Service', { TaskDefinition: 'other:1' }),

  bucketPolicy('an effect that a function makes', { Effect: { 'Fn::Sub': 'Allow' }, Principal: '*' }),
  bucketPolicy('an effect that a condition decides', {
    Effect: { 'Fn::If': ['Never', 'Deny', 'Allow'] },
    Principal: '*',
  }),
  bucketPolicy('no effect', { Principal: '*' }),
  keyPolicy('a service that copies', { Service: 'replication.s3.amazonaws.com' }),
  add('Residency-Principal', 'a policy in a text behind a blank', 'AWS::Logs::ResourcePolicy', {
    PolicyDocument: `\n${JSON.stringify([{ Effect: 'Allow', Principal: '*' }])}`,
  }),
  add('Residency-Principal', 'a list of who has access', 'AWS::S3::Bucket', { AccessControl: 'PublicRead' }),
  add('Residency-Principal', 'public access not blocked', 'AWS::S3::Bucket', {
    PublicAccessBlockConfiguration: { BlockPublicAcls: true, BlockPublicPolicy: true },
  }),
  add('Residency-EntryPoint', 'a bucket at the edge', 'AWS::S3::Bucket', {
    AccelerateConfiguration: { AccelerationStatus: 'Enabled' },
  }),
  add('Residency-EntryPoint', 'a bucket as a web site', 'AWS::S3::Bucket', {
    WebsiteConfiguration: { RedirectAllRequestsTo: { HostName: 'example.com' } },
  }),
  add('Residency-AssetDestination', 'an image of elsewhere', 'AWS::ECS::TaskDefinition', {
    ContainerDefinitions: [{ Image: 'public.ecr.aws/x/y' }],
  }),
  add('Residency-Parameter', 'a secret by its name', 'AWS::ECS::TaskDefinition', {
    ContainerDefinitions: [{ Secrets: [{ Name: 'X', ValueFrom: 'where' }] }],
  }),

  logsOf('a function that the name of a parameter hides', 'AWS::KinesisFirehose::DeliveryStream', {
    ExtendedS3DestinationConfiguration: {
      ProcessingConfiguration: { Processors: [{ Type: 'Lambda', Parameters: { Ref: 'Any' } }] },
    },
  }),
  logsOf('what is typed in a task', 'AWS::ECS::Cluster', {
    Configuration: { ExecuteCommandConfiguration: { LogConfiguration: { S3BucketName: 'somewhere' } } },
  }),
  logsOf("the mesh's log driver", 'AWS::ECS::Service', {
    ServiceConnectConfiguration: { LogConfiguration: { LogDriver: 'splunk' } },
  }),
  logsOf('findings in logs', 'AWS::Logs::LogGroup', {
    DataProtectionPolicy: { Statement: [{ Operation: { Audit: { FindingsDestination: {} } } }] },
  }),
  logsOf("another address for a task's logs", 'AWS::ECS::TaskDefinition', {
    ContainerDefinitions: [{ LogConfiguration: { Options: { 'awslogs-endpoint': 'https://example.com' } } }],
  }),
  logsOf('access logs by a key that a function makes', BALANCER, {
    LoadBalancerAttributes: [{ Key: { 'Fn::Select': [0, ['access_logs.s3.bucket']] }, Value: 'somewhere' }],
  }),
  logsOf("a bucket whose name begins with another's", 'AWS::EC2::FlowLog', {
    LogDestination: { 'Fn::Join': ['', ['arn:aws:s3:::', { Ref: 'DataKey2A0DE9E6' }, '-elsewhere']] },
  }),
  logsOf('a destination of the own account that sends on', 'AWS::Logs::SubscriptionFilter', {
    DestinationArn: 'arn:aws:logs:eu-central-1:222222222222:destination:x',
  }),
  logsOf('a web address behind the own event bus', 'AWS::Events::Rule', {
    Targets: [{ Arn: 'arn:aws:events:eu-central-1:222222222222:api-destination/x' }],
  }),
  logsOf('a stream of the own account by its name', 'AWS::WAFv2::LoggingConfiguration', {
    LogDestinationConfigs: ['arn:aws:firehose:eu-central-1:222222222222:deliverystream/x'],
  }),

  entry('a name for somebody else', 'AWS::Route53::RecordSet', { ResourceRecords: ['example.com'] }),
  entry("somebody's distribution", 'AWS::Route53::RecordSet', {
    AliasTarget: { DNSName: 'x.cloudfront.net' },
  }),
  entry('a load balancer open to the internet', BALANCER, { Scheme: 'internet-facing' }),
  entry('a load balancer that does not say', BALANCER, { Scheme: { Ref: 'AWS::NoValue' } }),
  entry('clients sent elsewhere', 'AWS::ElasticLoadBalancingV2::Listener', {
    DefaultActions: [{ Type: 'redirect', RedirectConfig: { Host: 'example.com' } }],
  }),
  entry('requests to an address of elsewhere', 'AWS::ElasticLoadBalancingV2::TargetGroup', {
    Targets: [{ Id: '203.0.113.9' }],
  }),

  network('names for everybody', 'AWS::Route53::HostedZone', { VPCs: undefined }),
  network('a gateway of nobody', 'AWS::EC2::Route', { GatewayId: 'vgw-1' }),
  network('another way out', 'AWS::EC2::Route', { NetworkInterfaceId: 'eni-1' }),
  network('a private line', 'AWS::EC2::VPCGatewayAttachment', { VpnGatewayId: 'vgw-1' }),
  network('addresses of a local zone', 'AWS::EC2::EIP', { NetworkBorderGroup: 'eu-central-1' }),
  network('a network on the premises', 'AWS::EC2::Subnet', {
    OutpostArn: 'arn:aws:outposts:eu-central-1:222222222222:outpost/x',
  }),
  network('everything to anywhere', 'AWS::EC2::SecurityGroupEgress', {
    IpProtocol: '-1',
    CidrIp: '0.0.0.0/0',
  }),
  network('everything to anywhere, in the group', 'AWS::EC2::SecurityGroup', {
    SecurityGroupEgress: [{ IpProtocol: '-1', CidrIpv6: '::/0' }],
  }),
  network('nothing said of what goes out', 'AWS::EC2::SecurityGroup', { SecurityGroupEgress: undefined }),
  network('tasks with public addresses', 'AWS::ECS::Service', {
    NetworkConfiguration: { AwsvpcConfiguration: { AssignPublicIp: 'ENABLED' } },
  }),
  network('a public database', 'AWS::RDS::DBInstance', { PubliclyAccessible: true }),
  network('a database over HTTP', 'AWS::RDS::DBCluster', { EnableHttpEndpoint: true }),
  network("somebody's service by a name like AWS's", 'AWS::EC2::VPCEndpoint', {
    ServiceName: 'com.amazonaws.eu-central-1.vpce-svc-0123',
  }),
  add('Residency-DatabaseCopy', 'exports to any bucket', 'AWS::RDS::DBCluster', { AssociatedRoles: [{}] }),
  subscription('somebody else by e-mail', { Protocol: 'email', Endpoint: 'a@example.com' }),
  add('Residency-Subscription', 'an alarm that runs a function', 'AWS::CloudWatch::Alarm', {
    AlarmActions: ['arn:aws:lambda:eu-central-1:222222222222:function:x'],
  }),
];
