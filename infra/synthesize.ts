import type { App } from 'aws-cdk-lib';
import { deploymentOf } from '../topology/deployment.ts';
import { environmentOf } from '../topology/read.ts';
import type { Topology } from '../topology/types.ts';
import { parseTopology } from '../topology/validate.ts';
import { buildZone, type ZoneStacks } from './zone.ts';

/** Context that names the environment; `all` for every one, which is for checks rather than for deploying. */
export const ENVIRONMENT_CONTEXT = 'environment';

/**
 * Makes the stacks of an environment: that of `-c environment=<name>`, or the first one. Throws `TopologyError` with all that is
 * wrong with the topology before anything is made.
 */
export function synthesize(app: App, topology: unknown): readonly ZoneStacks[] {
  const checked: Topology = parseTopology(topology);
  // Context is untyped: it comes from the command line.
  const wanted = app.node.tryGetContext(ENVIRONMENT_CONTEXT) as unknown;
  const names = wanted === 'all' ? Object.keys(checked.environments) : [environmentName(checked, wanted)];
  return names.flatMap((name) => {
    const { zones } = environmentOf(checked, name);
    return zones.map((zone) => buildZone(app, deploymentOf({ name, zones }, zone)));
  });
}

function environmentName(topology: Topology, wanted: unknown): string {
  const name = wanted === undefined ? Object.keys(topology.environments)[0] : wanted;
  if (typeof name !== 'string') throw new Error(`context ${ENVIRONMENT_CONTEXT} must be a name`);
  environmentOf(topology, name);
  return name;
}
