import { requiredText, scalarText } from '../behaviours/property-values.ts';
import { findSecret, secretValue } from '../behaviours/secrets.ts';
import type { Call, Service } from '../call.ts';
import { Refusal } from '../refusal.ts';
import { type Properties, textAt } from '../values.ts';
import type { Resource } from '../world.ts';

/** AWS Secrets Manager. A secret has its current value, and no earlier ones. */
export const SECRETS_MANAGER: Service = {
  signingName: 'secretsmanager',
  protocol: 'json',
  actions: {
    GetSecretValue(call) {
      const secret = secretOf(call);
      const SecretString = secretValue(secret);
      return {
        result: {
          ...identityOf(secret),
          VersionId: versionOf(secret),
          VersionStages: ['AWSCURRENT'],
          SecretString,
          CreatedDate: 0,
        },
      };
    },
    DescribeSecret(call) {
      const secret = secretOf(call);
      return {
        result: {
          ...identityOf(secret),
          ...optional('KmsKeyId', textAt(secret.properties, 'KmsKeyId')),
          ...optional('Description', textAt(secret.properties, 'Description')),
          ...optional('PrimaryRegion', primaryOf(secret)),
          VersionIdsToStages: { [versionOf(secret)]: ['AWSCURRENT'] },
          CreatedDate: 0,
        },
      };
    },
  },
};

/** By name, ARN, or ARN without the characters that AWS adds. Throws `ResourceNotFoundException`. */
function secretOf(call: Call): Resource {
  const secret = findSecret(call.world, call, requiredText(call.input, 'SecretId'));
  if (secret !== undefined) return secret;
  throw new Refusal('ResourceNotFoundException', "Secrets Manager can't find the specified secret.");
}

function identityOf(secret: Resource): Properties {
  return { ARN: secret.id, Name: scalarText(secret.state.get('name')) };
}

/** A UUID, as AWS has, that is made of the characters that the secret's ARN ends with. */
function versionOf({ state }: Resource): string {
  return `00000000-0000-4000-8000-${scalarText(state.get('suffix')).padStart(12, '0')}`;
}

function primaryOf({ state }: Resource): string | undefined {
  const primary = state.get('primary');
  return typeof primary === 'string' ? primary : undefined;
}

function optional(name: string, value: string | undefined): Properties {
  return value === undefined ? {} : { [name]: value };
}
