import {
  choice,
  databaseUrl,
  databaseUrls,
  list,
  NAME,
  number,
  numberOr0,
  pairs,
  parsePeers,
  parseUrlTemplate,
  pattern,
  setting,
  type Setting,
  valkeyUrl,
  vault,
} from './setting-kinds.ts';
import type { VaultSetting } from './vault/setting.ts';

/**
 * Every setting of a task. docs/SETTINGS.md is generated from this table; service/env.ts reads it.
 */
export const SETTINGS = {
  environment: pattern({
    variable: 'KEYHEARTH_ENVIRONMENT',
    description: 'Environment of regions.config.ts; the first one where it is not given.',
    fallback: '',
    matches: /^[a-z0-9-]*$/,
    allowed: 'the name of an environment',
  }),
  zone: pattern({ variable: 'KEYHEARTH_ZONE', description: 'The zone that this task belongs to.', ...NAME }),
  region: pattern({
    variable: 'KEYHEARTH_REGION',
    description: 'The region that this task runs in.',
    ...NAME,
  }),
  origin: pattern({
    variable: 'KEYHEARTH_ORIGIN',
    description:
      'Region in which the zone’s database was first made. Where it is given, regions.config.ts is not read, and the zone’s other regions are found in its data.',
    fallback: '',
    ...NAME,
  }),
  ecsMetadataUri: pattern({
    variable: 'ECS_CONTAINER_METADATA_URI_V4',
    description: 'Set by ECS: where a task asks for its own id, which then names it.',
    fallback: '',
    matches: /^https?:\/\/\S+$/,
    allowed: 'a URL',
  }),
  taskId: pattern({
    variable: 'KEYHEARTH_TASK_ID',
    description:
      'Name of this task among all of the zone; where it is not given, `<region>/<ECS task id>` on ECS, and made up at start elsewhere.',
    fallback: '',
    matches: /^[\w./:-]{0,200}$/,
    allowed: 'at most 200 letters, digits and ._/:-',
  }),
  taskSlot: pattern({
    variable: 'KEYHEARTH_TASK_SLOT',
    description:
      'A place that one task fills at a time: a new task there means that the one before has stopped.',
    fallback: '',
    matches: /^[\w./:-]{0,200}$/,
    allowed: 'at most 200 letters, digits and ._/:-',
  }),
  host: pattern({
    variable: 'KEYHEARTH_HOST',
    description: 'Address to listen on.',
    fallback: '0.0.0.0',
    matches: /^\S+$/,
    allowed: 'an address',
  }),
  port: number({
    variable: 'KEYHEARTH_PORT',
    description: 'Port to listen on.',
    fallback: 8080,
    min: 1,
    max: 65535,
    unit: 'port',
  }),
  writerUrl: databaseUrl({
    variable: 'KEYHEARTH_WRITER_URL',
    description: 'The region’s own cluster endpoint: the writer while this region is home.',
    secret: true,
  }),
  readerUrls: databaseUrls({
    variable: 'KEYHEARTH_READER_URLS',
    description: 'Instances of the region to read from, the preferred one first.',
    secret: true,
  }),
  databaseAuth: choice({
    variable: 'KEYHEARTH_DATABASE_AUTH',
    description:
      'How a task proves who it is: by the password in the URL, or by an RDS IAM token, signed for each connection with the credentials of the task’s role; then the URL has no password, and TLS is needed.',
    fallback: 'password',
    of: ['password', 'iam'],
  }),
  databaseTls: pattern({
    variable: 'KEYHEARTH_DATABASE_TLS',
    description:
      'How a database proves who it is: not at all (`off`), by a certificate of RDS (`rds`), or by one of the authorities in a PEM file, whose path this is. Chain and host name are always checked.',
    fallback: 'off',
    matches: /^(off|rds|.*[/.].*)$/,
    allowed: 'off, rds, or the path of a PEM file',
  }),
  peers: setting<ReadonlyMap<string, string>>(
    {
      variable: 'KEYHEARTH_PEERS',
      description: 'The other regions of the zone, each with the private URL of its tasks.',
      fallback: new Map(),
    },
    'name=value,…',
    parsePeers,
  ),
  peerUrl: setting(
    {
      variable: 'KEYHEARTH_PEER_URL',
      description:
        'Private URL of the tasks of any other region, with `{region}` for its name; for those that KEYHEARTH_PEERS doesn’t name.',
      fallback: '',
    },
    'URL with {region}',
    parseUrlTemplate,
  ),
  peerServerName: pattern({
    variable: 'KEYHEARTH_PEER_SERVER_NAME',
    description:
      'Name in the certificates of peers with https URLs; the host of the URL where it is not given.',
    fallback: '',
    matches: /^[a-z0-9][a-z0-9.-]{0,252}$/,
    allowed: 'a host name',
  }),
  peerSecret: pattern({
    variable: 'KEYHEARTH_PEER_SECRET',
    description: 'Signs what the regions of a zone say to each other; the same in all of them.',
    secret: true,
    matches: /^.{32,}$/,
    allowed: 'at least 32 characters',
  }),
  vault: vault({
    variable: 'KEYHEARTH_VAULT',
    description:
      'What encrypts the texts of recoverable keys: `file:<path>` of a key file (made by `service/vault-key.ts`), the same for all tasks of the zone, or `kms:<ARN>` of this region’s copy of the zone’s key. Without one, no key can be recoverable.',
  }),
  valkey: valkeyUrl({
    variable: 'KEYHEARTH_VALKEY',
    description:
      'The region’s Valkey or Redis (7 or later) in cluster mode, one node at least, through which its tasks share rate limits: `rediss://` with TLS, `redis://` without. A task that starts finds the other nodes there, so the host has to be a name that outlives a node. Without one each task counts by itself, and exact limits hold for each task alone. A task starts and answers whether it can be reached or not.',
    secret: true,
  }),
  valkeyAuth: choice({
    variable: 'KEYHEARTH_VALKEY_AUTH',
    description:
      'How a task proves to it who it is: by user and password in the URL, if any, or by an IAM token of ElastiCache, signed for each connection with the credentials of the task’s role; then the URL has neither, and TLS is needed.',
    fallback: 'password',
    of: ['password', 'iam'],
  }),
  valkeyUser: pattern({
    variable: 'KEYHEARTH_VALKEY_USER',
    description: 'ElastiCache user that the token is for; its id and its name are the same.',
    fallback: '',
    matches: /^[a-z][a-z0-9-]{0,39}$/,
    allowed: 'the id of an ElastiCache user: lower-case letters, digits and dashes, at most 40',
  }),
  valkeyCache: pattern({
    variable: 'KEYHEARTH_VALKEY_CACHE',
    description: 'Name of the cache that the token is for.',
    fallback: '',
    matches: /^[a-z][a-z0-9-]{0,39}$/,
    allowed: 'the name of a cache: lower-case letters, digits and dashes, at most 40',
  }),
  valkeyTlsCa: pattern({
    variable: 'KEYHEARTH_VALKEY_TLS_CA',
    description:
      'Path of a PEM file with the authorities that its certificate may come from; the public ones where it is not given. Chain and host name are always checked.',
    fallback: '',
    matches: /^.*[/.].*$/,
    allowed: 'the path of a PEM file',
  }),
  zoneUrls: pairs({
    variable: 'KEYHEARTH_ZONE_URLS',
    description:
      'Where calls for a zone belong, said to who calls the wrong one; the hostnames of regions.config.ts where it is not given.',
    fallback: new Map(),
  }),
  trustedProxies: list({
    variable: 'KEYHEARTH_TRUSTED_PROXIES',
    description: 'Addresses or CIDR blocks whose X-Forwarded-For is believed.',
    fallback: [],
  }),
  pollMs: number({
    variable: 'KEYHEARTH_POLL_MS',
    description: 'Pause between two polls of the change feed.',
    fallback: 100,
    min: 5,
    max: 10_000,
    unit: 'ms',
  }),
  heartbeatMs: number({
    variable: 'KEYHEARTH_HEARTBEAT_MS',
    description: 'Pause between two heartbeats of the home.',
    fallback: 1000,
    min: 50,
    max: 60_000,
    unit: 'ms',
  }),
  maxStalenessMs: number({
    variable: 'KEYHEARTH_MAX_STALENESS_MS',
    description:
      'How far a task’s view may be behind home before KEYHEARTH_STALENESS_MODE applies; at least 3 heartbeats. The zone’s value of regions.config.ts where it is 0.',
    fallback: 0,
    min: 0,
    max: 86_400_000,
    unit: 'ms',
  }),
  stalenessMode: choice({
    variable: 'KEYHEARTH_STALENESS_MODE',
    description:
      'What a task does beyond that: serve (from memory, flagged), confirm (ask home each time) or refuse (503). The zone’s value of regions.config.ts where it is `zone`.',
    fallback: 'zone',
    of: ['zone', 'serve', 'confirm', 'refuse'],
  }),
  maxKeys: number({
    variable: 'KEYHEARTH_MAX_KEYS',
    description: 'Hot keys held at most; the least recently used leave first.',
    fallback: 1_000_000,
    min: 1,
    max: 20_000_000,
    unit: 'keys',
  }),
  maxKeyBytes: number({
    variable: 'KEYHEARTH_MAX_KEY_BYTES',
    description:
      'Estimated heap of the hot keys and what they refer to, at most. Namespaces of rate limits may take another 5 %, at least 16 MiB.',
    fallback: 768 * 1024 * 1024,
    min: 1024,
    max: 2 ** 40,
    unit: 'bytes',
  }),
  maxAbsent: number({
    variable: 'KEYHEARTH_MAX_ABSENT',
    description: 'Hashes remembered as nobody’s, at most.',
    fallback: 100_000,
    min: 1,
    max: 10_000_000,
    unit: 'hashes',
  }),
  maxAgeMs: number({
    variable: 'KEYHEARTH_MAX_AGE_MS',
    description: 'Age at which a held record is read again in the background.',
    fallback: 3_600_000,
    min: 1000,
    max: 86_400_000,
    unit: 'ms',
  }),
  warmKeys: number({
    variable: 'KEYHEARTH_WARM_KEYS',
    description: 'Keys read into memory before a task is ready, the newest first.',
    fallback: 100_000,
    min: 0,
    max: 20_000_000,
    unit: 'keys',
  }),
  maxRateLimitCounters: number({
    variable: 'KEYHEARTH_MAX_RATE_LIMIT_COUNTERS',
    description:
      'Counters of rate limits held at most; expired ones leave first. One that leaves before it has expired gives its caller a new window early.',
    fallback: 500_000,
    min: 1000,
    max: 20_000_000,
    unit: 'counters',
  }),
  poolConnections: number({
    variable: 'KEYHEARTH_POOL_CONNECTIONS',
    description: 'Connections to each database instance, at most.',
    fallback: 5,
    min: 1,
    max: 100,
    unit: 'connections',
  }),
  shutdownMs: number({
    variable: 'KEYHEARTH_SHUTDOWN_MS',
    description:
      'Time that requests under way get to finish when the task is told to stop; a write may take more than 10 s.',
    fallback: 15_000,
    min: 0,
    max: 110_000,
    unit: 'ms',
  }),
  drainMs: number({
    variable: 'KEYHEARTH_DRAIN_MS',
    description: 'Time between saying “not ready” and closing, in which load balancers notice.',
    fallback: 0,
    min: 0,
    max: 60_000,
    unit: 'ms',
  }),
  clickhouseUrl: pattern({
    variable: 'KEYHEARTH_CLICKHOUSE_URL',
    description:
      'ClickHouse server that usage events are for. Without effect in this version, which emits none; so are user and password.',
    fallback: '',
    matches: /^https?:\/\/\S+$/,
    allowed: 'an http:// or https:// URL',
  }),
  clickhouseUser: pattern({
    variable: 'KEYHEARTH_CLICKHOUSE_USER',
    description: 'User of that server.',
    fallback: '',
    matches: /^\S{1,200}$/,
    allowed: 'a name without spaces',
  }),
  clickhousePassword: pattern({
    variable: 'KEYHEARTH_CLICKHOUSE_PASSWORD',
    description: 'Password of that user.',
    fallback: '',
    secret: true,
    matches: /^.+$/,
    allowed: 'not empty',
  }),
  logLevel: choice({
    variable: 'KEYHEARTH_LOG_LEVEL',
    description: 'Least level that is logged.',
    fallback: 'info',
    of: ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'],
  }),
  cloudwatchMetricsMs: numberOr0({
    variable: 'KEYHEARTH_CLOUDWATCH_METRICS_MS',
    description:
      'Time between two log lines with metrics in CloudWatch’s embedded metric format, whatever the log level; 0: none.',
    fallback: 0,
    min: 1000,
    max: 300_000,
    unit: 'ms',
  }),
} as const satisfies Record<
  string,
  | Setting<never>
  | Setting<string>
  | Setting<number>
  | Setting<readonly string[]>
  | Setting<ReadonlyMap<string, string>>
  | Setting<VaultSetting>
>;
