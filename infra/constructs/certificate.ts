import { aws_certificatemanager as acm, aws_route53 as route53 } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import type { AwsRegion } from '../../topology/aws-regions.ts';
import type { ZoneDeployment } from '../../topology/deployment.ts';

/**
 * The certificate of a zone's hostname in one region: made here and proven by a record in the hosted zone, or the one that the
 * topology names. Throws an Error where that names none for this region.
 */
export function certificateOf(scope: Construct, zone: ZoneDeployment, region: AwsRegion): acm.ICertificate {
  const { domain, hostname } = zone;
  if ('hostedZoneId' in domain) {
    const hostedZone = route53.HostedZone.fromHostedZoneAttributes(scope, 'HostedZone', {
      hostedZoneId: domain.hostedZoneId,
      zoneName: domain.hostedZoneName,
    });
    return new acm.Certificate(scope, 'Certificate', {
      domainName: hostname,
      validation: acm.CertificateValidation.fromDns(hostedZone),
    });
  }
  const arn = domain.certificateArns[region];
  if (arn === undefined) {
    throw new Error(
      `zone ${zone.name}: domain.certificateArns has no certificate for ${region}; add its ARN`,
    );
  }
  return acm.Certificate.fromCertificateArn(scope, 'Certificate', arn);
}
