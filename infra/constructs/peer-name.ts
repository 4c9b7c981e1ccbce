import {
  aws_route53 as route53,
  aws_route53_targets as targets,
  type aws_elasticloadbalancingv2 as elbv2,
} from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import type { AwsRegion } from '../../topology/aws-regions.ts';
import { peerHostname, privateDomain, type ZoneName } from '../names.ts';

export interface PeerNameProps {
  readonly zone: ZoneName;
  readonly region: AwsRegion;
  /** Of the zone's private DNS zone. */
  readonly hostedZoneId: string;
  readonly loadBalancer: elbv2.IApplicationLoadBalancer;
}

/** The private name by which the other regions' tasks find this region's. It comes and goes with the load balancer. */
export function addPeerName(
  scope: Construct,
  { zone, region, hostedZoneId, loadBalancer }: PeerNameProps,
): void {
  new route53.ARecord(scope, 'PeerName', {
    zone: route53.HostedZone.fromHostedZoneAttributes(scope, 'PrivateZone', {
      hostedZoneId,
      zoneName: privateDomain(zone),
    }),
    recordName: peerHostname(zone, region),
    target: route53.RecordTarget.fromAlias(new targets.LoadBalancerTarget(loadBalancer)),
  });
}
