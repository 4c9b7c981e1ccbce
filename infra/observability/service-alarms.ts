import {
  aws_cloudwatch as cloudwatch,
  type aws_ecs as ecs,
  type aws_elasticloadbalancingv2 as elbv2,
} from 'aws-cdk-lib';
import type { EmfMetric } from '../../service/cloudwatch/metric-table.ts';
import type { AwsRegion } from '../../topology/aws-regions.ts';
import type { ZoneDeployment } from '../../topology/deployment.ts';
import { type AlarmPlan, PERIOD } from './region-alarms.ts';
import { taskMetric } from './task-metrics.ts';

export interface ServiceAlarmsInput {
  readonly zone: ZoneDeployment;
  readonly region: AwsRegion;
  readonly loadBalancer: elbv2.ApplicationLoadBalancer;
  readonly targetGroup: elbv2.ApplicationTargetGroup;
  readonly service: ecs.FargateService;
  /** Fewer ready tasks than these are too few. */
  readonly minTasks: number;
}

/** A verification from memory takes well below a millisecond; at this, something else is going on. */
const VERIFY_P99_MS_MAX = 25;
/** Answers are late by as much as the loop is held up. */
const LOOP_DELAY_P99_MS_MAX = 100;
const SERVER_ERROR_PERCENT_MAX = 1;
/** Per minute. With fewer, a single error would be above any share. */
const REQUESTS_MIN = 100;

/** What to wake somebody for, of a region's tasks and its load balancer. */
export function serviceAlarms(input: ServiceAlarmsInput): readonly AlarmPlan[] {
  return [...loadBalancerAlarms(input), ...taskAlarms(input), ...capacityAlarms(input)];
}

function loadBalancerAlarms({
  loadBalancer,
  targetGroup,
  minTasks,
}: ServiceAlarmsInput): readonly AlarmPlan[] {
  const sum = { period: PERIOD, statistic: 'Sum' };
  const errors = new cloudwatch.MathExpression({
    expression: `IF(requests >= ${REQUESTS_MIN}, 100 * (FILL(target, 0) + FILL(balancer, 0)) / requests, 0)`,
    usingMetrics: {
      // The codes of the CDK's own enumerations, which this file imports as types only.
      target: loadBalancer.metrics.custom('HTTPCode_Target_5XX_Count', sum),
      balancer: loadBalancer.metrics.custom('HTTPCode_ELB_5XX_Count', sum),
      requests: loadBalancer.metrics.requestCount(sum),
    },
    label: 'answers with a server error, percent',
    period: PERIOD,
  });
  return [
    {
      id: 'NoReadyTask',
      meaning: 'No task of the region is ready: the accelerator sends its clients to other regions.',
      metric: targetGroup.metrics.healthyHostCount({ period: PERIOD, statistic: 'Minimum' }),
      when: 'below',
      threshold: 1,
      periods: 2,
      silence: 'bad',
    },
    {
      id: 'FewTasks',
      meaning: `Fewer than ${minTasks} tasks, the region's minimum, have been ready for ten minutes.`,
      metric: targetGroup.metrics.healthyHostCount({ period: PERIOD, statistic: 'Minimum' }),
      when: 'below',
      threshold: minTasks,
      periods: 10,
      of: 15,
      silence: 'bad',
    },
    {
      id: 'TasksNotReady',
      meaning: 'A task has not been ready for ten minutes.',
      metric: targetGroup.metrics.unhealthyHostCount({ period: PERIOD, statistic: 'Maximum' }),
      threshold: 0,
      periods: 10,
      silence: 'fine',
    },
    {
      id: 'ServerErrors',
      meaning: `More than ${SERVER_ERROR_PERCENT_MAX} % of the answers are server errors.`,
      metric: errors,
      threshold: SERVER_ERROR_PERCENT_MAX,
      periods: 3,
      of: 5,
      silence: 'fine',
    },
  ];
}

type MetricOf = (name: EmfMetric, statistic: string) => cloudwatch.Metric;

function taskAlarms({ zone, region }: ServiceAlarmsInput): readonly AlarmPlan[] {
  const metric: MetricOf = (name, statistic) => taskMetric(zone, region, name, { statistic });
  return [
    {
      id: 'SlowVerifications',
      meaning: `One of a hundred verifications takes longer than ${VERIFY_P99_MS_MAX} ms inside the service.`,
      metric: metric('VerifyMs', 'p99'),
      threshold: VERIFY_P99_MS_MAX,
      periods: 5,
      silence: 'fine',
    },
    {
      id: 'ViewStale',
      meaning: `A task's view is further behind home than the zone's maxStalenessMs, ${zone.maxStalenessMs} ms.`,
      metric: metric('StalenessMs', 'Maximum'),
      threshold: zone.maxStalenessMs,
      periods: 3,
      silence: 'fine',
    },
    {
      id: 'HomeUnknown',
      meaning: 'A task does not know where home is: writes through this region are refused.',
      metric: metric('HomeKnown', 'Minimum'),
      when: 'below',
      threshold: 1,
      periods: 3,
      silence: 'fine',
    },
    {
      id: 'FeedDistrusted',
      meaning: 'The change feed met a database that behaves in a way it may not: a task dropped all it held.',
      metric: metric('FeedDistrusts', 'Sum'),
      threshold: 0,
      periods: 1,
      silence: 'fine',
    },
    {
      id: 'RecordReadsFailing',
      meaning: 'Keys that are not in memory can be read neither from the region’s reader nor from home.',
      metric: metric('RecordReadsFailed', 'Sum'),
      threshold: 0,
      periods: 3,
      of: 5,
      silence: 'fine',
    },
    {
      id: 'OutcomesUnknown',
      meaning:
        'The outcome of a write is unknown: the connection to home was lost while it was being written.',
      metric: metric('WritesUnknown', 'Sum'),
      threshold: 0,
      periods: 1,
      silence: 'fine',
    },
    ...limitAlarms(metric),
    {
      id: 'LoopHeldUp',
      meaning: `The event loop of a task is held up for more than ${LOOP_DELAY_P99_MS_MAX} ms: answers are late by as much.`,
      metric: metric('EventLoopDelayMsP99', 'Maximum'),
      threshold: LOOP_DELAY_P99_MS_MAX,
      periods: 5,
      silence: 'fine',
    },
    {
      id: 'MetricsMissing',
      meaning: 'The region’s tasks write no metrics: none runs, or their log lines do not arrive.',
      metric: metric('Verifications', 'SampleCount'),
      when: 'below',
      threshold: 1,
      periods: 5,
      silence: 'bad',
    },
  ];
}

/** Whether limits and credits hold as exactly as they can. */
function limitAlarms(metric: MetricOf): readonly AlarmPlan[] {
  return [
    {
      id: 'RateLimitsAlone',
      meaning:
        'A task has counted rate limits by itself for five minutes: the region lets through up to so many times a limit as it has tasks.',
      metric: metric('RateLimitsAlone', 'Maximum'),
      threshold: 0,
      periods: 5,
      silence: 'fine',
    },
    {
      id: 'ExactLimitsAlone',
      meaning: 'Exact rate limits are decided without the region’s shared counter, or refused.',
      metric: metric('ExactLimitsAlone', 'Sum'),
      threshold: 0,
      periods: 3,
      of: 5,
      silence: 'fine',
    },
    {
      id: 'CreditsUnavailable',
      meaning: 'Verifications that take credits are answered 503: home’s ledger does not answer in time.',
      metric: metric('CreditsUnavailable', 'Sum'),
      threshold: 0,
      periods: 3,
      of: 5,
      silence: 'fine',
    },
    {
      id: 'CreditsLost',
      meaning: 'Leases of credits were given up, because their holders are gone: their credits stay taken.',
      metric: metric('CreditsLost', 'Sum'),
      threshold: 0,
      periods: 1,
      silence: 'fine',
    },
    {
      id: 'CreditsOverspent',
      meaning: 'Credits were spent twice: home moved, and had lost what it granted before.',
      metric: metric('CreditsOverspent', 'Sum'),
      threshold: 0,
      periods: 1,
      silence: 'fine',
    },
  ];
}

function capacityAlarms({ service }: ServiceAlarmsInput): readonly AlarmPlan[] {
  return [
    {
      id: 'TasksBusy',
      meaning: 'The tasks use more than 85 % of their processors, although scaling should have added some.',
      metric: service.metricCpuUtilization({ period: PERIOD, statistic: 'Average' }),
      threshold: 85,
      periods: 10,
      silence: 'fine',
    },
    {
      id: 'TasksFull',
      meaning: 'A task uses more than 90 % of its memory: it may be killed.',
      metric: service.metricMemoryUtilization({ period: PERIOD, statistic: 'Maximum' }),
      threshold: 90,
      periods: 5,
      silence: 'fine',
    },
  ];
}
