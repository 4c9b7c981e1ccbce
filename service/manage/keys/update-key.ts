import { auditOf } from '../audit.ts';
import type { ManageDeps } from '../deps.ts';
import { writeOnce } from '../idempotency.ts';
import { findOrMakeIdentity } from '../identities/find-or-make-identities.ts';
import type { WriteTransaction } from '../ports.ts';
import { limitsInForceMore, readLimitsInForce, setRateLimits } from '../rate-limits.ts';
import { refuseNul } from '../refusals.ts';
import type { Nothing, WriteContext, Written } from '../types.ts';
import {
  findOrMakePermissions,
  findRoles,
  losesGrants,
  readGrants,
  setKeyPermissions,
  setKeyRoles,
} from './grants.ts';
import { spendsOfIdentity } from './identity-account.ts';
import { updateKeyCredits } from './key-credits.ts';
import { type LockedKey, lockKey } from './lock-key.ts';
import type { UpdateKeyInput } from './types.ts';

/** Changes a key: what is absent stays, null clears, a value sets. */
export async function updateKey(
  deps: ManageDeps,
  context: WriteContext,
  input: UpdateKeyInput,
): Promise<Written<Nothing>> {
  refuseNul('name', input.name);
  return await writeOnce<Nothing, null>(deps, context, {
    async run(transaction) {
      const before = await lockKey(transaction, context.principal, input.keyId, 'api.*.update_key');
      const update = { deps, context, transaction, before, input };
      // What is made on the way is made in the order of createKey: permissions, then the identity; so none waits for the other.
      const losses = [
        losesAccessBy(before, input),
        await setGrants(update),
        await setFieldsAndLimits(update),
        await setCredits(update),
      ];
      transaction.changedRecord('key', input.keyId, before.hash);
      transaction.audit(
        auditOf(context, {
          action: 'key.update',
          targetKind: 'key',
          targetId: input.keyId,
          detail: detailOf(input),
        }),
      );
      return { data: {}, revokes: losses.includes(true), remembered: null };
    },
    recall: () => ({}),
  });
}

interface Update {
  readonly deps: ManageDeps;
  readonly context: WriteContext;
  readonly transaction: WriteTransaction;
  readonly before: LockedKey;
  readonly input: UpdateKeyInput;
}

/** Disabled where it was enabled, or an end that is earlier than it was. */
function losesAccessBy(before: LockedKey, input: UpdateKeyInput): boolean {
  if (before.enabled && input.enabled === false) return true;
  if (input.expires === undefined || input.expires === null) return false;
  return before.expiresAtMs === null || input.expires < before.expiresAtMs;
}

/** True where the rate limits of the key, or limits and credits that it comes to share, may let less through. */
async function setFieldsAndLimits(update: Update): Promise<boolean> {
  const { deps, context, transaction, before, input } = update;
  const { keyId, externalId, ratelimits } = input;
  if (externalId === undefined && ratelimits === undefined) {
    await setFields(update);
    return false;
  }
  const limits = await readLimitsInForce(transaction, keyId, before.identityId);
  const identityId = await setFields(update);
  if (ratelimits !== undefined) {
    await setRateLimits(transaction, deps, { keyId }, context.principal.workspaceId, ratelimits);
  }
  if (limitsInForceMore(limits, await readLimitsInForce(transaction, keyId, identityId))) return true;
  return identityId !== before.identityId && (await spendsOfIdentity(transaction, keyId));
}

/** Returns the id of the key's identity afterwards, null where it has none. */
async function setFields({ deps, context, transaction, before, input }: Update): Promise<string | null> {
  const values: unknown[] = [input.keyId];
  const sets = ['updated_at = now()'];
  const set = (
    column: string,
    value: unknown,
    expression: (place: string) => string = (place) => place,
  ): void => {
    values.push(value);
    sets.push(`${column} = ${expression(`$${values.length}`)}`);
  };
  if (input.name !== undefined) set('name', input.name);
  if (input.meta !== undefined) set('meta', input.meta === null ? null : JSON.stringify(input.meta));
  if (input.enabled !== undefined) set('enabled', input.enabled);
  if (input.expires !== undefined) {
    set('expires_at', input.expires, (place) => `to_timestamp(${place}::bigint / 1000.0)`);
    // This end is its own again, whatever a reroll made of the one before.
    sets.push('rerolled_at = null', 'expires_before_reroll = null');
  }
  let identityId = before.identityId;
  if (input.externalId !== undefined) {
    identityId =
      input.externalId === null
        ? null
        : await findOrMakeIdentity(transaction, context, input.externalId, deps.randomBytes);
    set('identity_id', identityId);
  }
  await transaction.query(`update keys set ${sets.join(', ')} where id = $1`, values);
  return identityId;
}

/** True where the key loses a role or a permission. */
async function setGrants({ deps, context, transaction, input }: Update): Promise<boolean> {
  const { keyId, roles, permissions } = input;
  if (roles === undefined && permissions === undefined) return false;
  const { principal } = context;
  const before = await readGrants(transaction, keyId);
  if (roles !== undefined)
    await setKeyRoles(transaction, keyId, await findRoles(transaction, principal, roles));
  if (permissions !== undefined) {
    const ids = await findOrMakePermissions(transaction, context, permissions, deps.randomBytes);
    await setKeyPermissions(transaction, keyId, ids);
  }
  return losesGrants(before, await readGrants(transaction, keyId));
}

/** True where the key may spend less. */
async function setCredits({ deps, context, transaction, before, input }: Update): Promise<boolean> {
  if (input.credits === undefined) return false;
  const { workspaceId } = context.principal;
  return await updateKeyCredits(transaction, deps, workspaceId, before, input.credits);
}

/** Names, metadata and externalIds are the customer's own and may be personal: that they changed is enough. */
function detailOf(input: UpdateKeyInput): Record<string, unknown> {
  const { keyId: _keyId, name, meta, externalId, ratelimits, ...rest } = input;
  return {
    ...rest,
    ...(name === undefined ? {} : { name: 'changed' }),
    ...(meta === undefined ? {} : { meta: 'changed' }),
    ...(externalId === undefined ? {} : { externalId: externalId === null ? null : 'changed' }),
    ...(ratelimits === undefined ? {} : { ratelimits: ratelimits.length }),
  };
}
