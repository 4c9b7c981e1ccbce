import type { KeyHash } from '../../domain/brands.ts';
import type { Principal } from '../../domain/principal.ts';
import type { RootPermission } from '../../domain/root-permissions.ts';
import type { WriteTransaction } from '../ports.ts';
import { keyNotFound, requireFor } from '../refusals.ts';

/** A key as it is while a write holds it. */
export interface LockedKey {
  readonly keyId: string;
  readonly apiId: string;
  /** What its record is held under. */
  readonly hash: KeyHash;
  readonly start: string;
  readonly name: string | null;
  /** JSON text. */
  readonly meta: string | null;
  readonly enabled: boolean;
  /** Epoch ms. */
  readonly expiresAtMs: number | null;
  /** Epoch ms at which it would end had it never been rerolled. */
  readonly ownEndMs: number | null;
  readonly identityId: string | null;
  /** Its own; null: none. */
  readonly creditAccountId: string | null;
  /** Random bytes of its text; null: it was imported. */
  readonly byteLength: number | null;
  /** Its text is kept, encrypted. */
  readonly recoverable: boolean;
}

/**
 * Finds a key of the principal's workspace and keeps others from changing it until the transaction ends, so that what a write takes
 * away is known exactly. Refuses with `key_not_found` (another workspace's and deleted ones alike; with `deletedToo`, of those only the ones of
 * deleted APIs), then with
 * `insufficient_permissions`.
 */
export async function lockKey(
  transaction: WriteTransaction,
  principal: Principal,
  keyId: string,
  permission: RootPermission,
  { deletedToo = false }: { readonly deletedToo?: boolean } = {},
): Promise<LockedKey> {
  const [key] = await transaction.query<
    Omit<LockedKey, 'expiresAtMs' | 'ownEndMs'> & {
      readonly expiresAtMs: string | null;
      readonly ownEndMs: string | null;
    }
  >(
    `select k.id as "keyId", k.api_id as "apiId", encode(k.hash, 'hex') as hash, k.start, k.name, k.meta::text, k.enabled,
       (extract(epoch from k.expires_at) * 1000)::bigint::text as "expiresAtMs",
       (extract(epoch from case when k.rerolled_at is null then k.expires_at else k.expires_before_reroll end) * 1000
         )::bigint::text as "ownEndMs", k.identity_id as "identityId",
       k.credit_account_id as "creditAccountId", k.byte_length as "byteLength",
       exists (select from key_texts t where t.key_id = k.id) as recoverable
     from keys k join apis a on a.id = k.api_id and a.deleted_at is null
     where k.id = $1 and k.workspace_id = $2 and ($3 or k.deleted_at is null) for update of k`,
    [keyId, principal.workspaceId, deletedToo],
  );
  if (key === undefined) throw keyNotFound();
  requireFor(principal, permission, key.apiId);
  return { ...key, expiresAtMs: numberOf(key.expiresAtMs), ownEndMs: numberOf(key.ownEndMs) };
}

function numberOf(text: string | null): number | null {
  return text === null ? null : Number(text);
}
