import { aws_cloudwatch as cloudwatch } from 'aws-cdk-lib';
import type { EmfDimension, EmfMetric, EmfNamespace } from '../../service/cloudwatch/metric-table.ts';
import type { AwsRegion } from '../../topology/aws-regions.ts';
import type { ZoneName } from '../names.ts';
import { PERIOD } from './region-alarms.ts';

const NAMESPACE: EmfNamespace = 'Keyhearth';

/** A metric that the tasks of a region write, over all of them. A name that tasks don't write doesn't compile. */
export function taskMetric(
  zone: ZoneName,
  region: AwsRegion,
  metricName: EmfMetric,
  options: { readonly statistic: string; readonly label?: string },
): cloudwatch.Metric {
  const dimensionsMap: Readonly<Record<EmfDimension, string>> = {
    Environment: zone.environment,
    Zone: zone.name,
    Region: region,
  };
  return new cloudwatch.Metric({
    namespace: NAMESPACE,
    metricName,
    dimensionsMap,
    region,
    period: PERIOD,
    ...options,
  });
}
