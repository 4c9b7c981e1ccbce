import type { KeyHash } from '../../domain/brands.ts';
import type { Rows } from '../ports.ts';
import { rateLimitViewsSql } from '../rate-limits.ts';
import type { Meta, RateLimitView } from '../types.ts';
import { ACCOUNT_COLUMNS, type AccountRow, creditsView, toAccount } from './credit-accounts.ts';
import type { KeyView } from './types.ts';

interface KeyViewRow extends AccountRow {
  readonly id: string;
  readonly api_id: string;
  readonly hash: KeyHash;
  readonly start: string;
  readonly enabled: boolean;
  readonly name: string | null;
  readonly meta: Meta | null;
  readonly created_at: Date;
  readonly updated_at: Date | null;
  readonly expires_at: Date | null;
  readonly permissions: readonly string[];
  readonly roles: readonly string[];
  readonly ratelimits: readonly RateLimitView[];
  readonly identity_id: string | null;
  readonly external_id: string | null;
  readonly identity_meta: Meta | null;
  readonly identity_ratelimits: readonly RateLimitView[];
}

/** Identities, roles and permissions that were deleted are not there, although rows still refer to them. */
const READ = `
select k.id, k.api_id, encode(k.hash, 'hex') as hash, k.start, k.enabled, k.name, k.meta, k.created_at, k.updated_at, k.expires_at,
  ${ACCOUNT_COLUMNS},
  ${rateLimitViewsSql('key_id', 'k.id')} as ratelimits,
  i.id as identity_id, i.external_id, i.meta as identity_meta,
  ${rateLimitViewsSql('identity_id', 'i.id')} as identity_ratelimits,
  array(select r.name from key_roles kr join roles r on r.id = kr.role_id and r.deleted_at is null where kr.key_id = k.id
    order by r.name collate "C") as roles,
  array(select p.slug from permissions p
    where p.deleted_at is null and p.id in (select permission_id from key_permissions where key_id = k.id
      union select rp.permission_id from role_permissions rp join key_roles kr using (role_id)
        join roles r on r.id = kr.role_id and r.deleted_at is null where kr.key_id = k.id)
    order by p.slug collate "C") as permissions
from keys k
join apis a on a.id = k.api_id and a.deleted_at is null
left join credit_accounts account on account.id = k.credit_account_id
left join identities i on i.id = k.identity_id and i.deleted_at is null
where k.workspace_id = $1 and k.deleted_at is null`;

/** A key as calls show it, and what a call needs to know besides. */
export interface FoundKey {
  /** The key's id; pages follow it. */
  readonly id: string;
  readonly apiId: string;
  readonly hash: KeyHash;
  /** Without the key's text. */
  readonly view: KeyView;
}

/**
 * Keys of a workspace. `condition` is SQL over `keys k` (and `identities i`, the key's own unless it was deleted), with the order
 * and limit of a page behind it; `values` are its parameters, from `$2` on. Deleted keys, and keys of deleted APIs, are not there.
 */
export async function readKeyViews(
  rows: Rows,
  workspaceId: string,
  condition: string,
  values: readonly unknown[],
): Promise<readonly FoundKey[]> {
  const found = await rows.query<KeyViewRow>(`${READ} and ${condition}`, [workspaceId, ...values]);
  return found.map((row) => ({ id: row.id, apiId: row.api_id, hash: row.hash, view: toView(row) }));
}

function toView(row: KeyViewRow): KeyView {
  const account = toAccount(row);
  return {
    keyId: row.id,
    start: row.start,
    enabled: row.enabled,
    ...(row.name === null ? {} : { name: row.name }),
    ...(row.meta === null ? {} : { meta: row.meta }),
    createdAt: row.created_at.getTime(),
    ...(row.updated_at === null ? {} : { updatedAt: row.updated_at.getTime() }),
    ...(row.expires_at === null ? {} : { expires: row.expires_at.getTime() }),
    ...(row.permissions.length === 0 ? {} : { permissions: row.permissions }),
    ...(row.roles.length === 0 ? {} : { roles: row.roles }),
    ...(account === null ? {} : { credits: creditsView(account) }),
    ...identityOf(row),
    ...(row.ratelimits.length === 0 ? {} : { ratelimits: row.ratelimits }),
  };
}

function identityOf(row: KeyViewRow): Pick<KeyView, 'identity'> {
  if (row.identity_id === null || row.external_id === null) return {};
  return {
    identity: {
      id: row.identity_id,
      externalId: row.external_id,
      ...(row.identity_meta === null ? {} : { meta: row.identity_meta }),
      ...(row.identity_ratelimits.length === 0 ? {} : { ratelimits: row.identity_ratelimits }),
    },
  };
}
