import type { aws_cloudwatch as cloudwatch } from 'aws-cdk-lib';
import type { ZoneDeployment } from '../../topology/deployment.ts';
import { awsMetric, graph, largestOfCluster, type WatchedRegion } from './watched-region.ts';

/** What is behind the tasks: the database and how far its copies are behind, the cache, the events on their way. */
export function dataWidgets(
  zone: ZoneDeployment,
  regions: readonly WatchedRegion[],
): readonly cloudwatch.IWidget[] {
  const cluster = (metric: string, statistic: string): readonly cloudwatch.Metric[] =>
    regions.map(({ region, database }) =>
      awsMetric(region, 'AWS/RDS', metric, { DBClusterIdentifier: database.clusterIdentifier }, statistic),
    );
  const stream = (metric: string, statistic: string): readonly cloudwatch.Metric[] =>
    regions.flatMap(({ region, events }) =>
      events === null
        ? []
        : [awsMetric(region, 'AWS/Firehose', metric, { DeliveryStreamName: events.name }, statistic)],
    );
  const cache = (metric: string, statistic: string): readonly cloudwatch.Metric[] =>
    regions.map(({ region, cache: { name } }) =>
      awsMetric(region, 'AWS/ElastiCache', metric, { clusterId: name }, statistic),
    );
  const largest = (metric: string): readonly cloudwatch.IMetric[] =>
    regions.map(({ region, database }) => largestOfCluster(database, metric, region, region));
  const events =
    zone.events.kind === 'firehose'
      ? [
          graph('Events taken by the stream', stream('IncomingRecords', 'Sum'), { label: 'per minute' }),
          graph('Events refused by the stream', stream('ThrottledRecords', 'Sum'), { label: 'per minute' }),
          graph('Age of the oldest event under way', stream('DeliveryToS3.DataFreshness', 'Maximum'), {
            label: 's',
          }),
          graph('Deliveries that worked', stream('DeliveryToS3.Success', 'Average'), { label: '1 is all' }),
        ]
      : [];
  return [
    graph('Replication lag behind home', largest('AuroraGlobalDBProgressLag'), { label: 'ms' }),
    graph('Replication lag inside a region', largest('AuroraReplicaLag'), { label: 'ms' }),
    graph('Database connections', cluster('DatabaseConnections', 'Maximum'), { label: 'connections' }),
    graph('Processor of the database', cluster('CPUUtilization', 'Maximum'), { label: 'percent' }),
    graph('Commits', cluster('CommitThroughput', 'Average'), { label: 'per second' }),
    graph('Deadlocks', cluster('Deadlocks', 'Sum'), { label: 'per second' }),
    graph('Commands that the cache refused', cache('ThrottledCmds', 'Sum'), { label: 'per minute' }),
    graph('Data in the cache', cache('BytesUsedForCache', 'Maximum'), { label: 'bytes' }),
    ...events,
  ];
}
