import { describe, expect, it } from 'vitest';
import type { Properties } from '../values.ts';
import { UNKNOWN } from './intrinsics.ts';
import { checkProperties } from './property-check.ts';

function sentences(type: string, properties: Properties): readonly string[] {
  return checkProperties(type, properties, 'eu-west-1').map(({ path, message }) => `${path}: ${message}`);
}

describe('values of properties', () => {
  it('are as AWS wants them', () => {
    expect(sentences('AWS::SNS::Topic', { TopicName: 'alarms', DisplayName: 'Alarms' })).toEqual([]);
  });

  it.each<[string, string, Properties, RegExp]>([
    [
      'a name over its length',
      'AWS::SNS::Topic',
      { TopicName: 'x'.repeat(257) },
      /^\/TopicName: length 257 exceeds maximum 256$/u,
    ],
    [
      'a property that there is none of',
      'AWS::SNS::Topic',
      { Colour: 'red' },
      /^\/Colour: .*'Colour' was unexpected/u,
    ],
    ['a missing one', 'AWS::EC2::Subnet', { CidrBlock: '10.0.0.0/24' }, /'VpcId' is a required property/u],
    [
      'a wrong type',
      'AWS::ElasticLoadBalancingV2::TargetGroup',
      { Port: 'http' },
      /^\/Port: 'http' is not of type 'integer'/u,
    ],
    [
      'a wrong form',
      'AWS::RDS::DBCluster',
      { DBClusterIdentifier: '1a' },
      /^\/DBClusterIdentifier: '1a' does not match pattern/u,
    ],
    [
      'a value out of range',
      'AWS::RDS::DBCluster',
      { BackupRetentionPeriod: 99 },
      /^\/BackupRetentionPeriod: 99 is greater than the maximum of 35/u,
    ],
    [
      "a value that isn't listed",
      'AWS::ECS::Service',
      { LaunchType: 'FARGAT' },
      /^\/LaunchType: 'FARGAT' is not one of \['EC2', 'FARGATE', 'EXTERNAL'/u,
    ],
    [
      "a value deep within that isn't listed",
      'AWS::S3::Bucket',
      { OwnershipControls: { Rules: [{ ObjectOwnership: 'Nobody' }] } },
      /^\/OwnershipControls\/Rules\/0\/ObjectOwnership: 'Nobody' is not one of/u,
    ],
  ])('refuses %s', (_name, type, properties, sentence) => {
    expect(sentences(type, properties)).toContainEqual(expect.stringMatching(sentence));
  });

  it('leaves alone what is only better done otherwise', () => {
    const properties = { VpcId: 'vpc-12345678', CidrBlock: '10.0.0.0/24', AvailabilityZone: 'eu-west-1a' };
    expect(sentences('AWS::EC2::Subnet', properties)).toEqual([]);
  });

  it('leaves alone what is not known yet', () => {
    expect(sentences('AWS::ECS::Service', { LaunchType: UNKNOWN })).toEqual([]);
    expect(sentences('AWS::RDS::DBCluster', { DBClusterIdentifier: UNKNOWN })).toEqual([]);
  });
});
