import { aws_cloudwatch as cloudwatch } from 'aws-cdk-lib';
import type { ZoneDeployment } from '../../topology/deployment.ts';
import { DATA_GB_MAX } from '../cache-limits.ts';
import type { EventStream, RegionCache, RegionDatabase } from '../stacks/data-stack.ts';
import { type AlarmPlan, PERIOD } from './region-alarms.ts';
import { largestOfCluster } from './watched-region.ts';

export interface DataAlarmsInput {
  readonly zone: ZoneDeployment;
  readonly database: RegionDatabase;
  readonly cache: RegionCache;
  readonly events: EventStream | null;
  /** Whether the instances scale by themselves (Serverless v2). */
  readonly serverless: boolean;
}

/** A revoked key is to be refused everywhere within a second while replication is below half of this. */
const REPLICATION_LAG_MS_MAX = 1000;
/** Of two thousand million, after which the database would stop taking writes. */
const TRANSACTION_IDS_MAX = 1_000_000_000;
const EVENT_AGE_S_MAX = 900;

/** What to wake somebody for, of a region's database, cache and events. */
export function dataAlarms(input: DataAlarmsInput): readonly AlarmPlan[] {
  return [
    ...replicationAlarms(input),
    ...databaseAlarms(input),
    ...cacheAlarms(input),
    ...eventAlarms(input),
  ];
}

function clusterMetric(database: RegionDatabase, metricName: string, statistic: string): cloudwatch.Metric {
  return new cloudwatch.Metric({
    namespace: 'AWS/RDS',
    metricName,
    statistic,
    period: PERIOD,
    dimensionsMap: { DBClusterIdentifier: database.clusterIdentifier },
  });
}

/** In every region of a zone that has several, for each may be a replica one day. At home there is nothing to measure, which is fine. */
function replicationAlarms({ zone, database }: DataAlarmsInput): readonly AlarmPlan[] {
  const within: AlarmPlan = {
    id: 'ReaderBehind',
    meaning: `A reader is more than ${REPLICATION_LAG_MS_MAX} ms behind its own region's cluster.`,
    metric: largestOfCluster(database, 'AuroraReplicaLag', 'lag inside the region, ms'),
    threshold: REPLICATION_LAG_MS_MAX,
    periods: 5,
    of: 10,
    silence: 'fine',
  };
  if (zone.regions.length === 1) return [within];
  return [
    within,
    {
      id: 'RegionBehind',
      meaning: `The region's copy of the database is more than ${REPLICATION_LAG_MS_MAX} ms behind home: revocations arrive that much later.`,
      metric: largestOfCluster(database, 'AuroraGlobalDBProgressLag', 'lag behind home, ms'),
      threshold: REPLICATION_LAG_MS_MAX,
      periods: 5,
      of: 10,
      silence: 'fine',
    },
  ];
}

function databaseAlarms({ database, serverless }: DataAlarmsInput): readonly AlarmPlan[] {
  const load: AlarmPlan = serverless
    ? {
        id: 'DatabaseAtMaximum',
        meaning: 'The database has run at more than 90 % of its largest capacity for ten minutes.',
        metric: clusterMetric(database, 'ACUUtilization', 'Maximum'),
        threshold: 90,
        periods: 10,
        silence: 'fine',
      }
    : {
        id: 'DatabaseBusy',
        meaning: 'An instance of the database has used more than 80 % of its processors for ten minutes.',
        metric: clusterMetric(database, 'CPUUtilization', 'Maximum'),
        threshold: 80,
        periods: 10,
        silence: 'fine',
      };
  return [
    load,
    {
      id: 'DatabaseDown',
      meaning: 'No instance of the region’s database reports that it runs.',
      metric: clusterMetric(database, 'EngineUptime', 'SampleCount'),
      when: 'below',
      threshold: 1,
      periods: 3,
      silence: 'bad',
    },
    {
      id: 'TransactionIdsRunningOut',
      meaning: 'Half of the database’s transaction ids are used: vacuuming does not keep up.',
      metric: clusterMetric(database, 'MaximumUsedTransactionIDs', 'Maximum'),
      threshold: TRANSACTION_IDS_MAX,
      periods: 5,
      silence: 'fine',
    },
  ];
}

/** Of what it may use; where AWS's guide to serverless caches puts such alarms, too. */
const CACHE_USE_MAX = 0.75;
const PERCENT = 100;

function cacheAlarms({ cache }: DataAlarmsInput): readonly AlarmPlan[] {
  const metric = (metricName: string, statistic: string): cloudwatch.Metric =>
    new cloudwatch.Metric({
      namespace: 'AWS/ElastiCache',
      metricName,
      statistic,
      period: PERIOD,
      dimensionsMap: { clusterId: cache.name },
    });
  const share = `${CACHE_USE_MAX * PERCENT} %`;
  return [
    {
      id: 'CacheThrottled',
      meaning: 'The cache refuses commands because it is at the limit that its configuration sets.',
      metric: metric('ThrottledCmds', 'Sum'),
      threshold: 0,
      periods: 3,
      of: 5,
      silence: 'fine',
    },
    {
      id: 'CacheBusy',
      meaning: `The cache uses more than ${share} of the processing units that it may.`,
      metric: metric('ElastiCacheProcessingUnits', 'Sum'),
      threshold: CACHE_USE_MAX * cache.processingUnitsPerSecond * PERIOD.toSeconds(),
      periods: 5,
      silence: 'fine',
    },
    {
      id: 'CacheFull',
      meaning: `The cache holds more than ${share} of what it may: beyond, it drops the counters that were used least recently.`,
      metric: metric('BytesUsedForCache', 'Maximum'),
      threshold: CACHE_USE_MAX * DATA_GB_MAX * 1024 ** 3,
      periods: 5,
      silence: 'fine',
    },
  ];
}

function streamMetric(events: EventStream, metricName: string, statistic: string): cloudwatch.Metric {
  return new cloudwatch.Metric({
    namespace: 'AWS/Firehose',
    metricName,
    statistic,
    period: PERIOD,
    dimensionsMap: { DeliveryStreamName: events.name },
  });
}

function eventAlarms({ events }: DataAlarmsInput): readonly AlarmPlan[] {
  if (events === null) return [];
  return [
    {
      id: 'EventsThrottled',
      meaning:
        'The event stream refuses records: tasks keep them and try again, until they have no room left.',
      metric: streamMetric(events, 'ThrottledRecords', 'Sum'),
      threshold: 0,
      periods: 5,
      silence: 'fine',
    },
    {
      id: 'EventsNotDelivered',
      meaning: `The oldest event that has not reached the bucket is more than ${EVENT_AGE_S_MAX / 60} minutes old.`,
      metric: streamMetric(events, 'DeliveryToS3.DataFreshness', 'Maximum'),
      threshold: EVENT_AGE_S_MAX,
      periods: 5,
      silence: 'fine',
    },
  ];
}
