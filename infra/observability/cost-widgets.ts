import type { aws_cloudwatch as cloudwatch } from 'aws-cdk-lib';
import type { ZoneDeployment } from '../../topology/deployment.ts';
import { awsMetric, graph, type WatchedRegion } from './watched-region.ts';

/** Counts that the bill is made of; what doesn't vary (endpoints, the accelerator's hours) isn't drawn. */
export function costWidgets(
  zone: ZoneDeployment,
  regions: readonly WatchedRegion[],
): readonly cloudwatch.IWidget[] {
  type Dimensions = (region: WatchedRegion) => Readonly<Record<string, string>>;
  const lines = (
    namespace: string,
    metric: string,
    statistic: string,
    dimensions: Dimensions,
  ): readonly cloudwatch.Metric[] =>
    regions.map((one) => awsMetric(one.region, namespace, metric, dimensions(one), statistic));
  const cluster: Dimensions = ({ database }) => ({ DBClusterIdentifier: database.clusterIdentifier });
  const balancer: Dimensions = ({ loadBalancer }) => ({ LoadBalancer: loadBalancer });
  const cache: Dimensions = ({ cache: { name } }) => ({ clusterId: name });
  const bytes =
    zone.events.kind === 'firehose'
      ? regions.flatMap(({ region, events }) =>
          events === null
            ? []
            : [
                awsMetric(
                  region,
                  'AWS/Firehose',
                  'IncomingBytes',
                  { DeliveryStreamName: events.name },
                  'Sum',
                ),
              ],
        )
      : [];
  const service: Dimensions = ({ clusterName, serviceName }) => ({
    ClusterName: clusterName,
    ServiceName: serviceName,
  });
  return [
    graph('Tasks', lines('AWS/ECS', 'CPUUtilization', 'SampleCount', service), {
      label: 'samples, one a task',
    }),
    graph('Database capacity', lines('AWS/RDS', 'ServerlessDatabaseCapacity', 'Average', cluster), {
      label: 'ACU',
    }),
    graph('Database writes', lines('AWS/RDS', 'VolumeWriteIOPs', 'Sum', cluster), {
      label: 'I/O per 5 minutes',
    }),
    graph('Database volume', lines('AWS/RDS', 'VolumeBytesUsed', 'Maximum', cluster), { label: 'bytes' }),
    graph('Load balancer capacity', lines('AWS/ApplicationELB', 'ConsumedLCUs', 'Sum', balancer), {
      label: 'LCU',
    }),
    graph('Traffic', lines('AWS/ApplicationELB', 'ProcessedBytes', 'Sum', balancer), {
      label: 'bytes per minute',
    }),
    graph('Cache use', lines('AWS/ElastiCache', 'ElastiCacheProcessingUnits', 'Sum', cache), {
      label: 'ECPU',
    }),
    ...(bytes.length === 0 ? [] : [graph('Event volume', bytes, { label: 'bytes per minute' })]),
  ];
}
