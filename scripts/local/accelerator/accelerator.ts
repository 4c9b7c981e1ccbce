import { EventEmitter } from 'node:events';

import type { RttMatrix } from '../../../topology/latency.ts';
import { HealthChecks } from './health.ts';
import type { HealthOptions } from './health.ts';
import { startProxy } from './proxy.ts';
import type { Candidate, Proxy } from './proxy.ts';

export interface AcceleratorRegion {
  readonly region: string;
  /** Where the region's task (or its balancer) listens. */
  readonly host: string;
  readonly port: number;
}

/** Ports to listen on; 0 takes any free one. */
export interface AcceleratorPorts {
  /** The zone's url: no delay, the first healthy region in the order given. */
  readonly direct: number;
  /** By client location. */
  readonly clients: Readonly<Record<string, number>>;
}

export interface AcceleratorOptions {
  readonly zone: string;
  /** The first one is where the port without delay goes while it is healthy. */
  readonly regions: readonly AcceleratorRegion[];
  /** Round-trip times in ms; every location of `ports.clients` needs a row with every region. */
  readonly matrix: RttMatrix;
  readonly ports: AcceleratorPorts;
  readonly health: HealthOptions;
  /** @default 127.0.0.1 */
  readonly host?: string;
  /** @default 340 s */
  readonly idleTimeoutMs?: number;
}

export interface RegionHealthEvent {
  readonly zone: string;
  readonly region: string;
  readonly isHealthy: boolean;
}

export interface Accelerator {
  readonly zone: string;
  /** The ports that it listens on. */
  readonly ports: AcceleratorPorts;
  /** `health`: a region became healthy or unhealthy. */
  readonly events: EventEmitter<{ health: [RegionHealthEvent] }>;
  /** Connections that are open now. */
  readonly connections: number;
  /** Where a new connection from this location (or `direct`) goes now. */
  regionOf(location: string): string;
  isHealthy(region: string): boolean;
  /** Closes its ports, cuts its connections, ends its checks. */
  stop(): Promise<void>;
}

/**
 * Stands in for Global Accelerator on one machine, for one zone: a port for each client location that leads to the nearest
 * healthy region with the round-trip time between the two, and one without delay. TCP only: it never looks at what it passes on.
 *
 * Where the nearest region refuses the connection, the next nearest gets it. When a region becomes unhealthy its connections are
 * cut (the real one leaves idle connections on it until they time out); while none is healthy, it fails open to the nearest, as the
 * real one does. Resolves after the first check of each region. Rejects where a port is taken (`code`, `port`).
 */
export async function startAccelerator(options: AcceleratorOptions): Promise<Accelerator> {
  const { zone, matrix, ports, host = '127.0.0.1' } = options;
  const events: Accelerator['events'] = new EventEmitter();
  const distances = new Map(
    Object.keys(ports.clients).map((location) => [
      location,
      distancesFrom(location, matrix, options.regions),
    ]),
  );
  const proxies = new Map<string, Proxy>();
  const checks = new HealthChecks({
    targets: options.regions.map(({ region, ...address }) => ({ name: region, ...address })),
    health: options.health,
    onChange: (region, isHealthy) => {
      if (!isHealthy) for (const proxy of proxies.values()) proxy.cut(region);
      events.emit('health', { zone, region, isHealthy });
    },
  });
  const candidates = (location: string): readonly Candidate[] => {
    const rtts = distances.get(location);
    const all = options.regions
      .map(({ region, ...address }) => ({ name: region, ...address, rttMs: rtts?.get(region) ?? 0 }))
      .toSorted((a, b) => a.rttMs - b.rttMs);
    return [
      ...all.filter(({ name }) => checks.isHealthy(name)),
      ...all.filter(({ name }) => !checks.isHealthy(name)),
    ];
  };
  const stop = async (): Promise<void> => {
    checks.stop();
    await Promise.all([...proxies.values()].map((proxy) => proxy.stop()));
  };
  const listen = async (location: string, port: number): Promise<number> => {
    const idle = options.idleTimeoutMs === undefined ? {} : { idleTimeoutMs: options.idleTimeoutMs };
    const proxy = await startProxy({ host, port, candidates: () => candidates(location), ...idle });
    proxies.set(location, proxy);
    return proxy.port;
  };
  try {
    await checks.start();
    const direct = await listen(DIRECT, ports.direct);
    const clients: Record<string, number> = {};
    for (const [location, port] of Object.entries(ports.clients))
      clients[location] = await listen(location, port);
    return {
      zone,
      events,
      ports: { direct, clients },
      get connections() {
        return [...proxies.values()].reduce((sum, proxy) => sum + proxy.connections, 0);
      },
      regionOf: (location) => {
        if (!proxies.has(location))
          throw new Error(`${location} is no client location of the accelerator of zone ${zone}`);
        return candidates(location)[0]?.name ?? '';
      },
      isHealthy: (region) => checks.isHealthy(region),
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

const DIRECT = 'direct';

function distancesFrom(
  location: string,
  matrix: RttMatrix,
  regions: readonly AcceleratorRegion[],
): ReadonlyMap<string, number> {
  return new Map(
    regions.map(({ region }) => {
      const rttMs = matrix[location]?.[region];
      if (rttMs === undefined)
        throw new Error(`the round-trip time from ${location} to ${region} is missing`);
      return [region, rttMs];
    }),
  );
}
