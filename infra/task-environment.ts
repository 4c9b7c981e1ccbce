import type { RegionDeployment, ZoneDeployment } from '../topology/deployment.ts';
import { DATABASE, peerUrlTemplate, PORTS } from './names.ts';

/**
 * What the containers of a task are told, as plain text: service/settings.ts reads it. Nothing here is known of the zone's other
 * regions, so that adding or removing one leaves every task definition as it is; tasks find each other in the zone's data.
 */

/** Time between saying "not ready" and closing. The load balancer deregisters a target in as long. */
export const DRAIN_MS = 20_000;
/** Time for requests under way; the longest write of all takes less. */
export const SHUTDOWN_MS = 15_000;
/** For what comes after the last request: connections, and the process itself. */
const EXIT_MS = 5_000;
/** ECS kills a container this long after SIGTERM. Fargate allows 120 s. */
export const STOP_TIMEOUT_S = (DRAIN_MS + SHUTDOWN_MS + EXIT_MS) / 1000;

/** Between two lines with metrics: CloudWatch's own resolution. */
const CLOUDWATCH_METRICS_MS = 60_000;

/** Of a task's memory, what Node's old generation doesn't get: the young one, buffers, code, TLS, the other processes. */
const REST_SHARE = 0.2;
const REST_MB_MIN = 192;
/**
 * Of the old generation, what hot keys may fill. The other half is for what each request makes, for records that are being replaced
 * and for the collector, which slows down where little is free; and the size of a record is an estimate.
 */
const HOT_KEY_SHARE = 0.5;
/** No hot key is estimated smaller (service/cache/record-size.ts), so it is the bytes that limit, not the number. */
const HOT_KEY_BYTES_MIN = 900;
const MAX_KEYS_LIMIT = 20_000_000;
/** Of the old generation, what counters of rate limits may fill. */
const RATE_LIMIT_SHARE = 0.1;
/** A counter as it was measured (docs/adr/0024-limits-and-credits-in-one-task.md), and as much again for long names. */
const RATE_LIMIT_COUNTER_BYTES = 340;

/** How a task's memory is shared out. */
export interface MemorySplit {
  /** For `--max-old-space-size`. */
  readonly oldSpaceMb: number;
  readonly hotKeyBytesMax: number;
  readonly hotKeysMax: number;
  readonly rateLimitCountersMax: number;
}

/** Shares out the memory of a task, which the operating system enforces: above it the process is killed. */
export function splitMemory(taskMemoryMb: number): MemorySplit {
  const oldSpaceMb = Math.floor(taskMemoryMb - Math.max(REST_MB_MIN, taskMemoryMb * REST_SHARE));
  const hotKeyBytesMax = Math.floor(oldSpaceMb * HOT_KEY_SHARE) * 1024 * 1024;
  const hotKeysMax = Math.min(MAX_KEYS_LIMIT, Math.floor(hotKeyBytesMax / HOT_KEY_BYTES_MIN));
  const rateLimitCountersMax = Math.floor(
    (oldSpaceMb * RATE_LIMIT_SHARE * 1024 * 1024) / RATE_LIMIT_COUNTER_BYTES,
  );
  return { oldSpaceMb, hotKeyBytesMax, hotKeysMax, rateLimitCountersMax };
}

/** Hosts of a region's database, without ports. */
export interface DatabaseHosts {
  readonly clusterEndpoint: string;
  /** The preferred to read from first. */
  readonly readerEndpoints: readonly string[];
  readonly globalWriterEndpoint: string | null;
}

export interface TaskPlace {
  readonly zone: ZoneDeployment;
  readonly here: RegionDeployment;
  readonly database: DatabaseHosts;
}

/** Where a region's cache is found, and who a task is there. */
export interface CachePlace {
  /** Host of its endpoint, which its certificate names. */
  readonly endpoint: string;
  readonly port: string;
  /** What a token is signed for. */
  readonly name: string;
  readonly userId: string;
}

/** What the service has beyond what every container of the region has. */
export interface ServicePlace extends TaskPlace {
  readonly cache: CachePlace;
  /** This region's copy of the zone's key for recoverable keys. */
  readonly recoverableKeyArn: string;
}

type Variables = Readonly<Record<string, string>>;

/** Of the service's container; KEYHEARTH_PEER_SECRET comes on top, from the secret. */
export function serviceEnvironment(place: ServicePlace): Variables {
  const { zone, here } = place;
  const memory = splitMemory(here.size.taskMemoryMb);
  return {
    ...oneOffEnvironment(place),
    ...readers(place),
    KEYHEARTH_ENVIRONMENT: zone.environment,
    KEYHEARTH_ORIGIN: zone.origin,
    KEYHEARTH_PORT: String(PORTS.service),
    KEYHEARTH_PEER_URL: peerUrlTemplate(zone),
    // Peers answer with the certificate of the zone's hostname, whatever private name they are called by.
    KEYHEARTH_PEER_SERVER_NAME: zone.hostname,
    KEYHEARTH_VAULT: `kms:${place.recoverableKeyArn}`,
    ...sharedCounters(place.cache),
    KEYHEARTH_ZONE_URLS: zone.knownZones.map(({ name, hostname }) => `${name}=https://${hostname}`).join(','),
    // The load balancer's addresses are of this range and change. No client's is: clients come from the internet.
    KEYHEARTH_TRUSTED_PROXIES: here.addressRange,
    KEYHEARTH_MAX_STALENESS_MS: String(zone.maxStalenessMs),
    KEYHEARTH_STALENESS_MODE: zone.stalenessMode,
    KEYHEARTH_DRAIN_MS: String(DRAIN_MS),
    KEYHEARTH_SHUTDOWN_MS: String(SHUTDOWN_MS),
    KEYHEARTH_MAX_KEY_BYTES: String(memory.hotKeyBytesMax),
    KEYHEARTH_MAX_KEYS: String(memory.hotKeysMax),
    KEYHEARTH_MAX_RATE_LIMIT_COUNTERS: String(memory.rateLimitCountersMax),
    KEYHEARTH_CLOUDWATCH_METRICS_MS: String(CLOUDWATCH_METRICS_MS),
    KEYHEARTH_LOG_LEVEL: 'info',
    NODE_OPTIONS: `--max-old-space-size=${memory.oldSpaceMb}`,
  };
}

/** Of the migrator, which alone is the master user; KEYHEARTH_MASTER_PASSWORD comes on top, from the secret. */
export function migratorEnvironment(place: TaskPlace): Variables {
  const { clusterEndpoint, globalWriterEndpoint } = place.database;
  // The own cluster first: where this region is home, the migration doesn't depend on the way to another one.
  const writers = [clusterEndpoint, ...(globalWriterEndpoint === null ? [] : [globalWriterEndpoint])];
  return {
    ...databaseAccess(place),
    ...readers(place),
    KEYHEARTH_MASTER_URLS: writers.map((host) => databaseUrl(DATABASE.masterUser, host)).join(','),
  };
}

/** Of tasks that people start for a single command, in the region that is home. */
export function oneOffEnvironment(place: TaskPlace): Variables {
  return {
    ...databaseAccess(place),
    KEYHEARTH_ZONE: place.zone.name,
    KEYHEARTH_WRITER_URL: databaseUrl(DATABASE.appUser, place.database.clusterEndpoint),
  };
}

function databaseAccess({ here }: TaskPlace): Variables {
  return {
    KEYHEARTH_REGION: here.region,
    KEYHEARTH_DATABASE_AUTH: 'iam',
    KEYHEARTH_DATABASE_TLS: 'rds',
  };
}

function readers({ database }: TaskPlace): Variables {
  const urls = database.readerEndpoints.map((host) => databaseUrl(DATABASE.appUser, host));
  return { KEYHEARTH_READER_URLS: urls.join(',') };
}

/** Serverless caches take TLS connections only, and speak the cluster protocol; a task signs a token for each connection. */
function sharedCounters({ endpoint, port, name, userId }: CachePlace): Variables {
  return {
    KEYHEARTH_VALKEY: `rediss://${endpoint}:${port}`,
    KEYHEARTH_VALKEY_AUTH: 'iam',
    KEYHEARTH_VALKEY_USER: userId,
    KEYHEARTH_VALKEY_CACHE: name,
  };
}

function databaseUrl(user: string, host: string): string {
  return `postgres://${user}@${host}:${PORTS.postgres}/${DATABASE.name}`;
}
