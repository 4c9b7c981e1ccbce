import { newId, type RandomBytes } from '../../domain/ids.ts';
import { generateKeyText, hashKey } from '../../domain/key-text.ts';
import { Problem } from '../../domain/problem.ts';
import { mayRoot } from '../../domain/root-permissions.ts';
import { findOpenApi } from '../apis/find-open-api.ts';
import { auditOf } from '../audit.ts';
import type { ManageDeps } from '../deps.ts';
import { writeOnce } from '../idempotency.ts';
import { findOrMakeIdentity } from '../identities/find-or-make-identities.ts';
import type { WriteTransaction } from '../ports.ts';
import { apiNotFound, refuseNul, requireFor } from '../refusals.ts';
import type { WriteContext, Written } from '../types.ts';
import { createAccount } from './credit-accounts.ts';
import { findOrMakePermissions, findRoles } from './grants.ts';
import { insertKey, KEY_BYTES, startOf } from './new-key.ts';
import type { CreateKeyInput, NewKeyData } from './types.ts';

/**
 * Makes a key. Its text is answered and then gone, but for its hash and, where it is to be recoverable, its encrypted form. A root
 * key without the permission learns nothing of the API: 404, as for one that doesn't exist.
 */
export async function createKey(
  deps: ManageDeps,
  context: WriteContext,
  input: CreateKeyInput,
): Promise<Written<NewKeyData>> {
  const { principal } = context;
  const { apiId, prefix, byteLength = KEY_BYTES, recoverable = false } = input;
  if (!mayRoot(principal, 'api.*.create_key', apiId)) throw apiNotFound();
  refuseNul('name', input.name);
  const textOf = (entropy: RandomBytes): string =>
    generateKeyText({
      ...(prefix === undefined ? {} : { prefix }),
      bytes: entropy(byteLength),
      zone: deps.zone,
    });
  return await writeOnce<NewKeyData, { readonly keyId: string }>(deps, context, {
    async run(transaction, entropy) {
      await requireApi(transaction, context, apiId, recoverable);
      const text = textOf(entropy);
      const keyId = newId('key', deps.randomBytes);
      // Before anything is locked that other calls wait for: the vault may be a service across the network.
      const ciphertext = recoverable
        ? await deps.vault.encrypt(text, { workspaceId: principal.workspaceId, keyId })
        : null;
      const given = await findGiven(deps, context, transaction, input);
      await insertKey(transaction, deps, {
        keyId,
        workspaceId: principal.workspaceId,
        apiId,
        hash: hashKey(text),
        start: startOf(text, prefix),
        byteLength,
        name: input.name ?? null,
        meta: input.meta === undefined ? null : JSON.stringify(input.meta),
        enabled: input.enabled ?? true,
        expiresAtMs: input.expires ?? null,
        ...given,
        ratelimits: input.ratelimits ?? [],
        ciphertext,
      });
      audit(context, transaction, input, { keyId, start: startOf(text, prefix), ...given });
      return { data: { keyId, key: text }, revokes: false, remembered: { keyId } };
    },
    recall: ({ keyId }, entropy) => ({ keyId, key: textOf(entropy) }),
  });
}

/** The API must be there, and let texts be kept where this one is to be. */
async function requireApi(
  transaction: WriteTransaction,
  { principal }: WriteContext,
  apiId: string,
  recoverable: boolean,
): Promise<void> {
  const api = await findOpenApi(transaction, principal.workspaceId, apiId);
  if (!recoverable) return;
  requireFor(principal, 'api.*.encrypt_key', apiId);
  if (api.recoverable_keys) return;
  throw new Problem(
    'precondition_failed',
    'This API does not let texts of its keys be kept. Set recoverableKeys with apis.updateApi first, or leave recoverable out.',
  );
}

interface Given {
  readonly identityId: string | null;
  readonly creditAccountId: string | null;
  readonly roleIds: readonly string[];
  readonly permissionIds: readonly string[];
}

/** Finds or makes what the key refers to. */
async function findGiven(
  deps: ManageDeps,
  context: WriteContext,
  transaction: WriteTransaction,
  { roles = [], permissions = [], externalId, credits }: CreateKeyInput,
): Promise<Given> {
  const { principal } = context;
  const { randomBytes } = deps;
  const remaining = credits?.remaining ?? null;
  return {
    roleIds: await findRoles(transaction, principal, roles),
    permissionIds: await findOrMakePermissions(transaction, context, permissions, randomBytes),
    identityId:
      externalId === undefined
        ? null
        : await findOrMakeIdentity(transaction, context, externalId, randomBytes),
    creditAccountId:
      remaining === null
        ? null
        : await createAccount(transaction, deps, principal.workspaceId, {
            remaining,
            refill: credits?.refill ?? null,
          }),
  };
}

function audit(
  context: WriteContext,
  transaction: WriteTransaction,
  input: CreateKeyInput,
  made: Given & { readonly keyId: string; readonly start: string },
): void {
  transaction.audit(
    auditOf(context, {
      action: 'key.create',
      targetKind: 'key',
      targetId: made.keyId,
      detail: {
        apiId: input.apiId,
        start: made.start,
        identityId: made.identityId,
        enabled: input.enabled ?? true,
        expires: input.expires ?? null,
        recoverable: input.recoverable ?? false,
        credits: input.credits ?? null,
        creditAccountId: made.creditAccountId,
        ratelimits: (input.ratelimits ?? []).length,
        roles: input.roles ?? [],
        permissions: input.permissions ?? [],
      },
    }),
  );
}
