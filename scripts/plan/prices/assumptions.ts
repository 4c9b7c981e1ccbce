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
    why: 'of the zone: a heartbeat each second, and changes to keys',
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
  ecpuPerVerification: {
    value: 1,
    unit: 'ECPU',
    why: 'as if each verification were a command of its own; tasks put them together, so it is less',
  },
  cacheBytes: { value: 200, unit: 'bytes', why: 'between task and cache, for each verification' },
  crossZoneShare: {
    value: 0.5,
    unit: 'of bytes',
    why: 'between task and cache go to another availability zone',
  },
  eventsPerVerification: {
    value: 1,
    unit: 'events',
    why: 'of usage; this version writes none yet, put 0 for what it costs today',
  },
  eventBytes: { value: 350, unit: 'bytes', why: 'an event, a line of JSON' },
  eventsPerRecord: {
    value: 14,
    unit: 'events',
    why: 'in a record of Firehose, which bills each as a multiple of 5 KB',
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
    why: 'at each of both ends of a connection, when it is new and in every ten minutes',
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
  kmsRequests: { value: 100_000, unit: 'a month', why: 'of a region: logs, events, secrets, task disks' },
  imageGb: { value: 0.2, unit: 'GB', why: 'the image, in each region' },
  lambdaMemoryMb: {
    value: 256,
    unit: 'MB',
    why: 'enough for two calls of DynamoDB from Node; 128 to 512 are usual',
  },
  lambdaMs: {
    value: 12,
    unit: 'ms',
    why: 'billed of an invocation: a read and a write of DynamoDB, one after the other',
  },
  lambdaLogBytes: {
    value: 0,
    unit: 'bytes',
    why: 'of an invocation: nothing, as Keyhearth; with Lambda’s own lines (START, END, REPORT) about 500',
  },
  readUnitsPerVerification: {
    value: 0.5,
    unit: 'units',
    why: 'an eventually consistent read of a key up to 4 KB; a cache in the function would see revocations late',
  },
  writeUnitsPerVerification: {
    value: 1,
    unit: 'units',
    why: 'a counter of a limit or of usage, in the table of the region as Keyhearth’s are; put 0 for keys without limits',
  },
  keyWritesPerSecond: { value: 1, unit: 'per second', why: 'changes to keys, in the global table' },
  serverlessAlarms: { value: 10, unit: 'alarms', why: 'of a region' },
} as const satisfies Readonly<Record<string, Assumption>>;

export type AssumptionName = keyof typeof ASSUMPTIONS;

// Object.keys forgets what the keys of an object literal are.
export const ASSUMPTION_NAMES = Object.keys(ASSUMPTIONS) as readonly AssumptionName[];

export type Assumptions = Readonly<Record<AssumptionName, number>>;
