import { HealthChecks } from './health.ts';
import type { HealthOptions } from './health.ts';
import { startProxy } from './proxy.ts';

export interface BalancerTarget {
  readonly host: string;
  readonly port: number;
}

export interface BalancerOptions {
  /** 0 takes any free one. */
  readonly port: number;
  readonly targets: readonly BalancerTarget[];
  /** @default 127.0.0.1 */
  readonly host?: string;
  /** @default GET /readyz every 200 ms, unhealthy after 2 misses */
  readonly health?: HealthOptions;
}

export interface Balancer {
  readonly port: number;
  readonly connections: number;
  isHealthy(target: BalancerTarget): boolean;
  stop(): Promise<void>;
}

const DEFAULT_HEALTH: HealthOptions = { path: '/readyz', intervalMs: 200, misses: 2 };

/**
 * Stands in for a region's load balancer where it has several tasks: connections go to the healthy ones in turn, those of a
 * task that became unhealthy are cut, and while none is healthy all get them. TCP only. Rejects where the port is taken.
 */
export async function startBalancer(options: BalancerOptions): Promise<Balancer> {
  const { port, host = '127.0.0.1', health = DEFAULT_HEALTH } = options;
  const targets = options.targets.map((target) => ({ name: nameOf(target), ...target, rttMs: 0 }));
  let next = 0;
  const checks = new HealthChecks({
    targets,
    health,
    onChange: (name, isHealthy) => {
      if (!isHealthy) proxy.cut(name);
    },
  });
  const proxy = await startProxy({
    host,
    port,
    candidates: () => {
      const healthy = targets.filter(({ name }) => checks.isHealthy(name));
      const usable = healthy.length > 0 ? healthy : targets;
      const first = next++ % Math.max(1, usable.length);
      return [...usable.slice(first), ...usable.slice(0, first)];
    },
  });
  await checks.start();
  return {
    port: proxy.port,
    get connections() {
      return proxy.connections;
    },
    isHealthy: (target) => checks.isHealthy(nameOf(target)),
    stop: async () => {
      checks.stop();
      await proxy.stop();
    },
  };
}

function nameOf({ host, port }: BalancerTarget): string {
  return `${host}:${port}`;
}
