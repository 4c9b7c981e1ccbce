import { PROCESSING_UNITS_PER_EXCHANGE } from '../../../infra/cache-limits.ts';

interface Assumption {
  readonly value: number;
  readonly unit: string;
  readonly why: string;
}

/** What a plan supposes beside prices and sizes. None is measured unless it says so: put your own numbers into a file for `--prices`. */
export const ASSUMPTIONS = {
  requestBytes: {
    value: 700,
    unit: 'bytes',
    why: 'a verification as it comes in: headers, body, TLS and TCP',
  },
  responseBytes: { value: 600, unit: 'bytes', why: 'its answer, likewise' },
  newConnectionShare: {
    value: 0.01,
    unit: 'of verifications',
    why: 'open a connection: clients keep them, and the load balancer ends each after 300 s',
  },
  verificationsPerOpenConnection: {
    value: 5,
    unit: 'per second',
    why: 'on each connection that is open',
  },
  homeShare: {
    value: 0.001,
    unit: 'of verifications',
    why: 'send as many bytes as a verification has to another region: management calls, confirmations at home',
  },
  coldShare: {
    value: 0.001,
    unit: 'of verifications',
    why: 'are of keys that no task has in memory; each reads the database of the region',
  },
  ioPerColdRead: { value: 3, unit: 'requests', why: 'of the volume, for a key that is in no buffer either' },
  writesPerSecond: {
    value: 2,
    unit: 'per second',
    why: 'of the zone, idle too: a heartbeat each second, and a change to a key',
  },
  ioPerWrite: { value: 3, unit: 'requests', why: 'of the volume, of 4 KB each' },
  replicatedBytesPerWrite: {
    value: 2000,
    unit: 'bytes',
    why: 'of the log that Aurora sends to each further region',
  },
  acuAtLeast: {
    value: 0.5,
    unit: 'ACU',
    why: 'at which a serverless instance stays, whatever less it is configured to; its insights may keep it at 2',
  },
  databaseGb: { value: 10, unit: 'GB', why: 'the volume, and the table of DynamoDB: some ten million keys' },
  backupDailyShare: {
    value: 0.05,
    unit: 'of the volume',
    why: 'change in a day; Aurora keeps one day of backups for nothing',
  },
  cacheGb: {
    value: 0.1,
    unit: 'GB',
    why: 'of counters; ElastiCache Serverless for Valkey bills 100 MB at least',
  },
  limitedShare: {
    value: 0.25,
    unit: 'of verifications',
    why: 'are of keys that have a rate limit, one each; both sides count them',
  },
  exchangesPerVerification: {
    value: 1,
    unit: 'calls',
    why: 'of the script in the cache, for each of those, which is the most: each task exchanges a counter ten times a second, however much is asked of it',
  },
  ecpuPerExchange: {
    value: PROCESSING_UNITS_PER_EXCHANGE,
    unit: 'ECPU',
    why: 'a call of a script that counts; ElastiCache bills the time that it takes in units of a plain command’s, and doesn’t say how',
  },
  cacheBytes: { value: 400, unit: 'bytes', why: 'between task and cache, for each call, there and back' },
  crossZoneShare: {
    value: 0.5,
    unit: 'of bytes',
    why: 'between task and cache go to another availability zone',
  },
  eventsPerVerification: {
    value: 0,
    unit: 'events',
    why: 'of usage, on both sides; this version writes none yet',
  },
  eventBytes: { value: 350, unit: 'bytes', why: 'an event, a line of JSON' },
  eventsPerRecord: {
    value: 14,
    unit: 'events',
    why: 'in a record of Firehose, which bills each as a multiple of 5 KB; a function has 1',
  },
  eventCompression: { value: 0.2, unit: 'of bytes', why: 'are left after GZIP' },
  taskLogBytesPerMinute: {
    value: 4000,
    unit: 'bytes',
    why: 'of a task: a line of metrics a minute, few others; none for a verification',
  },
  databaseLogBytesPerMinute: { value: 1000, unit: 'bytes', why: 'of a database instance' },
  flowLogBytes: {
    value: 150,
    unit: 'bytes',
    why: 'a record; each end of a connection writes one for either direction in every minute in which it is open',
  },
  logCompression: { value: 0.15, unit: 'of bytes', why: 'are left where CloudWatch keeps logs' },
  insightsMetrics: {
    value: 25,
    unit: 'metrics',
    why: 'that Container Insights makes of a cluster with one service (believed)',
  },
  insightsLogBytesPerMinute: {
    value: 3000,
    unit: 'bytes',
    why: 'of a task, of which Container Insights makes them (believed)',
  },
  kmsRequests: {
    value: 100_000,
    unit: 'a month',
    why: 'of a region: logs, events, secrets, task disks; on top comes one for each text of a recoverable key that is kept or read',
  },
  imageGb: { value: 0.2, unit: 'GB', why: 'the image, in each region' },
  lambdaMemoryMb: {
    value: 256,
    unit: 'MB',
    why: 'enough to call DynamoDB from Node; 128 to 512 are usual',
  },
  lambdaMs: {
    value: 8,
    unit: 'ms',
    why: 'billed of an invocation: a read of DynamoDB',
  },
  cachedLambdaMs: {
    value: 3,
    unit: 'ms',
    why: 'billed of an invocation on average where the function keeps keys in memory',
  },
  countLambdaMs: {
    value: 4,
    unit: 'ms',
    why: 'more of an invocation that counts, which it does once it has read the key',
  },
  lambdaLogBytes: {
    value: 0,
    unit: 'bytes',
    why: 'of an invocation: nothing, as Keyhearth; with Lambda’s own lines (START, END, REPORT) about 500',
  },
  readUnitsPerVerification: {
    value: 0.5,
    unit: 'units',
    why: 'an eventually consistent read of a key up to 4 KB',
  },
  cachedReadUnitsPerVerification: {
    value: 0.05,
    unit: 'units',
    why: 'where the function keeps keys in memory: one in ten verifications reads',
  },
  writeUnitsPerCount: {
    value: 1,
    unit: 'units',
    why: 'a counter of a limit in DynamoDB, for each verification of a key that has one',
  },
  provisionedUse: {
    value: 0.7,
    unit: 'of units',
    why: 'are used where tables are provisioned: what DynamoDB’s own scaling aims at unless told otherwise',
  },
  keyWritesPerSecond: {
    value: 1,
    unit: 'per second',
    why: 'changes to keys, in the global table; idle too',
  },
  serverlessAlarms: { value: 10, unit: 'alarms', why: 'of a region' },
} as const satisfies Readonly<Record<string, Assumption>>;

export type AssumptionName = keyof typeof ASSUMPTIONS;

// Object.keys forgets what the keys of an object literal are.
export const ASSUMPTION_NAMES = Object.keys(ASSUMPTIONS) as readonly AssumptionName[];

export type Assumptions = Readonly<Record<AssumptionName, number>>;

/** Where both sides do most: every key has a limit, and each verification is recorded, which this version of Keyhearth doesn't do yet. */
export const COUNTED = {
  limitedShare: 1,
  eventsPerVerification: 1,
} as const satisfies Partial<Assumptions>;
