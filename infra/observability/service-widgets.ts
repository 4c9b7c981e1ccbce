import { aws_cloudwatch as cloudwatch } from 'aws-cdk-lib';
import type { EmfMetric } from '../../service/cloudwatch/metric-table.ts';
import type { ZoneDeployment } from '../../topology/deployment.ts';
import { PERIOD } from './region-alarms.ts';
import { taskMetric } from './task-metrics.ts';
import { awsMetric, graph, type WatchedRegion } from './watched-region.ts';

/** Verdicts in the order in which they are drawn. */
const VERDICTS: readonly EmfMetric[] = [
  'VerdictValid',
  'VerdictNotFound',
  'VerdictForbidden',
  'VerdictInsufficientPermissions',
  'VerdictUsageExceeded',
  'VerdictRateLimited',
  'VerdictDisabled',
  'VerdictExpired',
];

/** What callers see, and what the hot path lives on. */
export function serviceWidgets(
  zone: ZoneDeployment,
  regions: readonly WatchedRegion[],
): readonly cloudwatch.IWidget[] {
  const balancer = (metric: string, statistic: string): readonly cloudwatch.Metric[] =>
    regions.map(({ region, loadBalancer }) =>
      awsMetric(region, 'AWS/ApplicationELB', metric, { LoadBalancer: loadBalancer }, statistic),
    );
  const tasks = (metric: EmfMetric, statistic: string): readonly cloudwatch.Metric[] =>
    regions.map(({ region }) => taskMetric(zone, region, metric, { statistic, label: region }));
  const ecs = (metric: string, statistic: string): readonly cloudwatch.Metric[] =>
    regions.map(({ region, clusterName, serviceName }) =>
      awsMetric(region, 'AWS/ECS', metric, { ClusterName: clusterName, ServiceName: serviceName }, statistic),
    );
  return [
    graph('Requests', balancer('RequestCount', 'Sum'), { label: 'per minute', stacked: true }),
    graph('Answer time at the load balancer, p50', balancer('TargetResponseTime', 'p50'), { label: 's' }),
    graph('Answer time at the load balancer, p99', balancer('TargetResponseTime', 'p99'), { label: 's' }),
    graph('Verification inside the service, p50', tasks('VerifyMs', 'p50'), { label: 'ms' }),
    graph('Verification inside the service, p99', tasks('VerifyMs', 'p99'), { label: 'ms' }),
    graph('Server errors', balancer('HTTPCode_Target_5XX_Count', 'Sum'), { label: 'per minute' }),
    graph('Verdicts, all regions', verdicts(zone, regions), { label: 'per minute', stacked: true }),
    graph('Keys found in memory', hitRatios(zone, regions), { label: 'percent' }),
    graph('Staleness, worst task', tasks('StalenessMs', 'Maximum'), { label: 'ms' }),
    graph('Out of credits or over the rate limit', exhausted(zone, regions), { label: 'per minute' }),
    graph('Rate limits counted alone', tasks('RateLimitsAlone', 'Maximum'), { label: '1 is some task' }),
    graph('Asks that other tasks may not know of yet, oldest', tasks('SharedCountsAgeMs', 'Maximum'), {
      label: 'ms',
    }),
    graph('Exact limits decided alone', tasks('ExactLimitsAlone', 'Sum'), { label: 'per minute' }),
    graph('Leases of credits held by a task', tasks('CreditLeases', 'Average'), { label: 'leases' }),
    graph('Credits unavailable', tasks('CreditsUnavailable', 'Sum'), { label: 'per minute' }),
    graph('Credits lost or overspent', credits(zone, regions), { label: 'per minute' }),
    graph('Accounts that came to have few credits left', tasks('CreditsLow', 'Sum'), { label: 'per minute' }),
    graph('Keys held by a task', tasks('HotKeys', 'Average'), { label: 'keys' }),
    graph('Home is known', tasks('HomeKnown', 'Minimum'), { label: '1 is yes' }),
    graph('Processor of the tasks', ecs('CPUUtilization', 'Average'), { label: 'percent' }),
    graph('Memory of the tasks', ecs('MemoryUtilization', 'Maximum'), { label: 'percent' }),
    graph('Event loop held up, worst task', tasks('EventLoopDelayMsP99', 'Maximum'), { label: 'ms' }),
  ];
}

/** One line for each verdict, over all regions: a sum of what each region counted. */
function verdicts(zone: ZoneDeployment, regions: readonly WatchedRegion[]): readonly cloudwatch.IMetric[] {
  return VERDICTS.map((verdict) => {
    const names = regions.map(
      ({ region }) => `${verdict.charAt(0).toLowerCase()}${verdict.slice(1)}_${region.replaceAll('-', '_')}`,
    );
    const entries = regions.map(({ region }, index) => {
      const metric = taskMetric(zone, region, verdict, { statistic: 'Sum' });
      return [names[index] ?? region, metric] as const;
    });
    return new cloudwatch.MathExpression({
      expression: names.map((name) => `FILL(${name}, 0)`).join(' + '),
      usingMetrics: Object.fromEntries(entries),
      label: verdict.replace('Verdict', ''),
      period: PERIOD,
    });
  });
}

function hitRatios(zone: ZoneDeployment, regions: readonly WatchedRegion[]): readonly cloudwatch.IMetric[] {
  return regions.map(({ region }) => {
    const suffix = region.replaceAll('-', '_');
    const [hits, misses] = [`hits_${suffix}`, `misses_${suffix}`];
    return new cloudwatch.MathExpression({
      expression: `100 * ${hits} / (${hits} + ${misses})`,
      usingMetrics: {
        [hits]: taskMetric(zone, region, 'HotHits', { statistic: 'Sum' }),
        [misses]: taskMetric(zone, region, 'HotMisses', { statistic: 'Sum' }),
      },
      label: region,
      period: PERIOD,
    });
  });
}

/** Both are counted where home is, so at most one region has them at a time. */
function credits(zone: ZoneDeployment, regions: readonly WatchedRegion[]): readonly cloudwatch.IMetric[] {
  return regions.flatMap(({ region }) => [
    taskMetric(zone, region, 'CreditsLost', { statistic: 'Sum', label: `${region} lost` }),
    taskMetric(zone, region, 'CreditsOverspent', { statistic: 'Sum', label: `${region} overspent` }),
  ]);
}

function exhausted(zone: ZoneDeployment, regions: readonly WatchedRegion[]): readonly cloudwatch.IMetric[] {
  return regions.flatMap(({ region }) => [
    taskMetric(zone, region, 'VerdictUsageExceeded', { statistic: 'Sum', label: `${region} out of credits` }),
    taskMetric(zone, region, 'VerdictRateLimited', {
      statistic: 'Sum',
      label: `${region} over the rate limit`,
    }),
  ]);
}
