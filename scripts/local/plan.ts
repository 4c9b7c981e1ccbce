import { CLIENT_LOCATION_IDS } from '../../topology/locations.ts';
import { environmentOf, regionsOf } from '../../topology/read.ts';
import type { Topology, Zone } from '../../topology/types.ts';
import { UserError } from '../lib/user-error.ts';
import { planPorts, type PortPlan } from './port-plan.ts';

/** What `local up` was asked for. */
export interface UpOptions {
  /** Zones to start; all where none is named. */
  readonly zones: readonly string[];
  readonly basePort: number;
  readonly tasks: number;
  /** Throw the zones' data away first. */
  readonly reset: boolean;
  readonly json: boolean;
}

export interface Plan {
  readonly zones: readonly Zone[];
  /** Of the zones that start. */
  readonly ports: PortPlan;
}

/**
 * What will run where. Ports belong to a zone's place in the topology, so they stay the same whichever zones are started. Fails with `UserError`
 * where a zone is unknown or the ports don't fit.
 */
export function planPlatform(topology: Topology, options: UpOptions): Plan {
  const { zones } = environmentOf(topology, process.env['KEYHEARTH_ENVIRONMENT']);
  const wanted = options.zones.length === 0 ? zones.map(({ name }) => name) : options.zones;
  const unknown = wanted.find((name) => !zones.some((zone) => zone.name === name));
  if (unknown !== undefined) {
    throw new UserError(
      `There is no zone ${unknown} in regions.config.ts; there are ${zones.map(({ name }) => name).join(', ')}.`,
    );
  }
  const planned = zones.map((zone) => ({ name: zone.name, regions: regionsOf(zone) }));
  const all = planPorts(planned, CLIENT_LOCATION_IDS, options.basePort, options.tasks);
  return {
    zones: zones.filter(({ name }) => wanted.includes(name)),
    ports: { control: all.control, zones: all.zones.filter(({ zone }) => wanted.includes(zone)) },
  };
}
