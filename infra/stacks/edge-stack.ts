import { CfnOutput, Fn } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import type { AwsRegion } from '../../topology/aws-regions.ts';
import type { ZoneDeployment } from '../../topology/deployment.ts';
import { Accelerator } from '../constructs/accelerator.ts';
import { Hostname } from '../constructs/hostname.ts';
import { Spending } from '../constructs/spending.ts';
import { ZoneDashboard } from '../observability/dashboard.ts';
import { acceleratorName, outputKeys, stackNames } from '../names.ts';
import type { BaseStack } from './base-stack.ts';
import type { DataStack } from './data-stack.ts';
import { RegionStack } from './region-stack.ts';
import type { ServiceStack } from './service-stack.ts';

/** The stacks of one region. */
export interface RegionStacks {
  readonly base: BaseStack;
  readonly data: DataStack;
  readonly service: ServiceStack;
}

export interface EdgeStackProps {
  readonly zone: ZoneDeployment;
  /** Of all regions, the origin first. */
  readonly regions: readonly RegionStacks[];
}

/** Where clients come in: the accelerator with its listeners, the hostname, and the zone's dashboard. */
export class EdgeStack extends RegionStack {
  constructor(scope: Construct, { zone, regions }: EdgeStackProps) {
    super(scope, {
      zone,
      region: zone.origin,
      stackName: stackNames.edge(zone),
      description: `Keyhearth zone ${zone.name}: accelerator, hostname and dashboard`,
      holdsData: true,
    });
    const { accelerator } = new Accelerator(this, 'Entry', {
      name: acceleratorName(zone),
      regions: regions.map(({ service }) => ({
        region: service.here.region,
        loadBalancer: service.loadBalancer,
      })),
      retained: zone.deletionProtection,
    });
    if ('hostedZoneId' in zone.domain) {
      new Hostname(this, 'Hostname', { hostname: zone.hostname, domain: zone.domain, accelerator });
    }
    if (zone.budget !== null && zone.alarms !== null) {
      new Spending(this, 'Spending', {
        usdPerMonth: zone.budget.usdPerMonth,
        email: zone.alarms.email,
      });
    }
    const dashboard = new ZoneDashboard(this, 'Dashboard', {
      zone,
      regions: regions.map(({ data, service: { here, loadBalancer } }) => ({
        region: here.region,
        loadBalancer: loadBalancer.loadBalancerFullName,
        clusterName: serviceOutput(zone, here.region, 'clusterName'),
        serviceName: serviceOutput(zone, here.region, 'serviceName'),
        database: data.database,
        cache: data.cache,
        events: data.events,
      })),
    });
    const { acceleratorArn, acceleratorDnsName, dashboardName } = outputKeys.edge;
    new CfnOutput(this, acceleratorArn, { value: accelerator.acceleratorArn });
    new CfnOutput(this, dashboardName, { value: dashboard.name });
    new CfnOutput(this, acceleratorDnsName, { value: accelerator.dnsName });
  }
}

/** Names that a region's service stack gives out; AWS makes them up, so only an output can tell them to another region. */
function serviceOutput(zone: ZoneDeployment, region: AwsRegion, key: 'clusterName' | 'serviceName'): string {
  return Fn.getStackOutput(stackNames.service(zone, region), outputKeys.service[key], region);
}
