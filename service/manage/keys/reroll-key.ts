import { newId, type RandomBytes } from '../../domain/ids.ts';
import { generateKeyText, hashKey } from '../../domain/key-text.ts';
import { Problem } from '../../domain/problem.ts';
import { auditOf } from '../audit.ts';
import type { ManageDeps } from '../deps.ts';
import { writeOnce } from '../idempotency.ts';
import type { WriteTransaction } from '../ports.ts';
import { copyRateLimits } from '../rate-limits.ts';
import { requireFor } from '../refusals.ts';
import type { WriteContext, Written } from '../types.ts';
import { type LockedKey, lockKey } from './lock-key.ts';
import { insertKey, KEY_BYTES, START_LENGTH, startOf } from './new-key.ts';
import type { NewKeyData, RerollKeyInput } from './types.ts';

/**
 * Tasks compare a key's end with clocks of their own, some of which are behind the one that `now` comes from: a key that ends at once
 * has ended a moment ago for all of them. Clocks that are kept by NTP differ by milliseconds.
 */
const ENDED_MS = 1000;

interface Remembered {
  readonly keyId: string;
  readonly prefix: string | null;
  readonly byteLength: number;
}

/**
 * Makes a key that can do what another one can, and ends that one. The new key has the same API, name, metadata, identity, roles,
 * permissions and rate limits, is disabled where the old one is, ends when the old one would have ended without any reroll, and spends the very same
 * credits. Prefix and length are the old key's, as far as they are known. The old key ends after `expiration`, or when it would have
 * ended before that.
 *
 * Refuses with `Problem`: `key_not_found`; `insufficient_permissions`, also where the old key is recoverable and the root key may
 * not make such keys; `precondition_failed` for a key that has ended, since a new one without that end would bring back what was meant to be
 * over, and for a recoverable key whose API keeps no texts any more.
 */
export async function rerollKey(
  deps: ManageDeps,
  context: WriteContext,
  { keyId, expiration }: RerollKeyInput,
): Promise<Written<NewKeyData>> {
  return await writeOnce<NewKeyData, Remembered>(deps, context, {
    async run(transaction, entropy) {
      const old = await lockKey(transaction, context.principal, keyId, 'api.*.create_key');
      const nowMs = deps.nowMs();
      if (old.recoverable) await requireKept(context, transaction, old);
      if (old.expiresAtMs !== null && old.expiresAtMs <= nowMs) throw hasEnded();
      const remembered: Remembered = {
        keyId: newId('key', deps.randomBytes),
        prefix: prefixOf(old.start),
        // An imported key's length is unknown.
        byteLength: old.byteLength ?? KEY_BYTES,
      };
      const data = answerOf(deps, remembered, entropy);
      await insertSuccessor(deps, context, transaction, old, data, remembered);
      const endsAtMs = endOf(old, expiration, nowMs);
      await transaction.query(
        `update keys set expires_at = to_timestamp($2::bigint / 1000.0), updated_at = now(),
           expires_before_reroll = case when rerolled_at is null then expires_at else expires_before_reroll end,
           rerolled_at = coalesce(rerolled_at, now())
         where id = $1`,
        [keyId, endsAtMs],
      );
      transaction.changedRecord('key', keyId, old.hash);
      transaction.audit(
        auditOf(context, {
          action: 'key.reroll',
          targetKind: 'key',
          targetId: keyId,
          detail: {
            apiId: old.apiId,
            newKeyId: data.keyId,
            expiresBefore: old.expiresAtMs,
            expires: endsAtMs,
          },
        }),
      );
      return { data, revokes: old.expiresAtMs === null || endsAtMs < old.expiresAtMs, remembered };
    },
    recall: (remembered, entropy) => answerOf(deps, remembered, entropy),
  });
}

/** The new key, with the text that its random bytes make. */
function answerOf(
  { zone }: Pick<ManageDeps, 'zone'>,
  { keyId, prefix, byteLength }: Remembered,
  entropy: RandomBytes,
): NewKeyData {
  const key = generateKeyText({
    ...(prefix === null ? {} : { prefix }),
    bytes: entropy(byteLength),
    zone,
  });
  return { keyId, key };
}

/** The prefix that a generated key's `start` shows: all before the last underscore, since what follows it has none. */
function prefixOf(start: string): string | null {
  const underscore = start.length - START_LENGTH - 1;
  return underscore > 0 && start[underscore] === '_' ? start.slice(0, underscore) : null;
}

/** Never later than it was. */
function endOf({ expiresAtMs }: LockedKey, expiration: number, nowMs: number): number {
  const wantedMs = expiration === 0 ? nowMs - ENDED_MS : nowMs + expiration;
  return expiresAtMs === null ? wantedMs : Math.min(expiresAtMs, wantedMs);
}

/** Text of the new key may be kept, as that of the old one is. */
async function requireKept(
  { principal }: WriteContext,
  transaction: WriteTransaction,
  { apiId }: LockedKey,
): Promise<void> {
  requireFor(principal, 'api.*.encrypt_key', apiId);
  const open = await transaction.query('select from apis where id = $1 and recoverable_keys', [apiId]);
  if (open.length > 0) return;
  throw new Problem(
    'precondition_failed',
    'The key is recoverable, and its API keeps no texts of keys any more: let the API keep them again, or create a key.',
  );
}

function hasEnded(): Problem {
  return new Problem(
    'precondition_failed',
    'The key has expired, and a new one would end with it: give it a later end first, by updateKey.',
  );
}

async function insertSuccessor(
  deps: ManageDeps,
  { principal: { workspaceId } }: WriteContext,
  transaction: WriteTransaction,
  old: LockedKey,
  { keyId, key }: NewKeyData,
  { prefix, byteLength }: Remembered,
): Promise<void> {
  await insertKey(transaction, deps, {
    keyId,
    workspaceId,
    apiId: old.apiId,
    hash: hashKey(key),
    start: startOf(key, prefix ?? undefined),
    byteLength,
    name: old.name,
    meta: old.meta,
    enabled: old.enabled,
    expiresAtMs: old.ownEndMs,
    identityId: old.identityId,
    creditAccountId: old.creditAccountId,
    roleIds: [],
    permissionIds: [],
    ratelimits: [],
    ciphertext: old.recoverable ? await deps.vault.encrypt(key, { workspaceId, keyId }) : null,
  });
  await transaction.query(
    `insert into key_roles (key_id, role_id) select $2, role_id from key_roles where key_id = $1`,
    [old.keyId, keyId],
  );
  await transaction.query(
    `insert into key_permissions (key_id, permission_id)
     select $2, permission_id from key_permissions where key_id = $1`,
    [old.keyId, keyId],
  );
  await copyRateLimits(transaction, deps, old.keyId, keyId);
}
