import { type Place, type Properties, isProperties } from '../values.ts';
import type { World } from '../world.ts';
import { objectsAt, requiredText } from './property-values.ts';
import { findSecret, secretValue } from './secrets.ts';
import { PARAMETER } from './ssm.ts';

/** A secret that a task can't have, in ECS's words. */
export class SecretProblem extends Error {
  override readonly name = 'SecretProblem';
}

const PREFIX =
  'ResourceInitializationError: unable to pull secrets or registry auth: execution resource retrieval failed:';

/**
 * Values of a container's secrets, by the name of their variable.
 * Sources: "Pass Secrets Manager secrets through Amazon ECS environment variables" and "Pass Systems Manager parameters through Amazon
 * ECS environment variables" (https://docs.aws.amazon.com/AmazonECS/latest/developerguide/secrets-envvar-secrets-manager.html).
 *
 * @throws SecretProblem where one isn't there
 */
export function secretsOf(
  world: World,
  place: Place,
  container: Properties,
): Readonly<Record<string, string>> {
  return Object.fromEntries(
    objectsAt(container, 'Secrets').map((one) => [
      requiredText(one, 'Name'),
      valueOf(world, place, requiredText(one, 'ValueFrom')),
    ]),
  );
}

function valueOf(world: World, place: Place, from: string): string {
  if (!from.startsWith('arn:aws:secretsmanager:')) return parameterValue(world, place, from);
  // arn:aws:secretsmanager:region:account:secret:name[:json-key[:version-stage[:version-id]]]
  const [, , , region = '', account = '', , name = '', key = ''] = from.split(':');
  const reference = `arn:aws:secretsmanager:${region}:${account}:secret:${name}`;
  const secret = findSecret(world, { account, region }, reference);
  if (secret === undefined) {
    throw new SecretProblem(
      `${PREFIX} unable to retrieve secret from asm: service call has been retried 1 time(s): failed to fetch secret ${from} from secrets manager: ResourceNotFoundException: Secrets Manager can't find the specified secret.`,
    );
  }
  const value = secretValue(secret);
  return key === '' ? value : entryOf(value, key, from);
}

function entryOf(value: string, key: string, from: string): string {
  const entry = objectIn(value)?.[key];
  if (entry !== undefined) return typeof entry === 'string' ? entry : JSON.stringify(entry);
  throw new SecretProblem(
    `${PREFIX} unable to retrieve secret from asm: service call has been retried 1 time(s): retrieved secret from Secrets Manager did not contain json key ${key} (${from})`,
  );
}

function objectIn(text: string): Properties | undefined {
  try {
    // What JSON.parse gives is JSON.
    const value = JSON.parse(text) as Properties;
    return isProperties(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function parameterValue(world: World, place: Place, from: string): string {
  const [, , , region = place.region, account = place.account] = from.startsWith('arn:')
    ? from.split(':')
    : [];
  const name = from.replace(/^arn:aws:ssm:[^:]+:\d+:parameter/u, '');
  const value = [name, name.replace(/^\//u, '')]
    .map((one) => world.find({ account, region }, PARAMETER, one)?.attributes['Value'])
    .find((one) => typeof one === 'string');
  if (typeof value === 'string') return value;
  throw new SecretProblem(
    `${PREFIX} unable to retrieve secrets from ssm: service call has been retried 1 time(s): invalid parameters: ${from}`,
  );
}
