import topology from '../../regions.config.ts';
import type { AwsRegion } from '../../topology/aws-regions.ts';
import { deploymentOf, type ZoneDeployment } from '../../topology/deployment.ts';
import { TopologyError } from '../../topology/problems.ts';
import { environmentOf, regionsOf, zoneOf } from '../../topology/read.ts';
import type { Topology, Zone } from '../../topology/types.ts';
import { parseTopology } from '../../topology/validate.ts';
import { errorText, UserError } from './user-error.ts';

/** What is planned: zones of one environment. */
export interface Target {
  readonly environment: string;
  /** Those that are asked for, as they are deployed. */
  readonly zones: readonly ZoneDeployment[];
  /** All of the environment: some may be in the same accounts. */
  readonly neighbours: readonly ZoneDeployment[];
  /** All of the description, of every environment. */
  readonly described: readonly DescribedZone[];
}

/** A zone as far as whoever looks for its stacks needs it. */
export interface DescribedZone {
  readonly environment: string;
  readonly name: string;
  /** 12 digits. */
  readonly account: string;
  /** The origin first. */
  readonly regions: readonly AwsRegion[];
}

export interface TargetOptions {
  /** @default the first one of regions.config.ts */
  readonly environment: string | undefined;
  /** Names; none for all. */
  readonly zones: readonly string[];
}

/** Reads regions.config.ts. Throws `UserError` where it is wrong or hasn't got what is asked for. */
export function readTarget(options: TargetOptions): Target {
  const { environment, zones } = options;
  const parsed = parsedTopology();
  const name = environment ?? Object.keys(parsed.environments)[0] ?? '';
  try {
    const found = environmentOf(parsed, name);
    const wanted = zones.length === 0 ? found.zones : zones.map((one) => zoneOf(found, one));
    const all = { name, zones: found.zones };
    const deployments = (some: readonly Zone[]): readonly ZoneDeployment[] =>
      some.map((zone) => deploymentOf(all, zone));
    return {
      environment: name,
      zones: deployments([...new Set(wanted)]),
      neighbours: deployments(found.zones),
      described: describedZones(parsed),
    };
  } catch (error) {
    const where = Object.hasOwn(parsed.environments, name) ? whereElse(parsed, name, options) : '';
    throw new UserError(`In regions.config.ts, ${errorText(error)}.${where}`);
  }
}

function describedZones({ environments }: Topology): readonly DescribedZone[] {
  return Object.entries(environments).flatMap(([name, { zones }]) =>
    zones.map((zone) => ({
      environment: name,
      name: zone.name,
      account: zone.account,
      regions: regionsOf(zone),
    })),
  );
}

/**
 * Which environment was looked in, where nobody named one, and which others have the zones that it hasn't got; empty where nothing of
 * that is new to anybody.
 */
function whereElse(parsed: Topology, name: string, { environment, zones }: TargetOptions): string {
  const inOthers = zones.flatMap((zone) =>
    Object.entries(parsed.environments).flatMap(([other, { zones: there }]) =>
      other !== name && there.some((one) => one.name === zone) ? [{ zone, other }] : [],
    ),
  );
  const taken = environment === undefined ? ` That is environment ${name}, the first one.` : '';
  const hints = inOthers.map(
    ({ zone, other }) => ` Zone ${zone} is in environment ${other}: --environment ${other}.`,
  );
  return zones.length === 0 ? '' : `${taken}${hints.join('')}`;
}

function parsedTopology(): Topology {
  try {
    return parseTopology(topology, { forDeployment: true });
  } catch (error) {
    if (error instanceof TopologyError) throw new UserError(error.message);
    throw error;
  }
}
