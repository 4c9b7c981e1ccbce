import {
  absent,
  exactly,
  having,
  notEverywhere,
  oneOf,
  only,
  ownAccount,
  ownAddress,
  ownAwsService,
  ownReference,
  regionOfZone,
} from './demands.ts';
import { nothing, rows, whole, type PropertyRule } from './property-rule.ts';

const BALANCER = 'AWS::ElasticLoadBalancingV2::LoadBalancer';

/** What connects networks, gives names to addresses and lets requests in. */
export const NETWORK_RULES: readonly PropertyRule[] = [
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
  ...whole(
    'Residency-Network',
    'AWS::EC2::Route',
    only(
      /(?:Id|Arn|Target)$/,
      'RouteTableId',
      'DestinationPrefixListId',
      'GatewayId',
      'NatGatewayId',
      'VpcPeeringConnectionId',
    ),
  ),
  ...rows('Residency-Network', 'AWS::EC2::Route', [
    ['GatewayId', ownReference],
    ['NatGatewayId', ownReference],
    ['VpcPeeringConnectionId', ownReference],
  ]),
  ...nothing('Residency-Network', 'AWS::EC2::VPCGatewayAttachment', 'VpnGatewayId'),
  ...rows('Residency-Network', 'AWS::EC2::VPCGatewayAttachment', [['InternetGatewayId', ownReference]]),
  ...nothing('Residency-Network', 'AWS::EC2::Subnet', 'OutpostArn'),
  ...nothing('Residency-Network', 'AWS::EC2::EIP', 'NetworkBorderGroup', 'InstanceId'),
  // One without rules for what goes out lets everything out.
  ...whole('Residency-Network', 'AWS::EC2::SecurityGroup', having('SecurityGroupEgress')),
  ...rows('Residency-Network', 'AWS::EC2::SecurityGroup', [['SecurityGroupEgress/*', notEverywhere]], false),
  ...whole('Residency-Network', 'AWS::EC2::SecurityGroupEgress', notEverywhere),
  ...nothing('Residency-Network', 'AWS::EC2::SecurityGroupEgress', 'DestinationPrefixListId'),
  ...nothing('Residency-Network', 'AWS::EC2::SecurityGroup', 'SecurityGroupEgress/*/DestinationPrefixListId'),
  ...rows('Residency-Network', 'AWS::EC2::SecurityGroupIngress', [
    ['SourceSecurityGroupOwnerId', ownAccount],
  ]),
  ...whole('Residency-Network', 'AWS::Route53::HostedZone', having('VPCs')),
  ...rows('Residency-Network', 'AWS::Route53::HostedZone', [
    ['VPCs/*/VPCRegion', regionOfZone],
    ['VPCs/*/VPCId', ownReference],
    ['QueryLoggingConfig', absent],
    ['HostedZoneFeatures', absent],
  ]),
  ...rows('Residency-Network', 'AWS::ECS::Service', [
    ['NetworkConfiguration/AwsvpcConfiguration/AssignPublicIp', oneOf('DISABLED')],
    ['VpcLatticeConfigurations', absent],
  ]),
  ...rows('Residency-EntryPoint', 'AWS::Route53::RecordSet', [
    ['AliasTarget/DNSName', ownAddress],
    ['ResourceRecords', absent],
    ['Region', absent],
  ]),
  ...whole('Residency-EntryPoint', BALANCER, exactly({ Scheme: 'internal' })),
  ...rows('Residency-EntryPoint', 'AWS::ElasticLoadBalancingV2::Listener', [
    ['DefaultActions/*/Type', oneOf('forward', 'fixed-response')],
  ]),
  ...rows('Residency-EntryPoint', 'AWS::ElasticLoadBalancingV2::ListenerRule', [
    ['Actions/*/Type', oneOf('forward', 'fixed-response')],
  ]),
  ...rows('Residency-EntryPoint', 'AWS::ElasticLoadBalancingV2::TargetGroup', [
    ['TargetType', oneOf('ip')],
    ['Targets', absent],
  ]),
  ...rows('Residency-EntryPoint', 'AWS::WAFv2::WebACL', [['Scope', oneOf('REGIONAL')]]),
  ...rows('Residency-EntryPoint', 'AWS::WAFv2::IPSet', [['Scope', oneOf('REGIONAL')]]),
  ...rows('Residency-EntryPoint', 'AWS::GlobalAccelerator::EndpointGroup', [
    ['EndpointGroupRegion', regionOfZone],
    ['EndpointConfigurations/*/EndpointId', ownReference],
    ['EndpointConfigurations/*/AttachmentArn', absent],
    ['ListenerArn', ownReference],
  ]),
  ...rows('Residency-EntryPoint', 'AWS::GlobalAccelerator::Listener', [['AcceleratorArn', ownReference]]),
];
