/**
 * Every setting of a task: its variable, how it is read, what it is where it isn't given, and what it means. docs/SETTINGS.md is
 * generated from this table; service/env.ts reads it.
 */
export interface Setting<T> {
  readonly variable: string;
  /** Returns the value, or throws an Error that says what is allowed. */
  readonly parse: (text: string) => T;
  /** Undefined: must be given. */
  readonly fallback: T | undefined;
  readonly unit: string;
  readonly description: string;
  /** Its value is never shown. */
  readonly secret: boolean;
}

interface SettingText<T> {
  readonly variable: string;
  readonly description: string;
  readonly fallback?: T;
  readonly secret?: boolean;
}

function setting<T>(text: SettingText<T>, unit: string, parse: (text: string) => T): Setting<T> {
  const { variable, description, secret = false } = text;
  return { variable, description, secret, unit, parse, fallback: text.fallback };
}

function number(text: SettingText<number> & { min: number; max: number; unit: string }): Setting<number> {
  const { min, max } = text;
  return setting(text, text.unit, (value) => {
    const parsed = Number(value);
    if (value.trim() === '' || !Number.isInteger(parsed) || parsed < min || parsed > max) {
      throw new Error(`must be a whole number from ${min} to ${max}`);
    }
    return parsed;
  });
}

function choice<const T extends string>(text: SettingText<T> & { of: readonly T[] }): Setting<T> {
  return setting(text, text.of.join(' | '), (value) => {
    const found = text.of.find((one) => one === value);
    if (found === undefined) throw new Error(`must be one of ${text.of.join(', ')}`);
    return found;
  });
}

function pattern(text: SettingText<string> & { matches: RegExp; allowed: string }): Setting<string> {
  return setting(text, 'text', (value) => {
    if (!text.matches.test(value)) throw new Error(`must be ${text.allowed}`);
    return value;
  });
}

/** `name=value,name=value`. */
function pairs(text: SettingText<ReadonlyMap<string, string>>): Setting<ReadonlyMap<string, string>> {
  return setting(text, 'name=value,…', (value) => {
    const found = new Map<string, string>();
    for (const part of value.split(',').filter((one) => one !== '')) {
      const at = part.indexOf('=');
      if (at < 1 || at === part.length - 1) throw new Error('must be name=value pairs, separated by commas');
      found.set(part.slice(0, at), part.slice(at + 1));
    }
    return found;
  });
}

function list(
  text: SettingText<readonly string[]> & { matches?: RegExp; allowed?: string },
): Setting<readonly string[]> {
  return setting(text, 'list, separated by commas', (value) => {
    const parts = value.split(',').filter((one) => one !== '');
    const { matches, allowed } = text;
    if (matches !== undefined && (parts.length === 0 || !parts.every((part) => matches.test(part)))) {
      throw new Error(`must be a comma-separated list of ${allowed ?? 'values'}`);
    }
    return parts;
  });
}

const NAME = {
  matches: /^[a-z][a-z0-9-]{0,31}$/,
  allowed: 'lower-case letters, digits and dashes, at most 32',
};
const POSTGRES_URL = { matches: /^postgres(ql)?:\/\/.+/, allowed: 'a postgres:// URL' };

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
  taskId: pattern({
    variable: 'KEYHEARTH_TASK_ID',
    description: 'Name of this task among all of the zone; made up at start where it is not given.',
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
  writerUrl: pattern({
    variable: 'KEYHEARTH_WRITER_URL',
    description: 'The region’s own cluster endpoint: the writer while this region is home.',
    secret: true,
    ...POSTGRES_URL,
  }),
  readerUrls: list({
    variable: 'KEYHEARTH_READER_URLS',
    description: 'Instances of the region to read from, the preferred one first.',
    secret: true,
    matches: POSTGRES_URL.matches,
    allowed: 'postgres:// URLs',
  }),
  peers: pairs({
    variable: 'KEYHEARTH_PEERS',
    description: 'The other regions of the zone, each with the private URL of its tasks.',
    fallback: new Map(),
  }),
  peerSecret: pattern({
    variable: 'KEYHEARTH_PEER_SECRET',
    description: 'Signs what the regions of a zone say to each other; the same in all of them.',
    secret: true,
    matches: /^.{32,}$/,
    allowed: 'at least 32 characters',
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
    description: 'Estimated heap of the hot keys at most.',
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
  logLevel: choice({
    variable: 'KEYHEARTH_LOG_LEVEL',
    description: 'Least level that is logged.',
    fallback: 'info',
    of: ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'],
  }),
} as const satisfies Record<
  string,
  | Setting<never>
  | Setting<string>
  | Setting<number>
  | Setting<readonly string[]>
  | Setting<ReadonlyMap<string, string>>
>;
