import { aws_ec2 as ec2, aws_iam as iam, aws_kms as kms, aws_sns as sns } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import type { AwsRegion } from '../../topology/aws-regions.ts';
import type { ZoneDeployment } from '../../topology/deployment.ts';
import { stackNames } from '../names.ts';
import { RegionStack } from './region-stack.ts';

export interface BaseStackProps {
  readonly zone: ZoneDeployment;
  readonly region: AwsRegion;
}

/** Who talks to whom in a region's network. Rules are made where both sides are known. */
export interface SecurityGroups {
  readonly loadBalancer: ec2.SecurityGroup;
  readonly tasks: ec2.SecurityGroup;
  readonly database: ec2.SecurityGroup;
  readonly cache: ec2.SecurityGroup;
  readonly endpoints: ec2.SecurityGroup;
}

/** What every other stack of a region stands on: its network, its keys, the topic of its alarms, the boundary of its roles. */
export class BaseStack extends RegionStack {
  readonly vpc: ec2.Vpc;
  readonly securityGroups: SecurityGroups;
  /** Encrypts everything at rest in this region. */
  readonly dataKey: kms.Key;
  readonly alarmTopic: sns.Topic;
  /** Every role of the region's stacks is bounded by it. */
  readonly boundary: iam.ManagedPolicy;

  constructor(scope: Construct, props: BaseStackProps) {
    const { zone, region } = props;
    super(scope, {
      zone,
      region,
      stackName: stackNames.base(zone, region),
      description: `Keyhearth zone ${zone.name}: network and keys of ${region}`,
    });
    this.dataKey = new kms.Key(this, 'DataKey', { enableKeyRotation: true });
    this.vpc = new ec2.Vpc(this, 'Vpc', {
      ipAddresses: ec2.IpAddresses.cidr(this.here.addressRange),
      subnetConfiguration: [
        { name: 'Tasks', subnetType: ec2.SubnetType.PRIVATE_ISOLATED, cidrMask: 22 },
        { name: 'Data', subnetType: ec2.SubnetType.PRIVATE_ISOLATED, cidrMask: 24 },
      ],
    });
    const group = (id: string): ec2.SecurityGroup =>
      new ec2.SecurityGroup(this, id, { vpc: this.vpc, allowAllOutbound: false });
    this.securityGroups = {
      loadBalancer: group('LoadBalancerGroup'),
      tasks: group('TasksGroup'),
      database: group('DatabaseGroup'),
      cache: group('CacheGroup'),
      endpoints: group('EndpointsGroup'),
    };
    this.alarmTopic = new sns.Topic(this, 'Alarms', { masterKey: this.dataKey });
    this.boundary = new iam.ManagedPolicy(this, 'Boundary', {
      statements: [new iam.PolicyStatement({ actions: ['*'], resources: ['*'] })],
    });
  }
}
