import type { KeyHash } from '../domain/brands.ts';
import { newId, type RandomBytes } from '../domain/ids.ts';
import { generateKeyText, hashKey } from '../domain/key-text.ts';
import { mayRoot } from '../domain/root-permissions.ts';
import { auditOf } from './audit.ts';
import type { ManageDeps } from './deps.ts';
import { findOrMakePermissions, findRoles, setKeyPermissions, setKeyRoles } from './grants.ts';
import { writeOnce } from './idempotency.ts';
import { findOrMakeIdentity } from './identities.ts';
import type { WriteTransaction } from './ports.ts';
import { apiNotFound, refuseNul } from './refusals.ts';
import type { CreateKeyData, CreateKeyInput, WriteContext, Written } from './types.ts';

/** Random bytes of a key where the call doesn't say. */
const KEY_BYTES = 16;
/** Characters after the prefix that are stored, so that people recognise their key. */
const START_LENGTH = 4;

/**
 * Makes a key. Its text is answered and then gone: only the hash is stored. A root key without the permission learns nothing of
 * the API: 404, as for one that doesn't exist.
 */
export async function createKey(
  deps: ManageDeps,
  context: WriteContext,
  input: CreateKeyInput,
): Promise<Written<CreateKeyData>> {
  if (!mayRoot(context.principal, 'api.*.create_key', input.apiId)) throw apiNotFound();
  refuseNul('name', input.name);
  const textOf = (entropy: RandomBytes): string =>
    generateKeyText({
      ...(input.prefix === undefined ? {} : { prefix: input.prefix }),
      bytes: entropy(input.byteLength ?? KEY_BYTES),
      zone: deps.zone,
    });
  return await writeOnce<CreateKeyData, { readonly keyId: string }>(deps, context, {
    async run(transaction, entropy) {
      const text = textOf(entropy);
      const keyId = newId('key', deps.randomBytes);
      await store(deps, context, transaction, input, {
        keyId,
        hash: hashKey(text),
        start: startOf(text, input.prefix),
      });
      return { data: { keyId, key: text }, revokes: false, remembered: { keyId } };
    },
    recall: ({ keyId }, entropy) => ({ keyId, key: textOf(entropy) }),
  });
}

function startOf(text: string, prefix: string | undefined): string {
  const prefixLength = prefix === undefined ? 0 : prefix.length + 1;
  return text.slice(0, prefixLength + START_LENGTH);
}

interface NewKey {
  readonly keyId: string;
  readonly hash: KeyHash;
  readonly start: string;
}

async function store(
  deps: ManageDeps,
  context: WriteContext,
  transaction: WriteTransaction,
  input: CreateKeyInput,
  { keyId, hash, start }: NewKey,
): Promise<void> {
  const { principal } = context;
  const api = await transaction.query(
    'select from apis where id = $1 and workspace_id = $2 and deleted_at is null for key share',
    [input.apiId, principal.workspaceId],
  );
  if (api.length === 0) throw apiNotFound();
  const roleIds = await findRoles(transaction, principal, input.roles ?? []);
  const permissionIds = await findOrMakePermissions(
    transaction,
    principal,
    input.permissions ?? [],
    deps.randomBytes,
  );
  const identityId =
    input.externalId === undefined
      ? null
      : await findOrMakeIdentity(transaction, principal.workspaceId, input.externalId, deps.randomBytes);
  await transaction.query(
    `insert into keys (id, workspace_id, api_id, identity_id, hash, start, name, meta, enabled, expires_at)
     values ($1, $2, $3, $4, decode($5, 'hex'), $6, $7, $8, $9, to_timestamp($10::bigint / 1000.0))`,
    [
      keyId,
      principal.workspaceId,
      input.apiId,
      identityId,
      hash,
      start,
      input.name ?? null,
      input.meta === undefined ? null : JSON.stringify(input.meta),
      input.enabled ?? true,
      input.expires ?? null,
    ],
  );
  if (roleIds.length > 0) await setKeyRoles(transaction, keyId, roleIds);
  if (permissionIds.length > 0) await setKeyPermissions(transaction, keyId, permissionIds);
  transaction.changedKey('key', keyId, hash);
  transaction.audit(
    auditOf(context, {
      action: 'key.create',
      targetKind: 'key',
      targetId: keyId,
      detail: {
        apiId: input.apiId,
        start,
        identityId,
        enabled: input.enabled ?? true,
        expires: input.expires ?? null,
        roles: input.roles ?? [],
        permissions: input.permissions ?? [],
      },
    }),
  );
}
