import {
  DEFAULT_MAX_STALENESS_MS,
  DEFAULT_STALENESS_MODE,
  environmentOf,
  regionsOf,
  zoneOf,
} from '../topology/read.ts';
import type { Topology } from '../topology/types.ts';
import type { Env } from './env.ts';

/** What a task is told of its zone, by its environment or by regions.config.ts. */
export interface ZoneFacts {
  readonly origin: string;
  /** Regions that are the zone's without having said so, the own one among them. */
  readonly regions: readonly string[];
  /** Other regions are found in the zone's data. False: `regions` are all. */
  readonly discovers: boolean;
  readonly maxStalenessMs: number;
  readonly stalenessMode: 'serve' | 'confirm' | 'refuse';
  /** Where calls for a zone belong, by the zone's name. */
  readonly zones: ReadonlyMap<string, string>;
}

type Given = Pick<
  Env,
  | 'environment'
  | 'maxStalenessMs'
  | 'origin'
  | 'peers'
  | 'peerUrl'
  | 'region'
  | 'stalenessMode'
  | 'zone'
  | 'zoneUrls'
>;

/**
 * With KEYHEARTH_ORIGIN, regions.config.ts isn't read, and needn't be there. Fails with an Error that says what doesn't fit, or which
 * variable is missing. `load` is for tests.
 */
export async function readZoneFacts(env: Given, load = loadTopology): Promise<ZoneFacts> {
  return env.origin === '' ? factsOf(env, await load()) : givenFacts(env);
}

function givenFacts(env: Given): ZoneFacts {
  const { origin, peers, region, zone, zoneUrls } = env;
  if (!zoneUrls.has(zone)) {
    throw new Error(
      `KEYHEARTH_ZONE_URLS doesn't name zone ${zone}: with KEYHEARTH_ORIGIN it says where calls for this zone belong`,
    );
  }
  if (region !== origin && peers.size === 0 && env.peerUrl === '') {
    throw new Error(
      'KEYHEARTH_PEER_URL is missing: with KEYHEARTH_ORIGIN it says how other regions are reached (or KEYHEARTH_PEERS does)',
    );
  }
  return {
    origin,
    regions: [...new Set([region, ...peers.keys()])],
    discovers: true,
    maxStalenessMs: env.maxStalenessMs === 0 ? DEFAULT_MAX_STALENESS_MS : env.maxStalenessMs,
    stalenessMode: env.stalenessMode === 'zone' ? DEFAULT_STALENESS_MODE : env.stalenessMode,
    zones: zoneUrls,
  };
}

function factsOf(env: Given, topology: Topology): ZoneFacts {
  const environment = environmentOf(topology, env.environment === '' ? undefined : env.environment);
  const zone = zoneOf(environment, env.zone);
  const regions: readonly string[] = regionsOf(zone);
  if (!regions.includes(env.region)) {
    throw new Error(`zone "${zone.name}" has no region ${env.region}; it has ${regions.join(', ')}`);
  }
  return {
    origin: zone.origin,
    regions,
    discovers: false,
    maxStalenessMs:
      env.maxStalenessMs === 0 ? (zone.maxStalenessMs ?? DEFAULT_MAX_STALENESS_MS) : env.maxStalenessMs,
    stalenessMode:
      env.stalenessMode === 'zone' ? (zone.stalenessMode ?? DEFAULT_STALENESS_MODE) : env.stalenessMode,
    zones: new Map(environment.zones.map((one) => [one.name, env.zoneUrls.get(one.name) ?? one.hostname])),
  };
}

/** Read only where it is needed: an image holds one file, and no regions.config.ts beside it. */
async function loadTopology(): Promise<Topology> {
  try {
    return (await import('../regions.config.ts')).default;
  } catch (cause) {
    if (!isAbsent(cause)) throw cause;
    throw new Error(
      'KEYHEARTH_ORIGIN is missing: there is no regions.config.ts to take the region from in which the zone’s database was first made',
      { cause },
    );
  }
}

function isAbsent(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ERR_MODULE_NOT_FOUND';
}
