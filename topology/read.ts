import type { AwsRegion } from './aws-regions.ts';
import type { Environment, RegionSize, Topology, Zone } from './types.ts';

/** What a region has where its zone says nothing else. */
export const DEFAULT_SIZE: Required<RegionSize> = {
  minTasks: 2,
  maxTasks: 8,
  taskVcpu: 1,
  taskMemoryMb: 2048,
  requestsPerTask: 1000,
  cpuTargetPercent: 40,
  databaseMinAcu: 0.5,
  databaseMaxAcu: 8,
  databaseInstanceClass: 'serverless',
  databaseInstances: 2,
};
export const DEFAULT_MAX_STALENESS_MS = 10_000;
export const DEFAULT_STALENESS_MODE = 'serve';

/** The named environment, or the first one. Throws an `Error` that names the known ones where there is none of that name. */
export function environmentOf(topology: Topology, name?: string): Environment {
  const names = Object.keys(topology.environments);
  const wanted = name ?? names[0];
  const environment =
    wanted !== undefined && Object.hasOwn(topology.environments, wanted)
      ? topology.environments[wanted]
      : undefined;
  if (environment === undefined) {
    throw new Error(`there is no environment ${JSON.stringify(wanted)}; known are ${names.join(', ')}`);
  }
  return environment;
}

/** The named zone of an environment. Throws an `Error` that names the known ones where there is none of that name. */
export function zoneOf(environment: Environment, name: string): Zone {
  const zone = environment.zones.find((candidate) => candidate.name === name);
  if (zone === undefined) {
    const names = environment.zones.map((candidate) => candidate.name);
    throw new Error(`there is no zone ${JSON.stringify(name)}; known are ${names.join(', ')}`);
  }
  return zone;
}

/** All regions of a zone, the origin first. */
export function regionsOf(zone: Zone): readonly AwsRegion[] {
  return [zone.origin, ...zone.replicas];
}

/** The size of one region: its own fields, then the zone's default, then `DEFAULT_SIZE`. */
export function sizeOf(zone: Zone, region: AwsRegion): Required<RegionSize> {
  return { ...DEFAULT_SIZE, ...zone.sizes?.default, ...zone.sizes?.[region] };
}
