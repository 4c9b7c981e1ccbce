import topology from '../../regions.config.ts';
import { deploymentOf, type ZoneDeployment } from '../../topology/deployment.ts';
import { TopologyError } from '../../topology/problems.ts';
import { environmentOf, zoneOf } from '../../topology/read.ts';
import type { Topology, Zone } from '../../topology/types.ts';
import { parseTopology } from '../../topology/validate.ts';
import { errorText, UserError } from '../lib/user-error.ts';

/** What is planned: zones of one environment. */
export interface Target {
  readonly environment: string;
  /** Those that are asked for, as they are deployed. */
  readonly zones: readonly ZoneDeployment[];
  /** All of the environment: some may be in the same accounts. */
  readonly neighbours: readonly ZoneDeployment[];
}

export interface TargetOptions {
  /** @default the first one of regions.config.ts */
  readonly environment: string | undefined;
  /** Names; none for all. */
  readonly zones: readonly string[];
}

/** Reads regions.config.ts. Throws `UserError` where it is wrong or hasn't got what is asked for. */
export function readTarget({ environment, zones }: TargetOptions): Target {
  const parsed = parsedTopology();
  try {
    const name = environment ?? Object.keys(parsed.environments)[0] ?? '';
    const found = environmentOf(parsed, name);
    const wanted = zones.length === 0 ? found.zones : zones.map((one) => zoneOf(found, one));
    const all = { name, zones: found.zones };
    const deployments = (some: readonly Zone[]): readonly ZoneDeployment[] =>
      some.map((zone) => deploymentOf(all, zone));
    return {
      environment: name,
      zones: deployments([...new Set(wanted)]),
      neighbours: deployments(found.zones),
    };
  } catch (error) {
    throw new UserError(`In regions.config.ts, ${errorText(error)}.`);
  }
}

function parsedTopology(): Topology {
  try {
    return parseTopology(topology, { forDeployment: true });
  } catch (error) {
    if (error instanceof TopologyError) throw new UserError(error.message);
    throw error;
  }
}
