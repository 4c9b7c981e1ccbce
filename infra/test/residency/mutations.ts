import type { StackFile } from '../../residency/check.ts';
import type { RuleId } from '../../residency/rules.ts';

/** A template that a mutation may change. */
interface Draft extends Omit<StackFile, 'template' | 'assets' | 'stackName' | 'region' | 'account'> {
  stackName: string;
  region: string | undefined;
  account: string | undefined;
  template: Record<string, unknown> & {
    Resources: Record<string, Record<string, unknown>>;
    Parameters: Record<string, unknown>;
    Outputs?: Record<string, unknown>;
  };
  assets: Record<string, Record<string, { destinations: Record<string, Record<string, unknown>> }>>;
}

export interface Mutation {
  readonly rule: RuleId;
  readonly what: string;
  /** The stack whose template it is put into. */
  readonly stack: string;
  readonly mutate: (stack: Draft) => StackFile;
}

const BASE = 'keyhearth-test-eu-base-eu-central-1';
const ZONE = 'keyhearth-test-eu-zone';
const EDGE = 'keyhearth-test-eu-edge';

function change(rule: RuleId, what: string, alter: (stack: Draft) => void, stack: string = BASE): Mutation {
  const mutate = (draft: Draft): StackFile => {
    alter(draft);
    // The tests' own data, in the form of JSON.
    return draft as unknown as StackFile;
  };
  return { rule, what, stack, mutate };
}

/** Puts a resource into the template. */
function add(rule: RuleId, what: string, type: string, properties: object, stack: string = BASE): Mutation {
  return change(
    rule,
    what,
    ({ template }) => {
      template.Resources['Injected'] = { Type: type, Properties: properties };
    },
    stack,
  );
}

/** Puts a text where any may stand. */
function text(rule: RuleId, what: string, value: unknown): Mutation {
  return add(rule, what, 'AWS::EC2::RouteTable', { VpcId: value });
}

function keyPolicy(what: string, principal: unknown): Mutation {
  const statement = { Effect: 'Allow', Principal: principal, Action: 'kms:Decrypt', Resource: '*' };
  return add('Residency-Principal', what, 'AWS::KMS::Key', { KeyPolicy: { Statement: [statement] } });
}

function rolePolicy(rule: RuleId, what: string, statement: object): Mutation {
  return add(rule, what, 'AWS::IAM::ManagedPolicy', { PolicyDocument: { Statement: statement } });
}

const FOREIGN = 'arn:aws:kinesis:us-east-1:222222222222:stream/away';

function output(StackName: string, Region: string, more: object = {}): object {
  return { 'Fn::GetStackOutput': { StackName, Region, OutputName: 'Vpc', ...more } };
}

function dashboard(what: string, namespace: string, region: string): Mutation {
  const widgets = [{ type: 'metric', properties: { region, metrics: [[namespace, 'Requests']] } }];
  return add(
    'Residency-RegionLiteral',
    what,
    'AWS::CloudWatch::Dashboard',
    { DashboardBody: { 'Fn::Join': ['', [JSON.stringify({ widgets })]] } },
    EDGE,
  );
}

function subscription(what: string, properties: object): Mutation {
  return add('Residency-Subscription', what, 'AWS::SNS::Subscription', properties);
}

function refused(type: string): Mutation {
  return add('Residency-ResourceType', type, type, {});
}

export const MUTATIONS: readonly Mutation[] = [
  change('Residency-UnknownStack', 'a stack of no zone', (stack) => (stack.stackName = 'somebody-else')),
  change('Residency-StackRegion', 'a stack in another region', (stack) => (stack.region = 'us-east-1')),
  change('Residency-StackRegion', 'another region of the zone', (stack) => (stack.region = 'eu-west-3')),
  change('Residency-StackRegion', 'no region', (stack) => (stack.region = undefined)),
  change('Residency-StackAccount', 'another account', (stack) => (stack.account = '999999999999')),
  change('Residency-StackAccount', 'no account', (stack) => (stack.account = undefined)),
  change('Residency-AssetDestination', 'an upload to another region', ({ assets }) => {
    const [file] = Object.values(assets['files'] ?? {});
    for (const destination of Object.values(file?.destinations ?? {})) destination['region'] = 'us-east-1';
  }),
  change('Residency-AssetDestination', 'an image in another region', ({ assets }) => {
    assets['dockerImages'] = {
      image: { destinations: { away: { region: 'eu-central-1', repositoryName: 'assets-us-east-1' } } },
    };
  }),

  refused('AWS::QLDB::Ledger'),
  refused('AWS::CloudFront::Distribution'),
  refused('AWS::DynamoDB::GlobalTable'),
  refused('AWS::DynamoDB::Table'),
  refused('AWS::ECR::ReplicationConfiguration'),
  refused('AWS::Backup::BackupPlan'),
  refused('AWS::S3::MultiRegionAccessPoint'),
  refused('AWS::EC2::TransitGatewayPeeringAttachment'),
  refused('AWS::Logs::Destination'),
  refused('AWS::Events::EventBusPolicy'),
  refused('AWS::ElastiCache::GlobalReplicationGroup'),
  add('Residency-CustomCode', 'a custom resource', 'Custom::Away', { ServiceToken: { Ref: 'DataKey' } }),
  add(
    'Residency-CustomCode',
    'a custom resource by its other name',
    'AWS::CloudFormation::CustomResource',
    {},
  ),
  add('Residency-CustomCode', 'a function', 'AWS::Lambda::Function', {}),
  add('Residency-CustomCode', 'a nested template', 'AWS::CloudFormation::Stack', {}),
  change('Residency-CustomCode', 'a macro', ({ template }) => (template['Transform'] = 'AWS::Include')),
  text('Residency-CustomCode', 'a macro inside', { 'Fn::Transform': { Name: 'AWS::Include' } }),

  text('Residency-RegionLiteral', 'a value', 'us-east-1'),
  text('Residency-RegionLiteral', 'an availability zone', 'us-east-1a'),
  text('Residency-RegionLiteral', "an availability zone's identifier", 'use1-az1'),
  text('Residency-RegionLiteral', 'a local zone', 'us-west-2-lax-1a'),
  text('Residency-RegionLiteral', 'a region that does not exist yet', 'eu-northwest-7'),
  text('Residency-RegionLiteral', 'another partition', 'us-gov-west-1'),
  text('Residency-RegionLiteral', 'capitals', 'US-EAST-1'),
  text('Residency-RegionLiteral', 'a host name', 'https://firehose.us-east-1.amazonaws.com'),
  text('Residency-RegionLiteral', 'a region cut in two', { 'Fn::Join': ['-', ['us', 'east', '1']] }),
  text('Residency-RegionLiteral', 'a text with parts put in', {
    'Fn::Sub': ['${a}-east-1', { a: 'us' }],
  }),
  text('Residency-RegionLiteral', 'a function around it', { 'Fn::GetAZs': 'us-east-1' }),
  text('Residency-RegionLiteral', 'one side of a condition', {
    'Fn::If': ['Never', 'us-east-1', { Ref: 'AWS::Region' }],
  }),
  text('Residency-RegionLiteral', 'a key', { 'us-east-1': 'x' }),
  text('Residency-RegionLiteral', 'JSON in a text', JSON.stringify({ region: 'us-east-1' })),
  change('Residency-RegionLiteral', 'a mapping', ({ template }) => {
    template['Mappings'] = { Regions: { 'us-east-1': { value: 'x' } } };
  }),
  change('Residency-RegionLiteral', 'an output', ({ template }) => {
    template.Outputs = { ...template.Outputs, Injected: { Value: 'us-east-1' } };
  }),
  dashboard('metrics of another region', 'AWS/ECS', 'us-west-2'),
  dashboard(
    "the accelerator's metrics, elsewhere than in their one region",
    'AWS/GlobalAccelerator',
    'us-east-1',
  ),
  text('Residency-GlobalEndpoint', 'an address without a region', 'https://sts.amazonaws.com/x'),
  text('Residency-ArnRegion', 'another region', 'arn:aws:sns:us-east-1:222222222222:topic'),
  text('Residency-ArnRegion', 'another region, joined', {
    'Fn::Join': [
      '',
      ['arn:', { Ref: 'AWS::Partition' }, ':sns:us-east-1:', { Ref: 'AWS::AccountId' }, ':topic'],
    ],
  }),
  rolePolicy('Residency-ArnRegion', 'any region', {
    Effect: 'Allow',
    Action: 'sns:Publish',
    Resource: 'arn:aws:sns:*:222222222222:topic',
  }),
  text('Residency-ArnAccount', 'another account', 'arn:aws:sns:eu-central-1:999999999999:topic'),
  rolePolicy('Residency-ArnAccount', 'any account', {
    Effect: 'Allow',
    Action: 'sns:Publish',
    Resource: 'arn:aws:sns:eu-central-1:*:topic',
  }),
  text('Residency-AccountLiteral', 'a registry', '999999999999.dkr.ecr.eu-central-1.amazonaws.com/x'),
  change('Residency-Parameter', 'the endpoint of the database, in another template', ({ template }) => {
    template.Parameters['WriterEndpoint'] = { Type: 'String', AllowedPattern: '[a-z.]*' };
  }),
  text('Residency-Parameter', 'a text that is looked up later', '{{resolve:ssm:where}}'),
  change('Residency-Parameter', 'a text that is given later', ({ template }) => {
    template.Parameters['Injected'] = { Type: 'String' };
  }),

  text('Residency-StackOutput', 'another zone', output('keyhearth-test-us-base-us-east-1', 'us-east-1')),
  text('Residency-StackOutput', 'another region', output('keyhearth-test-eu-base-eu-west-3', 'us-east-1')),
  text('Residency-StackOutput', 'a stack that nobody knows', output('other', 'eu-central-1')),
  text('Residency-StackOutput', 'another role', output(ZONE, 'eu-central-1', { RoleArn: { Ref: 'Role' } })),
  text('Residency-StackOutput', 'inside a joined text', {
    'Fn::Join': ['', ['x', output('other', 'eu-central-1')]],
  }),
  text('Residency-SharedExport', 'an import', { 'Fn::ImportValue': 'other:Vpc' }),
  change('Residency-SharedExport', 'an export', ({ template }) => {
    template.Outputs = { ...template.Outputs, Injected: { Value: 'x', Export: { Name: 'x' } } };
  }),

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
  subscription('a topic elsewhere', { Protocol: 'email', Endpoint: 'a@example.com', Region: 'us-east-1' }),
  add('Residency-RoleBoundary', 'no boundary', 'AWS::IAM::Role', {
    AssumeRolePolicyDocument: { Statement: [] },
  }),
  add('Residency-RoleBoundary', "another region's boundary", 'AWS::IAM::Role', {
    PermissionsBoundary: output('keyhearth-test-eu-base-eu-west-3', 'eu-west-3'),
  }),
];
