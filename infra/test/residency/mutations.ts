import {
  ZONE,
  DATA,
  EDGE,
  add,
  change,
  dashboard,
  output,
  refused,
  rolePolicy,
  text,
  type Mutation,
} from './mutation.ts';
import { PROPERTY_MUTATIONS } from './property-mutations.ts';

/** A reference to something of the stack that mutations are put into. */
const OWN = { 'Fn::GetAtt': ['DataKey2A0DE9E6', 'Arn'] };

export const MUTATIONS: readonly Mutation[] = [
  ...PROPERTY_MUTATIONS,
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
    template.Outputs = { ...template.Outputs, Injected: { Value: OWN, Description: 'us-east-1' } };
  }),
  dashboard('metrics of another region', 'AWS/ECS', 'us-west-2'),
  dashboard(
    "the accelerator's metrics, elsewhere than in their one region",
    'AWS/GlobalAccelerator',
    'us-east-1',
  ),
  add(
    'Residency-RegionLiteral',
    "a log in the region of the accelerator's metrics",
    'AWS::CloudWatch::Dashboard',
    {
      DashboardBody: JSON.stringify({
        widgets: [
          { properties: { region: 'us-west-2', metrics: [['AWS/GlobalAccelerator']], query: 'SOURCE x' } },
        ],
      }),
    },
    EDGE,
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
    template.Outputs = { ...template.Outputs, Injected: { Value: OWN, Export: { Name: 'x' } } };
  }),

  change('Residency-AssetDestination', 'a bucket of another name', ({ assets }) => {
    const [file] = Object.values(assets['files'] ?? {});
    for (const destination of Object.values(file?.destinations ?? {}))
      destination['bucketName'] = 'somewhere';
  }),
  change('Residency-ArnAccount', "another account's role deploys the stack", ({ manifest }) => {
    manifest['properties'] = {
      ...manifest['properties'],
      assumeRoleArn: 'arn:${AWS::Partition}:iam::999999999999:role/deploy',
    };
  }),
  change('Residency-ArnAccount', "CloudFormation takes on another account's role", ({ manifest }) => {
    manifest['properties'] = {
      ...manifest['properties'],
      cloudFormationExecutionRoleArn: 'arn:aws:iam::999999999999:role/execute',
    };
  }),
  change('Residency-Subscription', 'CloudFormation tells somebody', ({ manifest }) => {
    manifest['properties'] = {
      ...manifest['properties'],
      notificationArns: ['arn:aws:sns:eu-central-1:222222222222:topic'],
    };
  }),
  change('Residency-RegionLiteral', 'a tag of the whole stack', ({ manifest }) => {
    manifest['properties'] = { ...manifest['properties'], tags: { copy: 'us-east-1' } };
  }),
  change('Residency-CustomCode', 'a hook', ({ template }) => {
    template['Hooks'] = { Away: { Type: 'AWS::CodeDeploy::BlueGreen' } };
  }),
  change('Residency-CustomCode', 'resources made in a loop', ({ template }) => {
    // A loop is no resource, so it isn't of the type of one.
    (template.Resources as Record<string, unknown>)['Fn::ForEach::Many'] = ['Name', ['a'], {}];
  }),

  text('Residency-RegionLiteral', "a local zone of the zone's own region", 'eu-central-1-ham-1a'),
  text('Residency-RegionLiteral', "a wavelength zone of the zone's own region", 'eu-central-1-wl1-ber-wlz-1'),
  text('Residency-RegionLiteral', "a local zone's identifier", 'euc1-ham1-az1'),
  text('Residency-RegionLiteral', 'JSON in a text, a list', JSON.stringify(['us-east-1'])),
  text('Residency-RegionLiteral', 'JSON with letters by their numbers', '["us\\u002deast-1"]'),
  text('Residency-RegionLiteral', 'JSON behind a blank', '\n {"region":"us\\u002deast-1"}'),
  text('Residency-RegionLiteral', 'JSON that a reference keeps from being read', {
    'Fn::Join': ['', ['{"region":"us\\u002deast-1","size":', OWN, '}']],
  }),
  text('Residency-RegionLiteral', 'a region picked from a list', {
    'Fn::Join': ['-', [{ 'Fn::Select': [0, ['us', 'eu']] }, 'east', '1']],
  }),
  text('Residency-RegionLiteral', 'a region split and joined', {
    'Fn::Join': ['-', { 'Fn::Split': ['_', 'us_east_1'] }],
  }),
  text('Residency-RegionLiteral', 'a part that a condition decides', {
    'Fn::Join': ['-', [{ 'Fn::If': ['Never', 'us', 'eu'] }, 'central-1']],
  }),
  text('Residency-RegionLiteral', 'a part by a function', {
    'Fn::Sub': ['${a}-east-1', { a: { 'Fn::Select': [1, ['eu', 'us']] } }],
  }),
  text('Residency-RegionLiteral', 'a part that nobody knows', {
    'Fn::Join': ['-', [{ Ref: 'Where' }, 'east-1']],
  }),
  text('Residency-RegionLiteral', 'a number that nobody knows', { 'Fn::Sub': 'us-east-${Which}' }),
  change('Residency-RegionLiteral', 'parts in a mapping', ({ template }) => {
    template['Mappings'] = { Parts: { One: { a: 'us', b: 'east', c: '1' } } };
    const part = (key: string): object => ({ 'Fn::FindInMap': ['Parts', 'One', key] });
    template.Resources['Injected'] = {
      Type: 'AWS::EC2::RouteTable',
      Properties: { VpcId: { 'Fn::Join': ['-', [part('a'), part('b'), part('c')]] } },
    };
  }),
  change('Residency-RegionLiteral', 'a part that is the one choice of a parameter', ({ template }) => {
    template.Parameters['Injected'] = { Type: 'String', AllowedValues: ['us'] };
    template.Resources['Injected'] = {
      Type: 'AWS::EC2::RouteTable',
      Properties: { VpcId: { 'Fn::Sub': '${Injected}-east-1' } },
    };
  }),
  text('Residency-ArnRegion', 'a region that nobody knows', {
    'Fn::Join': ['', ['arn:aws:sns:', { Ref: 'Where' }, ':222222222222:topic']],
  }),
  text('Residency-ArnRegion', 'wildcards beside a Deny that is in no policy', {
    Effect: 'Deny',
    Topic: 'arn:aws:sns:*:222222222222:topic',
  }),
  text('Residency-ArnAccount', 'an account that nobody knows', {
    'Fn::Sub': 'arn:aws:sns:eu-central-1:${Whose}:topic',
  }),
  text('Residency-AccountLiteral', 'a registry cut in two', {
    'Fn::Join': ['', [{ 'Fn::Select': [0, ['999999']] }, '999999.dkr.ecr.eu-central-1.amazonaws.com/x']],
  }),
  text('Residency-AccountLiteral', 'an account by the name of its member', { AccountId: '999999999999' }),
  text('Residency-GlobalEndpoint', 'another scheme, with a user', 'wss://somebody@sts.amazonaws.com'),
  text(
    'Residency-Parameter',
    "a secret that isn't the database's",
    '{{resolve:secretsmanager:other:SecretString:host}}',
  ),
  text('Residency-Parameter', 'what is looked up later, joined', {
    'Fn::Join': ['', ['{{resolve:', 'ssm-secure:where}}']],
  }),
  text('Residency-Parameter', "the version of the CDK's own stack, read as a text", {
    Ref: 'BootstrapVersion',
  }),
  change('Residency-Parameter', 'a parameter of Systems Manager with one allowed value', ({ template }) => {
    template.Parameters['Injected'] = {
      Type: 'AWS::SSM::Parameter::Value<String>',
      Default: '/cdk-bootstrap/x/version',
      AllowedValues: ['/cdk-bootstrap/x/version'],
    };
  }),
  change('Residency-Parameter', 'a number', ({ template }) => {
    template.Parameters['Injected'] = { Type: 'Number', Default: 1 };
  }),
  change('Residency-Parameter', 'a choice', ({ template }) => {
    template.Parameters['Injected'] = { Type: 'String', AllowedValues: ['a', 'b'] };
  }),
  change(
    'Residency-Parameter',
    'the endpoint of any database',
    ({ template }) => {
      template.Parameters['WriterEndpoint'] = { Type: 'String', AllowedPattern: '.*' };
    },
    DATA,
  ),
  text('Residency-StackOutput', 'a region that a condition decides', {
    'Fn::GetStackOutput': {
      StackName: ZONE,
      OutputName: 'Vpc',
      Region: { 'Fn::If': ['Never', 'eu-west-3', 'eu-central-1'] },
    },
  }),
  change('Residency-StackOutput', 'a name that readers would take for a reference', ({ template }) => {
    template.Outputs = { ...template.Outputs, Injected: { Value: 'arn:aws:s3:::somewhere' } };
  }),
];
