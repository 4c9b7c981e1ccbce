import type { KeyHash } from '../domain/brands.ts';
import { mayRoot } from '../domain/root-permissions.ts';
import { auditOf } from './audit.ts';
import type { ManageDeps } from './deps.ts';
import {
  findOrMakePermissions,
  findRoles,
  losesGrants,
  readGrants,
  setKeyPermissions,
  setKeyRoles,
} from './grants.ts';
import { writeOnce } from './idempotency.ts';
import { findOrMakeIdentity } from './identities.ts';
import type { WriteTransaction } from './ports.ts';
import { keyNotFound, lacksPermission, refuseNul } from './refusals.ts';
import type { UpdateKeyInput, WriteContext, Written } from './types.ts';

interface KeyBefore {
  readonly api_id: string;
  readonly hash: KeyHash;
  readonly enabled: boolean;
  readonly expires_ms: string | null;
}

/** Changes a key: what is absent stays, null clears, a value sets. */
export async function updateKey(
  deps: ManageDeps,
  context: WriteContext,
  input: UpdateKeyInput,
): Promise<Written<Record<string, never>>> {
  refuseNul('name', input.name);
  return await writeOnce<Record<string, never>, null>(deps, context, {
    async run(transaction) {
      const before = await lockKey(transaction, context, input.keyId);
      if (!mayRoot(context.principal, 'api.*.update_key', before.api_id)) {
        throw lacksPermission('api.*.update_key', `api.${before.api_id}.update_key`);
      }
      await setFields(deps, context, transaction, input);
      const losesAccess = losesAccessBy(before, input);
      const losesRights = await setGrants(deps, context, transaction, input);
      transaction.changedKey('key', input.keyId, before.hash);
      transaction.audit(
        auditOf(context, {
          action: 'key.update',
          targetKind: 'key',
          targetId: input.keyId,
          detail: detailOf(input),
        }),
      );
      return { data: {}, revokes: losesAccess || losesRights, remembered: null };
    },
    recall: () => ({}),
  });
}

/** Locked, so that what the update takes away is known exactly. */
async function lockKey(
  transaction: WriteTransaction,
  context: WriteContext,
  keyId: string,
): Promise<KeyBefore> {
  const [key] = await transaction.query<KeyBefore>(
    `select k.api_id, encode(k.hash, 'hex') as hash, k.enabled,
       (extract(epoch from k.expires_at) * 1000)::bigint as expires_ms
     from keys k join apis a on a.id = k.api_id and a.deleted_at is null
     where k.id = $1 and k.workspace_id = $2 and k.deleted_at is null for update of k`,
    [keyId, context.principal.workspaceId],
  );
  if (key === undefined) throw keyNotFound();
  return key;
}

async function setFields(
  deps: ManageDeps,
  context: WriteContext,
  transaction: WriteTransaction,
  input: UpdateKeyInput,
): Promise<void> {
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
  if (input.expires !== undefined)
    set('expires_at', input.expires, (place) => `to_timestamp(${place}::bigint / 1000.0)`);
  if (input.externalId === null) set('identity_id', null);
  else if (input.externalId !== undefined) {
    const { workspaceId } = context.principal;
    set(
      'identity_id',
      await findOrMakeIdentity(transaction, workspaceId, input.externalId, deps.randomBytes),
    );
  }
  await transaction.query(`update keys set ${sets.join(', ')} where id = $1`, values);
}

/** Disabled where it was enabled, or an end that is earlier than it was. */
function losesAccessBy(before: KeyBefore, input: UpdateKeyInput): boolean {
  if (before.enabled && input.enabled === false) return true;
  if (input.expires === undefined || input.expires === null) return false;
  return before.expires_ms === null || input.expires < Number(before.expires_ms);
}

/** True where the key loses a role or a permission. */
async function setGrants(
  deps: ManageDeps,
  context: WriteContext,
  transaction: WriteTransaction,
  { keyId, roles, permissions }: UpdateKeyInput,
): Promise<boolean> {
  if (roles === undefined && permissions === undefined) return false;
  const { principal } = context;
  const before = await readGrants(transaction, keyId);
  if (roles !== undefined)
    await setKeyRoles(transaction, keyId, await findRoles(transaction, principal, roles));
  if (permissions !== undefined) {
    const ids = await findOrMakePermissions(transaction, principal, permissions, deps.randomBytes);
    await setKeyPermissions(transaction, keyId, ids);
  }
  return losesGrants(before, await readGrants(transaction, keyId));
}

/** Names and metadata are the customer's own and may be personal: that they changed is enough. */
function detailOf(input: UpdateKeyInput): Record<string, unknown> {
  const { keyId: _keyId, name, meta, ...rest } = input;
  return {
    ...rest,
    ...(name === undefined ? {} : { name: 'changed' }),
    ...(meta === undefined ? {} : { meta: 'changed' }),
  };
}
