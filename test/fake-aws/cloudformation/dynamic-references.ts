import { Refusal } from '../refusal.ts';
import { isProperties, textAt, type Json, type Place } from '../values.ts';
import type { World } from '../world.ts';
import { plain } from './text.ts';

const REFERENCE = /\{\{resolve:(ssm|ssm-secure|secretsmanager):([^{}]+)\}\}/gu;

/**
 * A text with its dynamic references resolved.
 * "Get values stored in other services using dynamic references"
 * (https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/dynamic-references.html).
 *
 * @throws Refusal where the parameter, the secret or the key in it doesn't exist
 */
export function resolveDynamic(text: string, world: World, place: Place): string {
  return text.replaceAll(REFERENCE, (_whole, service: string, reference: string) =>
    service === 'secretsmanager' ? secret(reference, world, place) : parameter(reference, world, place),
  );
}

function parameter(reference: string, world: World, place: Place): string {
  // A version may follow the name; the fake's parameters have one each.
  const [name = ''] = reference.split(':');
  const value = world.find(place, 'AWS::SSM::Parameter', name)?.properties['Value'];
  if (typeof value !== 'string') {
    throw new Refusal('ValidationError', `Parameters: [ssm:${name}] cannot be found.`);
  }
  return value;
}

/** `secret-id:SecretString:json-key:version-stage:version-id`, where the id is a name or an ARN with colons of its own. */
function secret(reference: string, world: World, place: Place): string {
  const [id = '', rest = ''] = reference.split(/:SecretString(?::|$)/u);
  const name = id.replace(/:+$/u, '');
  const found = world
    .all('AWS::SecretsManager::Secret', place)
    .find(
      (one) => one.id === name || textAt(one.properties, 'Name') === name || one.attributes['Id'] === name,
    );
  if (found === undefined) {
    throw new Refusal(
      'ResourceNotFoundException',
      "Secrets Manager can't find the specified secret. (Service: AWSSecretsManager; Status Code: 400; Error Code: ResourceNotFoundException)",
    );
  }
  // The value that a behaviour generated, or the one that the template gave.
  const value = found.state.get('SecretString') ?? found.properties['SecretString'];
  if (typeof value !== 'string') {
    throw new Refusal(
      'ResourceNotFoundException',
      `Secrets Manager can't find the specified secret value for ${name}.`,
    );
  }
  const [key = ''] = rest.split(':');
  return key === '' ? value : keyOf(value, key, name);
}

function keyOf(value: string, key: string, name: string): string {
  let parsed: Json = null;
  try {
    // Whatever JSON.parse returns is JSON.
    parsed = JSON.parse(value) as Json;
  } catch {
    // Told apart below: what isn't JSON has no keys.
  }
  const found = isProperties(parsed) ? parsed[key] : undefined;
  if (found === undefined) {
    throw new Refusal(
      'ValidationError',
      `Could not find a value associated with JSONKey in SecretString (${name}, key ${key})`,
    );
  }
  return plain(found);
}
