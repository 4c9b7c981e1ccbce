import { aws_cloudwatch as cloudwatch } from 'aws-cdk-lib';
import type { AwsRegion } from '../../topology/aws-regions.ts';
import type { EventStream, RegionCache, RegionDatabase } from '../stacks/data-stack.ts';
import { PERIOD } from './region-alarms.ts';

/** A region as a dashboard in another region needs it: names, from which metrics are found. */
export interface WatchedRegion {
  readonly region: AwsRegion;
  /** The `app/…` part of the load balancer's ARN. */
  readonly loadBalancer: string;
  readonly clusterName: string;
  readonly serviceName: string;
  readonly database: RegionDatabase;
  readonly cache: RegionCache;
  readonly events: EventStream | null;
}

/** A metric of AWS's own in one region. */
export function awsMetric(
  region: AwsRegion,
  namespace: string,
  metricName: string,
  dimensionsMap: Readonly<Record<string, string>>,
  statistic: string,
): cloudwatch.Metric {
  return new cloudwatch.Metric({
    namespace,
    metricName,
    dimensionsMap,
    statistic,
    region,
    label: region,
    period: PERIOD,
  });
}

/** A picture with lines over time, three in a row. */
export function graph(
  title: string,
  left: readonly cloudwatch.IMetric[],
  axis: { readonly label: string; readonly stacked?: boolean },
): cloudwatch.GraphWidget {
  return new cloudwatch.GraphWidget({
    title,
    left: [...left],
    leftYAxis: { label: axis.label, showUnits: false, min: 0 },
    stacked: axis.stacked ?? false,
    width: 8,
    height: 6,
  });
}

/**
 * The largest value of a cluster's metric, whatever other dimensions it has: that of replication between regions names the region which
 * is home, and no template may. `region`: where the cluster is, if that isn't where the metric is looked at.
 */
export function largestOfCluster(
  database: RegionDatabase,
  metricName: string,
  label: string,
  region?: AwsRegion,
): cloudwatch.MathExpression {
  return new cloudwatch.MathExpression({
    expression: `SELECT MAX(${metricName}) FROM "AWS/RDS" WHERE DBClusterIdentifier = '${database.clusterIdentifier}'`,
    usingMetrics: {},
    label,
    period: PERIOD,
    ...(region === undefined ? {} : { searchRegion: region }),
  });
}
