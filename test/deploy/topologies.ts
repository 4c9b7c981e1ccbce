import fixture from '../topology-fixture.ts';
import type { Environment, Topology, Zone } from '../../topology/types.ts';

/** An image that a test pushes to each region's registry: no test but those of the image itself has a way to build one. */
export const REPOSITORY = 'keyhearth';

/** The zones of test/topology-fixture.ts, with an image that is in a registry already. */
export function topologyWith(digest: string): Topology {
  return mapZones(fixture, (zone) => ({ ...zone, image: { repository: REPOSITORY, digest } }));
}

/** Every zone's stacks go when they are deleted, and nothing has to be unprotected first. */
export function unprotected(topology: Topology): Topology {
  return mapZones(topology, (zone) => ({ ...zone, deletionProtection: false }));
}

/** One zone changed. Throws where there is none of that name. */
export function changed(topology: Topology, name: string, change: (zone: Zone) => Zone): Topology {
  let found = false;
  const result = mapZones(topology, (zone) => {
    if (zone.name !== name) return zone;
    found = true;
    return change(zone);
  });
  if (!found) throw new Error(`no zone ${name}`);
  return result;
}

export function zonesOf({ environments }: Topology): readonly { environment: string; zone: Zone }[] {
  return Object.entries(environments).flatMap(([environment, { zones }]) =>
    zones.map((zone) => ({ environment, zone })),
  );
}

function mapZones({ environments }: Topology, change: (zone: Zone) => Zone): Topology {
  const mapped = Object.entries(environments).map(([name, environment]): [string, Environment] => [
    name,
    { ...environment, zones: environment.zones.map(change) },
  ]);
  return { environments: Object.fromEntries(mapped) };
}
