import { type App, Validations } from 'aws-cdk-lib';
import { AwsSolutionsChecks } from 'cdk-nag';
import { deploymentOf, type ZoneDeployment } from '../topology/deployment.ts';
import type { Topology } from '../topology/types.ts';
import { parseTopology } from '../topology/validate.ts';
import { addResidencyCheck } from './residency/plugin.ts';
import { removePolicies, writePolicies } from './residency/write-policies.ts';
import { buildZone, type ZoneStacks } from './zone.ts';

/** Context that names the environment; `all` for every one, which is for checks rather than for deploying. */
const ENVIRONMENT_CONTEXT = 'environment';

/** The command line asks for an environment that there is not. */
export class ContextError extends Error {
  override readonly name = 'ContextError';
}

/**
 * Synthesizes an environment, that of `-c environment=<name>` or the first one, into the app's output folder. Every template passes
 * CloudFormation's own validation (a flag in cdk.json), AwsSolutions and the residency check before it is done; then the zones' policies
 * for administrators are written beside them. Throws `TopologyError` with all that is wrong with the topology, before anything is made.
 */
export function synthesize(app: App, topology: unknown): readonly ZoneStacks[] {
  // Those of an earlier synthesis would look as if they were of this one, were it to fail.
  removePolicies(app.outdir);
  const zones = zonesOf(parseTopology(topology, { forDeployment: true }), environmentOf(app));
  const stacks = zones.map((zone) => buildZone(app, zone));
  Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
  addResidencyCheck(app, zones);
  app.synth();
  writePolicies(app.outdir, zones);
  return stacks;
}

function environmentOf(app: App): string | undefined {
  // Context is untyped: it comes from the command line.
  const wanted = app.node.tryGetContext(ENVIRONMENT_CONTEXT) as unknown;
  if (wanted !== undefined && typeof wanted !== 'string')
    throw new ContextError(`-c ${ENVIRONMENT_CONTEXT} must be a name`);
  return wanted;
}

function zonesOf({ environments }: Topology, wanted: string | undefined): readonly ZoneDeployment[] {
  const known = Object.keys(environments);
  const names = wanted === 'all' ? known : [wanted ?? known[0]];
  return names.flatMap((name) => {
    const environment =
      name === undefined || !Object.hasOwn(environments, name) ? undefined : environments[name];
    if (name === undefined || environment === undefined) {
      throw new ContextError(
        `there is no environment ${JSON.stringify(name)}: -c ${ENVIRONMENT_CONTEXT}=<name> takes ${known.join(', ')} or all`,
      );
    }
    return environment.zones.map((zone) => deploymentOf({ name, zones: environment.zones }, zone));
  });
}
