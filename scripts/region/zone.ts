import topology from '../../regions.config.ts';
import { type AwsRegion, isAwsRegion } from '../../topology/aws-regions.ts';
import { deploymentOf, type ZoneDeployment } from '../../topology/deployment.ts';
import { parseTopology } from '../../topology/validate.ts';
import { UserError } from '../lib/user-error.ts';

export interface ZoneChoice {
  readonly environment: string | undefined;
  readonly zone: string | undefined;
}

/**
 * The zone that a command is about: the one that is named, or the environment's only one. Fails with `UserError`, and with
 * `TopologyError` where the description itself is wrong.
 */
export function chosenZone({ environment, zone }: ZoneChoice): ZoneDeployment {
  const { environments } = parseTopology(topology, { forDeployment: true });
  const name = environment ?? Object.keys(environments)[0] ?? '';
  const found = Object.hasOwn(environments, name) ? environments[name] : undefined;
  if (found === undefined) {
    throw new UserError(
      `There is no environment ${JSON.stringify(name)}: --environment takes ${Object.keys(environments).join(', ')}.`,
    );
  }
  const names = found.zones.map((one) => one.name);
  const [only] = found.zones;
  const chosen = zone === undefined ? only : found.zones.find((one) => one.name === zone);
  if (chosen === undefined || (zone === undefined && names.length > 1)) {
    throw new UserError(
      `Environment ${name} has ${zone === undefined ? 'several zones' : `no zone ${JSON.stringify(zone)}`}: --zone takes ${names.join(', ')}.`,
    );
  }
  return deploymentOf({ name, zones: found.zones }, chosen);
}

/** Fails with `UserError` where AWS has no region of that name. */
export function knownRegion(text: string): AwsRegion {
  if (isAwsRegion(text)) return text;
  throw new UserError(`${JSON.stringify(text)} is no region that Keyhearth knows (topology/aws-regions.ts).`);
}
