import { aws_ecs as ecs, aws_elasticloadbalancingv2 as elbv2 } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { stackNames } from '../names.ts';
import type { BaseStack } from './base-stack.ts';
import type { DataStack } from './data-stack.ts';
import { RegionStack } from './region-stack.ts';
import type { ZoneStack } from './zone-stack.ts';

export interface ServiceStackProps {
  readonly base: BaseStack;
  readonly data: DataStack;
  readonly zoneStack: ZoneStack;
}

/** The tasks of a region and the load balancer in front of them. */
export class ServiceStack extends RegionStack {
  readonly loadBalancer: elbv2.ApplicationLoadBalancer;
  readonly targetGroup: elbv2.ApplicationTargetGroup;
  readonly service: ecs.FargateService;

  constructor(scope: Construct, { base }: ServiceStackProps) {
    const { zone, here } = base;
    super(scope, {
      zone,
      region: here.region,
      stackName: stackNames.service(zone, here.region),
      description: `Keyhearth zone ${zone.name}: verify service of ${here.region}`,
    });
    this.loadBalancer = new elbv2.ApplicationLoadBalancer(this, 'LoadBalancer', { vpc: base.vpc });
    this.targetGroup = new elbv2.ApplicationTargetGroup(this, 'Tasks', { vpc: base.vpc, port: 8080 });
    const taskDefinition = new ecs.FargateTaskDefinition(this, 'TaskDefinition');
    taskDefinition.addContainer('service', { image: ecs.ContainerImage.fromRegistry('placeholder') });
    const cluster = new ecs.Cluster(this, 'Cluster', { vpc: base.vpc });
    this.service = new ecs.FargateService(this, 'Service', {
      cluster,
      taskDefinition,
    });
  }
}
