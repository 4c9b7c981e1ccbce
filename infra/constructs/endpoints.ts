import { aws_ec2 as ec2, aws_iam as iam } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import type { AwsRegion } from '../../topology/aws-regions.ts';

export interface EndpointsProps {
  readonly vpc: ec2.Vpc;
  readonly subnets: readonly ec2.ISubnet[];
  readonly securityGroup: ec2.ISecurityGroup;
  readonly account: string;
  readonly region: AwsRegion;
  /** Whether tasks write events to Firehose. */
  readonly firehose: boolean;
}

const SERVICES: Readonly<Record<string, ec2.InterfaceVpcEndpointAwsService>> = {
  EcrApi: ec2.InterfaceVpcEndpointAwsService.ECR,
  EcrDocker: ec2.InterfaceVpcEndpointAwsService.ECR_DOCKER,
  Kms: ec2.InterfaceVpcEndpointAwsService.KMS,
  Logs: ec2.InterfaceVpcEndpointAwsService.CLOUDWATCH_LOGS,
  SecretsManager: ec2.InterfaceVpcEndpointAwsService.SECRETS_MANAGER,
};

/**
 * How tasks reach AWS without a way to the internet. The list is what a Fargate task needs to start (image, secrets, logs) and what
 * the service calls (Firehose; KMS, for the texts of recoverable keys). Not on it: ECS itself, whose agent has a network of its own on
 * Fargate; STS, for a task's credentials come from the agent, and database tokens are signed on the spot.
 *
 * Every endpoint serves the zone's account only, in both senses: callers of it and resources in it. So stolen credentials of another
 * account can't carry data out from here.
 */
export class Endpoints extends Construct {
  constructor(scope: Construct, id: string, props: EndpointsProps) {
    super(scope, id);
    const { vpc, subnets, securityGroup, account, region, firehose } = props;
    const services = firehose
      ? { ...SERVICES, Firehose: ec2.InterfaceVpcEndpointAwsService.KINESIS_FIREHOSE }
      : SERVICES;
    for (const [name, service] of Object.entries(services)) {
      new ec2.InterfaceVpcEndpoint(this, name, {
        vpc,
        service,
        subnets: { subnets: [...subnets] },
        securityGroups: [securityGroup],
        privateDnsEnabled: true,
        // The group's rules are made with the group.
        open: false,
      }).addToPolicy(ownAccount(account));
    }
    const s3 = vpc.addGatewayEndpoint('S3', {
      service: ec2.GatewayVpcEndpointAwsService.S3,
      subnets: [{ subnets: [...subnets] }],
    });
    s3.addToPolicy(ownAccount(account));
    s3.addToPolicy(imageLayers(region));
  }
}

function ownAccount(account: string): iam.PolicyStatement {
  return new iam.PolicyStatement({
    sid: 'OwnAccount',
    principals: [new iam.AnyPrincipal()],
    actions: ['*'],
    resources: ['*'],
    conditions: { StringEquals: { 'aws:PrincipalAccount': account, 'aws:ResourceAccount': account } },
  });
}

/**
 * ECR keeps layers in a bucket of its own, and hands out signed addresses in it. Source: ECR's user guide, "Minimum Amazon S3 bucket
 * permissions for Amazon ECR".
 */
function imageLayers(region: AwsRegion): iam.PolicyStatement {
  return new iam.PolicyStatement({
    sid: 'ImageLayers',
    principals: [new iam.AnyPrincipal()],
    actions: ['s3:GetObject'],
    resources: [`arn:aws:s3:::prod-${region}-starport-layer-bucket/*`],
  });
}
