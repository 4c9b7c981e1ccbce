import { type Static, Type } from 'typebox';
import { invalidInput } from '../errors.ts';
import { fieldProblems } from '../field-problems.ts';
import { compileValidator } from '../validation.ts';
import { body, Expires, Id } from './fields.ts';
import { checkKey, CreateKeyBody } from './keys.ts';

/** Bodies of the calls that make keys out of others: rerolled and imported ones. */

/** Keys of one import. */
const MAX_KEYS = 5000;
/** Roles, permissions and rate limits of all keys of one import: rows that one transaction has to write within its 8 s. */
const MAX_PARTS = 20_000;

export const RerollKeyBody = body({
  keyId: Id,
  /** Ms; the bound is that of an end. */
  expiration: Expires,
});

const { name, externalId, meta, roles, permissions, expires, enabled, credits, ratelimits } =
  CreateKeyBody.properties;

/** One key of an import. What a hash may look like is said by the call itself. */
export const ImportedKeyBody = body({
  hash: Type.String({ minLength: 1, maxLength: 128 }),
  name,
  externalId,
  meta,
  roles,
  permissions,
  expires,
  enabled,
  credits,
  ratelimits,
});

/**
 * The keys are checked one by one, below. Checked as one value, a wrong field among thousands of right ones would be named by nothing
 * but `body`: naming looks at a part of a body only.
 */
export const MigrateKeysBody = body({
  migrationId: Type.String({ minLength: 3, maxLength: 255 }),
  apiId: Id,
  keys: Type.Unsafe<readonly Static<typeof ImportedKeyBody>[]>({
    type: 'array',
    minItems: 1,
    maxItems: MAX_KEYS,
  }),
});

const validate = compileValidator({
  schema: ImportedKeyBody,
  method: 'POST',
  url: '/v2/keys.migrateKeys',
  httpPart: 'body',
});

/** What the schema leaves open of an import: each of its keys. */
export function checkMigration({ keys }: Pick<Static<typeof MigrateKeysBody>, 'keys'>): void {
  let parts = 0;
  for (const [index, key] of keys.entries()) {
    const location = `body.keys[${index}]`;
    requireImportedKey(key, location);
    checkKey(key, location);
    parts += (key.roles?.length ?? 0) + (key.permissions?.length ?? 0) + (key.ratelimits?.length ?? 0);
  }
  if (parts <= MAX_PARTS) return;
  const location = 'body.keys';
  const message = `must have at most ${MAX_PARTS} roles, permissions and rate limits together`;
  const fix = 'Send the keys in several calls, or give permissions by roles.';
  throw invalidInput(`${location} ${message}.`, { location, message, fix });
}

function requireImportedKey(key: unknown, location: string): void {
  const result = validate(key);
  if (typeof result !== 'object' || !('error' in result) || !Array.isArray(result.error)) return;
  const problems = fieldProblems(result.error, location);
  const [first] = problems;
  throw invalidInput(
    `${location} is not a key as this call takes it${first === undefined ? '' : `: ${first.location} ${first.message}`}.`,
    ...problems,
  );
}
