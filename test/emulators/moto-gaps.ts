import type { Difference, Gap, Undestroyable } from './emulators.ts';
import { anyVpc } from './inspect.ts';
import { KEPT_LOG_GROUP } from './probe.ts';

const VPC = { Type: 'AWS::EC2::VPC', Properties: { CidrBlock: '10.1.0.0/16' } };

const KEY_POLICY = {
  Version: '2012-10-17',
  Statement: [
    {
      Effect: 'Allow',
      Principal: { AWS: { 'Fn::Sub': 'arn:aws:iam::${AWS::AccountId}:root' } },
      Action: 'kms:*',
      Resource: '*',
    },
  ],
};

/** What moto 5.2.5 makes otherwise than CloudFormation. */
export const MOTO_GAPS: readonly Gap[] = [
  {
    type: 'AWS::KMS::Key',
    property: 'Tags',
    reason:
      'reads tags of a key as KMS has them (TagKey), not as CloudFormation has them (Key), and answers 500',
    probe: {
      template: {
        Resources: {
          Key: {
            Type: 'AWS::KMS::Key',
            Properties: { KeyPolicy: KEY_POLICY, Tags: [{ Key: 'a', Value: 'b' }] },
          },
        },
      },
    },
  },
  {
    type: 'AWS::EC2::VPCPeeringConnection',
    reason: 'looks for the peer in the stack’s own region, whatever PeerRegion says',
    probe: {
      template: async (caller) => ({
        Resources: {
          Vpc: VPC,
          Connection: {
            Type: 'AWS::EC2::VPCPeeringConnection',
            Properties: {
              VpcId: { Ref: 'Vpc' },
              PeerVpcId: await anyVpc({ ...caller, region: 'eu-west-2' }),
              PeerRegion: 'eu-west-2',
            },
          },
        },
      }),
    },
  },
  {
    type: 'AWS::EC2::Route',
    has: 'VpcPeeringConnectionId',
    follows: 'AWS::EC2::VPCPeeringConnection',
    reason: 'goes through a peering connection, which is left out',
  },
  {
    type: 'AWS::RDS::DBInstance',
    has: 'DBClusterIdentifier',
    follows: 'AWS::RDS::DBCluster',
    reason: 'is one of a cluster, which is left out; alone, it fails for want of an engine version',
  },
  {
    type: 'AWS::Route53::HostedZone',
    reference: { from: 'Id', to: 'Ref' },
    reason: 'doesn’t know the attribute, and drops silently what refers to it',
    probe: {
      template: {
        Resources: { Zone: { Type: 'AWS::Route53::HostedZone', Properties: { Name: 'probe.example.com.' } } },
        Outputs: { Probe: { Value: { 'Fn::GetAtt': ['Zone', 'Id'] } } },
      },
      output: /^\w+$/,
    },
  },
  {
    type: '*',
    deletionPolicy: { from: 'RetainExceptOnCreate', to: 'Retain' },
    reason: 'deletes what the policy is to keep',
    probe: KEPT_LOG_GROUP,
  },
];

const UNREADABLE = 'DescribeKey answers 500 for a key that CloudFormation made';

export const MOTO_DIFFERENCES: readonly Difference[] = [
  { type: 'AWS::KMS::Key', fact: 'Description', reason: UNREADABLE },
  { type: 'AWS::KMS::Key', fact: 'KeyState', reason: UNREADABLE },
  { type: 'AWS::KMS::Key', fact: 'MultiRegion', reason: UNREADABLE },
  { type: 'AWS::ECS::Service', fact: 'LaunchType', reason: 'CloudFormation’s services are all of type EC2' },
  {
    type: 'AWS::ECS::Service',
    fact: 'ContainerPort',
    reason: 'CloudFormation’s services have no load balancer',
  },
  {
    type: 'AWS::ECS::Service',
    fact: 'deletion',
    reason: 'a service is still active when its stack and its cluster are deleted',
  },
];

export const MOTO_UNDESTROYABLE: Undestroyable = {
  part: '-base-',
  reason: 'doesn’t delete route tables, and then refuses to delete their VPC',
  probe: {
    template: {
      Resources: {
        Vpc: VPC,
        Table: { Type: 'AWS::EC2::RouteTable', Properties: { VpcId: { Ref: 'Vpc' } } },
      },
    },
    isDeletable: true,
  },
};
