import { Match, type Template } from 'aws-cdk-lib/assertions';
import { expect, test } from 'vitest';
import type { AwsRegion } from '../../topology/aws-regions.ts';
import type { Zone } from '../../topology/types.ts';
import { expectAll, expectCount, expectResource } from '../test/expect-template.ts';
import { deployment, templateOf, testApp } from '../test/zones.ts';
import { BaseStack } from './base-stack.ts';

function basesOf(zone: Partial<Zone> = {}): ReadonlyMap<AwsRegion, BaseStack> {
  const app = testApp();
  const deployed = deployment(zone);
  return new Map(
    deployed.regions.map(({ region }) => [region, new BaseStack(app, { zone: deployed, region })]),
  );
}

function base(region: AwsRegion, zone: Partial<Zone> = {}): BaseStack {
  const found = basesOf(zone).get(region);
  if (found === undefined) throw new Error(`no base in ${region}`);
  return found;
}

function template(region: AwsRegion, zone: Partial<Zone> = {}): Template {
  return templateOf(base(region, zone));
}

test('a base’s template is the same whatever other regions the zone has', () => {
  for (const [region, few, many] of [
    ['eu-central-1', [], ['eu-west-3', 'eu-north-1']],
    ['eu-west-3', ['eu-west-3'], ['eu-north-1', 'eu-west-3', 'eu-south-1']],
  ] as const) {
    expect(template(region, { replicas: many }).toJSON()).toEqual(
      template(region, { replicas: few }).toJSON(),
    );
  }
});

test('the data key serves this account’s log groups, alarms and tasks of this region, and no other service', () => {
  const [key] = Object.values(template('eu-west-3').findResources('AWS::KMS::Key'));
  expect(key?.['Properties']).toMatchObject({ EnableKeyRotation: true });
  expect(key?.['Properties']).not.toHaveProperty('MultiRegion');
  const statements: readonly Record<string, never>[] = key?.['Properties'].KeyPolicy.Statement;
  const account = '222222222222';
  expect(statements.map(({ Principal, Condition }) => [Principal, Condition])).toEqual([
    [{ AWS: `arn:aws:iam::${account}:root` }, undefined],
    [
      { Service: 'logs.eu-west-3.amazonaws.com' },
      {
        ArnLike: {
          'kms:EncryptionContext:aws:logs:arn': `arn:aws:logs:eu-west-3:${account}:log-group:*`,
        },
      },
    ],
    [
      { Service: 'cloudwatch.amazonaws.com' },
      { ArnLike: { 'kms:EncryptionContext:aws:sns:topicArn': `arn:aws:sns:eu-west-3:${account}:*` } },
    ],
    [
      { Service: 'fargate.amazonaws.com' },
      { StringEquals: { 'kms:EncryptionContext:aws:ecs:clusterAccount': account } },
    ],
    [
      { Service: 'fargate.amazonaws.com' },
      {
        StringEquals: { 'kms:EncryptionContext:aws:ecs:clusterAccount': account },
        'ForAllValues:StringEquals': { 'kms:GrantOperations': ['Decrypt'] },
      },
    ],
  ]);
});

test('the key for recoverable keys is made in the origin, and copied to every other region', () => {
  const bases = basesOf();
  const [origin, replica] = [bases.get('eu-central-1'), bases.get('eu-west-3')];
  if (origin === undefined || replica === undefined) throw new Error('a region has no base');
  expectResource(templateOf(origin), 'AWS::KMS::Key', { MultiRegion: true, EnableKeyRotation: true });
  expectResource(templateOf(replica), 'AWS::KMS::ReplicaKey', {
    PrimaryKeyArn: {
      'Fn::GetStackOutput': {
        StackName: origin.stackName,
        Region: 'eu-central-1',
        OutputName: 'RecoverableKeyArn',
      },
    },
  });
  templateOf(replica).resourcePropertiesCountIs('AWS::KMS::Key', { MultiRegion: true }, 0);
  expect(replica.dependencies).toContain(origin);
});

test('a zone of one region has a key that later regions can copy: what it is can’t be changed afterwards', () => {
  expectResource(template('eu-central-1', { replicas: [] }), 'AWS::KMS::Key', { MultiRegion: true });
});

test.each([
  [true, { DeletionPolicy: 'RetainExceptOnCreate', UpdateReplacePolicy: 'Retain' }],
  [false, { DeletionPolicy: 'Delete', UpdateReplacePolicy: 'Delete' }],
] as const)(
  'deletion protection %s: keys and flow logs get the policies %o',
  (deletionProtection, expected) => {
    for (const [region, types] of [
      ['eu-central-1', ['KMS::Key', 'Logs::LogGroup']],
      ['eu-west-3', ['KMS::Key', 'KMS::ReplicaKey', 'Logs::LogGroup']],
    ] as const) {
      const made = template(region, { deletionProtection });
      for (const type of types) expectAll(made, `AWS::${type}`, expected);
    }
  },
);

test('the address range and the first two availability zones are remembered; a third one may be added, not changed', () => {
  const parameters = (letters: string): Record<string, unknown> => {
    const availabilityZones = { 'eu-west-3': Array.from(letters, (letter) => `eu-west-3${letter}`) };
    return template('eu-west-3', { availabilityZones }).toJSON()['Parameters'];
  };
  const remembered = (value: string): unknown =>
    expect.objectContaining({ Default: value, AllowedValues: [value] });
  expect(parameters('abc')).toMatchObject({
    AddressRange: remembered(deployment().regions[1]?.addressRange ?? ''),
    FirstZones: remembered('eu-west-3a eu-west-3b'),
    ThirdZone: remembered('eu-west-3c'),
  });
  expect(parameters('ab')).toMatchObject({ FirstZones: remembered('eu-west-3a eu-west-3b') });
  expect(parameters('ab')).not.toHaveProperty('ThirdZone');
});

test('flow logs are encrypted and kept as long as the zone says', () => {
  expectResource(template('eu-west-3', { retention: { logDays: 90 } }), 'AWS::Logs::LogGroup', {
    RetentionInDays: 90,
    KmsKeyId: { 'Fn::GetAtt': [Match.stringLikeRegexp('^DataKey'), 'Arn'] },
  });
});

test('the alarm topic is encrypted, refuses plain HTTP, and takes alarms of this account and region only', () => {
  const made = template('eu-west-3');
  expectResource(made, 'AWS::SNS::Topic', {
    KmsMasterKeyId: { 'Fn::GetAtt': [Match.stringLikeRegexp('^DataKey'), 'Arn'] },
  });
  expectResource(made, 'AWS::SNS::TopicPolicy', {
    PolicyDocument: {
      Statement: [
        Match.objectLike({ Effect: 'Deny', Condition: { Bool: { 'aws:SecureTransport': 'false' } } }),
        Match.objectLike({
          Effect: 'Allow',
          Principal: { Service: 'cloudwatch.amazonaws.com' },
          Action: 'sns:Publish',
          Condition: {
            StringEquals: { 'aws:SourceAccount': '222222222222' },
            ArnLike: { 'aws:SourceArn': 'arn:aws:cloudwatch:eu-west-3:222222222222:alarm:*' },
          },
        }),
      ],
    },
  });
});

test('alarms are mailed where the zone names an address', () => {
  expectCount(template('eu-west-3'), 'AWS::SNS::Subscription', 0);
  expectResource(
    template('eu-west-3', { alarms: { email: 'oncall@example.com' } }),
    'AWS::SNS::Subscription',
    { Protocol: 'email', Endpoint: 'oncall@example.com' },
  );
});

test('every role is bounded by the region’s boundary, and is made after it', () => {
  const made = template('eu-west-3');
  const [boundary] = Object.keys(made.findResources('AWS::IAM::ManagedPolicy'));
  expectResource(made, 'AWS::IAM::ManagedPolicy', {
    ManagedPolicyName: 'keyhearth-test-eu-boundary-eu-west-3',
  });
  const roles = Object.values(made.findResources('AWS::IAM::Role'));
  expect(roles).not.toEqual([]);
  for (const role of roles) {
    expect(role['Properties'].PermissionsBoundary).toBe(
      'arn:aws:iam::222222222222:policy/keyhearth-test-eu-boundary-eu-west-3',
    );
    expect(role['DependsOn']).toContain(boundary);
  }
});

test('endpoints answer by the services’ own names, and serve the zone’s account only', () => {
  const endpoints = Object.values(template('eu-west-3').findResources('AWS::EC2::VPCEndpoint')).map(
    ({ Properties }) => Properties,
  );
  expect(endpoints).toHaveLength(7);
  for (const { VpcEndpointType, PrivateDnsEnabled, PolicyDocument } of endpoints) {
    if (VpcEndpointType === 'Interface') expect(PrivateDnsEnabled).toBe(true);
    const [own, ...others] = PolicyDocument.Statement;
    expect(own.Condition).toEqual({
      StringEquals: { 'aws:PrincipalAccount': '222222222222', 'aws:ResourceAccount': '222222222222' },
    });
    // ECR's own bucket of layers, behind S3's endpoint.
    expect(others).toEqual(
      VpcEndpointType === 'Interface'
        ? []
        : [
            expect.objectContaining({
              Action: 's3:GetObject',
              Resource: 'arn:aws:s3:::prod-eu-west-3-starport-layer-bucket/*',
            }),
          ],
    );
  }
});

test('scripts find network and topic by the outputs that names.ts lists', () => {
  const outputs = template('eu-west-3').toJSON()['Outputs'];
  expect(outputs.VpcId.Value).toEqual({ Ref: expect.stringMatching(/^NetworkVpc/) });
  expect(outputs.AlarmTopicArn.Value).toEqual({ Ref: expect.stringMatching(/^AlarmsTopic/) });
});
