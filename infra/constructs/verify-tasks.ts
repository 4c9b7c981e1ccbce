import {
  aws_cloudwatch as cloudwatch,
  type aws_ec2 as ec2,
  aws_ecs as ecs,
  aws_elasticloadbalancingv2 as elbv2,
  type aws_kms as kms,
  Duration,
} from 'aws-cdk-lib';
import { Construct } from 'constructs';
import type { AwsRegion } from '../../topology/aws-regions.ts';
import { alarmName, PORTS, stackNames, type ZoneName } from '../names.ts';
import { alarmDescription } from '../observability/region-alarms.ts';
import { scaleTasks, type ScalingSize } from './scaling.ts';
import { SERVICE_CONTAINER } from './task-definitions.ts';

/** Of the cluster's only service. Names are given, so that the dashboard, in another region, needs no reference to know them. */
const SERVICE_NAME = 'verify';
/** More than twice what a task needs to fill its memory. */
const HEALTH_CHECK_GRACE = Duration.seconds(120);
/** With fewer requests in a minute a share says nothing. */
const REQUESTS_MIN = 100;
const FAULTS_PERCENT_MAX = 5;

export interface VerifyTasksProps {
  readonly zone: ZoneName;
  readonly region: AwsRegion;
  /** Encrypts the tasks' disks; its policy lets Fargate use it. */
  readonly encryptionKey: kms.IKey;
  readonly vpc: ec2.IVpc;
  readonly subnets: ec2.SubnetSelection;
  readonly securityGroup: ec2.ISecurityGroup;
  readonly targetGroup: elbv2.ApplicationTargetGroup;
  readonly taskDefinition: ecs.FargateTaskDefinition;
  readonly size: ScalingSize;
}

/**
 * The tasks of a region. A deployment replaces them one by one; where the new ones don't start, answer with faults or stay unhealthy,
 * ECS puts the old ones back by itself.
 */
export class VerifyTasks extends Construct {
  readonly cluster: ecs.Cluster;
  readonly service: ecs.FargateService;

  constructor(scope: Construct, id: string, props: VerifyTasksProps) {
    super(scope, id);
    this.cluster = new ecs.Cluster(this, 'Cluster', {
      clusterName: stackNames.service(props.zone, props.region),
      vpc: props.vpc,
      // Of the service as a whole. What is known of single tasks they write themselves; "enhanced" would have it measured twice.
      containerInsightsV2: ecs.ContainerInsights.ENABLED,
    });
    encryptDisks(this.cluster, props.encryptionKey);
    const alarms = this.#deploymentAlarms(props);
    this.service = new ecs.FargateService(this, 'Service', {
      cluster: this.cluster,
      serviceName: SERVICE_NAME,
      taskDefinition: props.taskDefinition,
      platformVersion: ecs.FargatePlatformVersion.LATEST,
      vpcSubnets: props.subnets,
      securityGroups: [props.securityGroup],
      assignPublicIp: false,
      // No number of tasks: each deployment would undo what scaling has done since the last.
      minHealthyPercent: 100,
      maxHealthyPercent: 200,
      availabilityZoneRebalancing: ecs.AvailabilityZoneRebalancing.ENABLED,
      healthCheckGracePeriod: HEALTH_CHECK_GRACE,
      circuitBreaker: { rollback: true },
      deploymentAlarms: {
        alarmNames: alarms.map(({ name }) => name),
        behavior: ecs.AlarmBehavior.ROLLBACK_ON_ALARM,
      },
      enableExecuteCommand: false,
      enableECSManagedTags: true,
      propagateTags: ecs.PropagatedTagSource.SERVICE,
    });
    // Without the policy of the role that starts them, the first tasks would fail, and count for the circuit breaker.
    if (props.taskDefinition.executionRole !== undefined) {
      this.service.node.addDependency(props.taskDefinition.executionRole);
    }
    // The service names them as text: ECS refuses alarms that aren't there.
    for (const { alarm } of alarms) this.service.node.addDependency(alarm);
    props.targetGroup.addTarget(
      this.service.loadBalancerTarget({
        containerName: SERVICE_CONTAINER,
        containerPort: PORTS.service,
      }),
    );
    scaleTasks(this.service, props.targetGroup, props.size);
  }

  /** Looked at by deployments alone; alarms for people are of the service's own metrics. */
  #deploymentAlarms({ zone, region, targetGroup }: VerifyTasksProps): readonly NamedAlarm[] {
    const period = Duration.minutes(1);
    const faults = new cloudwatch.MathExpression({
      expression: `IF(requests >= ${REQUESTS_MIN}, 100 * FILL(faults, 0) / requests, 0)`,
      label: 'Answers of 500 and above, percent',
      period,
      usingMetrics: {
        requests: targetGroup.metrics.requestCount({ period, statistic: 'Sum' }),
        faults: targetGroup.metrics.httpCodeTarget(elbv2.HttpCodeTarget.TARGET_5XX_COUNT, { period }),
      },
    });
    return [
      this.#alarm('Faults', alarmName(zone, region, 'DeploymentFaults'), {
        metric: faults,
        threshold: FAULTS_PERCENT_MAX,
        evaluationPeriods: 3,
        alarmDescription: alarmDescription(
          'DeploymentFaults',
          `Above ${FAULTS_PERCENT_MAX} % of answers are faults.`,
        ),
      }),
      this.#alarm('Unhealthy', alarmName(zone, region, 'DeploymentUnhealthy'), {
        metric: targetGroup.metrics.unhealthyHostCount({ period, statistic: 'Maximum' }),
        threshold: 0,
        // Longer than a task that starts well needs.
        evaluationPeriods: 5,
        alarmDescription: alarmDescription('DeploymentUnhealthy', 'A task has been unhealthy for 5 minutes.'),
      }),
    ];
  }

  #alarm(
    id: string,
    name: string,
    props: Omit<cloudwatch.AlarmProps, 'alarmName' | 'comparisonOperator' | 'treatMissingData'>,
  ): NamedAlarm {
    const alarm = new cloudwatch.Alarm(this, id, {
      ...props,
      alarmName: name,
      comparisonOperator: cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD,
      treatMissingData: cloudwatch.TreatMissingData.NOT_BREACHING,
    });
    return { name, alarm };
  }
}

/** By the property itself: the CDK's own way would add the cluster's name to the key's policy, which is in another stack. */
function encryptDisks(cluster: ecs.Cluster, key: kms.IKey): void {
  // The cluster's only default child is its resource.
  (cluster.node.defaultChild as ecs.CfnCluster).addPropertyOverride(
    'Configuration.ManagedStorageConfiguration.FargateEphemeralStorageKmsKeyId',
    key.keyId,
  );
}

interface NamedAlarm {
  readonly name: string;
  readonly alarm: cloudwatch.Alarm;
}
