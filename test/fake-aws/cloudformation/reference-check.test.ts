import { describe, expect, it } from 'vitest';
import type { Properties } from '../values.ts';
import { GLOBAL } from '../values.ts';
import { World } from '../world.ts';
import { plainBehaviour } from './harness.ts';
import { missingReference } from './reference-check.ts';

const PLACE = { account: '111111111111', region: 'eu-west-1' };
const ELSEWHERE = { account: '111111111111', region: 'eu-north-1' };
const TYPES = [
  'AWS::EC2::VPC',
  'AWS::EC2::SecurityGroup',
  'AWS::IAM::Role',
  'AWS::KMS::Key',
  'AWS::KMS::ReplicaKey',
  'AWS::SNS::Topic',
  'AWS::EC2::Subnet',
  'AWS::Logs::LogGroup',
];

function sentence(type: string, properties: Properties): string | undefined {
  const world = new World();
  const add = (of: string, id: string, attributes: Properties, place = PLACE): unknown =>
    world.add({ ...place, type: of, id, properties: {}, attributes, stack: null });
  add('AWS::EC2::VPC', 'vpc-1', { DefaultSecurityGroup: 'sg-9' });
  add('AWS::EC2::VPC', 'vpc-2', {}, ELSEWHERE);
  add('AWS::EC2::Subnet', 'subnet-1', {});
  add('AWS::IAM::Role', 'role', { Arn: 'arn:aws:iam::111111111111:role/role' }, { ...PLACE, region: GLOBAL });
  add('AWS::KMS::ReplicaKey', 'mrk-1', { Arn: 'arn:aws:kms:eu-west-1:111111111111:key/mrk-1' });
  add('AWS::Logs::LogGroup', 'aws-waf-logs-1', {
    Arn: 'arn:aws:logs:eu-west-1:111111111111:log-group:aws-waf-logs-1:*',
  });
  add('AWS::SNS::Topic', 'arn:aws:sns:eu-west-1:111111111111:topic', {});
  const behaviours = new Map(TYPES.map((one) => [one, plainBehaviour(one)]));
  return missingReference(type, properties, { world, place: PLACE, behaviours })?.message;
}

describe('what properties name', () => {
  it.each<[string, string, Properties]>([
    ['by id', 'AWS::EC2::Subnet', { VpcId: 'vpc-1' }],
    ['in a list', 'AWS::RDS::DBSubnetGroup', { SubnetIds: ['subnet-1'] }],
    [
      'by an attribute, of the whole account',
      'AWS::EC2::FlowLog',
      { DeliverLogsPermissionArn: 'arn:aws:iam::111111111111:role/role' },
    ],
    [
      'a replica where a key is wanted',
      'AWS::Logs::LogGroup',
      { KmsKeyId: 'arn:aws:kms:eu-west-1:111111111111:key/mrk-1' },
    ],
    [
      'a log group, by its ARN without what is in it',
      'AWS::WAFv2::LoggingConfiguration',
      { LogDestinationConfigs: ['arn:aws:logs:eu-west-1:111111111111:log-group:aws-waf-logs-1'] },
    ],
    [
      'a policy that AWS keeps',
      'AWS::IAM::Role',
      { ManagedPolicyArns: ['arn:aws:iam::aws:policy/ReadOnlyAccess'] },
    ],
    [
      'of a type that is not here',
      'AWS::CloudWatch::Alarm',
      { AlarmActions: ['arn:aws:autoscaling:eu-west-1:1:scalingPolicy:x'] },
    ],
    ['a range of addresses', 'AWS::EC2::SecurityGroupIngress', { CidrIp: '10.0.0.0/8' }],
    ['what is not known yet', 'AWS::EC2::Subnet', { VpcId: '{{changeSet:KNOWN_AFTER_APPLY}}' }],
  ])('is there: %s', (_name, type, properties) => {
    expect(sentence(type, properties)).toBeUndefined();
  });

  it.each<[string, string, Properties, string]>([
    ['in another region', 'AWS::EC2::Subnet', { VpcId: 'vpc-2' }, 'vpc-2'],
    ['nowhere', 'AWS::EC2::Subnet', { VpcId: 'vpc-3' }, 'vpc-3'],
    ['one of a list', 'AWS::RDS::DBSubnetGroup', { SubnetIds: ['subnet-1', 'subnet-2'] }, 'subnet-2'],
    [
      'an ARN of a service that is here',
      'AWS::CloudWatch::Alarm',
      { AlarmActions: ['arn:aws:sns:eu-west-1:111111111111:gone'] },
      'gone',
    ],
  ])('is missing: %s', (_name, type, properties, id) => {
    expect(sentence(type, properties)).toMatch(new RegExp(`'.*${id}' was not found`, 'u'));
  });
});
