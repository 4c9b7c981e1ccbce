import { type AwsRegion, isAwsRegion } from '../../topology/aws-regions.ts';
import type { ZoneDeployment } from '../../topology/deployment.ts';
import { readTarget } from '../lib/target.ts';
import { UserError } from '../lib/user-error.ts';

export interface ZoneChoice {
  readonly environment: string | undefined;
  readonly zone: string | undefined;
}

/** The zone that a command is about: the one that is named, or the environment's only one. Fails with `UserError`. */
export function chosenZone({ environment: wanted, zone }: ZoneChoice): ZoneDeployment {
  const { environment, zones } = readTarget({ environment: wanted, zones: zone === undefined ? [] : [zone] });
  const [chosen, ...others] = zones;
  if (chosen === undefined || others.length > 0) {
    throw new UserError(
      `Environment ${environment} has several zones: --zone takes ${zones.map(({ name }) => name).join(', ')}.`,
    );
  }
  return chosen;
}

/** Fails with `UserError` where AWS has no region of that name. */
export function knownRegion(text: string): AwsRegion {
  if (isAwsRegion(text)) return text;
  throw new UserError(`${JSON.stringify(text)} is no region that Keyhearth knows (topology/aws-regions.ts).`);
}
