import type { KeyHash } from '../../domain/brands.ts';
import type { ManageDeps } from '../deps.ts';
import type { WriteTransaction } from '../ports.ts';
import { setRateLimits } from '../rate-limits.ts';
import type { RateLimitInput } from '../types.ts';
import { setKeyPermissions, setKeyRoles } from './grants.ts';

/** Random bytes of a key where nothing says how many. */
export const KEY_BYTES = 16;
/** Characters after the prefix that are stored, so that people recognise their key. */
export const START_LENGTH = 4;

/** A key with all that it is given, found or made before. */
export interface NewKey {
  readonly keyId: string;
  readonly workspaceId: string;
  readonly apiId: string;
  /** What its record is held under. */
  readonly hash: KeyHash;
  readonly start: string;
  /** Random bytes of its text; null: it was imported. */
  readonly byteLength: number | null;
  readonly name: string | null;
  /** JSON text. */
  readonly meta: string | null;
  readonly enabled: boolean;
  /** Epoch ms; null: never. */
  readonly expiresAtMs: number | null;
  readonly identityId: string | null;
  /** Its own; null: none. */
  readonly creditAccountId: string | null;
  readonly roleIds: readonly string[];
  readonly permissionIds: readonly string[];
  readonly ratelimits: readonly RateLimitInput[];
  /** Its text, encrypted for this key; null: it isn't kept. */
  readonly ciphertext: Uint8Array | null;
}

/** The part of a key's text that is stored: its prefix (without the underscore) and the four characters that follow. */
export function startOf(text: string, prefix: string | undefined): string {
  const prefixLength = prefix === undefined ? 0 : prefix.length + 1;
  return text.slice(0, prefixLength + START_LENGTH);
}

/** Stores a key and notes its change; the audit line is the caller's. */
export async function insertKey(
  transaction: WriteTransaction,
  deps: Pick<ManageDeps, 'randomBytes'>,
  key: NewKey,
): Promise<void> {
  const { keyId } = key;
  await transaction.query(
    `insert into keys (id, workspace_id, api_id, identity_id, credit_account_id, hash, start, byte_length, name, meta, enabled,
       expires_at)
     values ($1, $2, $3, $4, $5, decode($6, 'hex'), $7, $8, $9, $10, $11, to_timestamp($12::bigint / 1000.0))`,
    [
      keyId,
      key.workspaceId,
      key.apiId,
      key.identityId,
      key.creditAccountId,
      key.hash,
      key.start,
      key.byteLength,
      key.name,
      key.meta,
      key.enabled,
      key.expiresAtMs,
    ],
  );
  if (key.roleIds.length > 0) await setKeyRoles(transaction, keyId, key.roleIds);
  if (key.permissionIds.length > 0) await setKeyPermissions(transaction, keyId, key.permissionIds);
  if (key.ratelimits.length > 0) {
    await setRateLimits(transaction, deps, { keyId }, key.workspaceId, key.ratelimits);
  }
  if (key.ciphertext !== null) {
    await transaction.query('insert into key_texts (key_id, ciphertext) values ($1, $2)', [
      keyId,
      key.ciphertext,
    ]);
  }
  transaction.changedRecord('key', keyId, key.hash);
}
