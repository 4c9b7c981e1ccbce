import {
  type aws_globalaccelerator as globalaccelerator,
  aws_route53 as route53,
  aws_route53_targets as targets,
} from 'aws-cdk-lib';
import { Construct } from 'constructs';
import type { HostedDomain } from '../../topology/types.ts';

export interface HostnameProps {
  readonly hostname: string;
  readonly domain: HostedDomain;
  readonly accelerator: globalaccelerator.IAccelerator;
}

/** The zone's public name: an alias of its accelerator, so that it needs no time to live of its own. */
export class Hostname extends Construct {
  constructor(scope: Construct, id: string, { hostname, domain, accelerator }: HostnameProps) {
    super(scope, id);
    new route53.ARecord(this, 'Record', {
      zone: route53.HostedZone.fromHostedZoneAttributes(this, 'HostedZone', {
        hostedZoneId: domain.hostedZoneId,
        zoneName: domain.hostedZoneName,
      }),
      recordName: `${hostname}.`,
      target: route53.RecordTarget.fromAlias(new targets.GlobalAcceleratorTarget(accelerator)),
    });
  }
}
