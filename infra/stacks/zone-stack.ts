import { aws_route53 as route53, aws_secretsmanager as secretsmanager } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import type { AwsRegion } from '../../topology/aws-regions.ts';
import type { ZoneDeployment } from '../../topology/deployment.ts';
import { privateDomain, secretNames, stackNames } from '../names.ts';
import type { BaseStack } from './base-stack.ts';
import { RegionStack } from './region-stack.ts';

export interface ZoneStackProps {
  readonly zone: ZoneDeployment;
  /** Of all regions, the origin first. */
  readonly bases: readonly BaseStack[];
}

/** What a zone has once and every region reads: secrets with a replica in each region, and the private names of the regions. */
export class ZoneStack extends RegionStack {
  readonly privateZone: route53.IHostedZone;
  readonly masterSecret: secretsmanager.Secret;
  readonly peerSecret: secretsmanager.Secret;

  constructor(scope: Construct, { zone, bases }: ZoneStackProps) {
    super(scope, {
      zone,
      region: zone.origin,
      stackName: stackNames.zone(zone),
      description: `Keyhearth zone ${zone.name}: secrets and private names of all its regions`,
      holdsData: true,
    });
    this.privateZone = new route53.PrivateHostedZone(this, 'PrivateZone', {
      zoneName: privateDomain(zone),
      vpc: (bases[0] as BaseStack).vpc,
    });
    this.masterSecret = new secretsmanager.Secret(this, 'Master', { secretName: secretNames.master(zone) });
    this.peerSecret = new secretsmanager.Secret(this, 'Peers', { secretName: secretNames.peers(zone) });
  }

  /** ARN of a secret's copy in a region: the origin's, but for the region. Usable in stacks of that region. */
  arnIn(_region: AwsRegion, secret: secretsmanager.Secret): string {
    return secret.secretArn;
  }
}
