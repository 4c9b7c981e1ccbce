import type { KeyHash } from '../domain/brands.ts';
import type { Principal } from '../domain/principal.ts';
import type { Rows } from './ports.ts';
import type { KeyView } from './types.ts';

interface KeyViewRow {
  readonly id: string;
  readonly api_id: string;
  readonly start: string;
  readonly enabled: boolean;
  readonly name: string | null;
  readonly meta: Readonly<Record<string, unknown>> | null;
  readonly created_at: Date;
  readonly updated_at: Date | null;
  readonly expires_at: Date | null;
  readonly permissions: readonly string[];
  readonly roles: readonly string[];
  readonly identity_id: string | null;
  readonly external_id: string | null;
  readonly identity_meta: Readonly<Record<string, unknown>> | null;
}

const READ = `
select k.id, k.api_id, k.start, k.enabled, k.name, k.meta, k.created_at, k.updated_at, k.expires_at,
  i.id as identity_id, i.external_id, i.meta as identity_meta,
  array(select r.name from key_roles kr join roles r on r.id = kr.role_id where kr.key_id = k.id
    order by r.name collate "C") as roles,
  array(select p.slug from permissions p
    where p.id in (select permission_id from key_permissions where key_id = k.id
      union select rp.permission_id from role_permissions rp join key_roles kr using (role_id) where kr.key_id = k.id)
    order by p.slug collate "C") as permissions
from keys k
join apis a on a.id = k.api_id and a.deleted_at is null
left join identities i on i.id = k.identity_id
where k.workspace_id = $1 and k.deleted_at is null`;

export interface FoundKey {
  readonly apiId: string;
  readonly view: KeyView;
}

/** A key of the principal's workspace by its id or its hash; undefined where there is none, or it is deleted. */
export async function findKey(
  rows: Rows,
  principal: Principal,
  by: { readonly keyId: string } | { readonly hash: KeyHash },
): Promise<FoundKey | undefined> {
  const [found] =
    'keyId' in by
      ? await rows.query<KeyViewRow>(`${READ} and k.id = $2`, [principal.workspaceId, by.keyId])
      : await rows.query<KeyViewRow>(`${READ} and k.hash = decode($2, 'hex')`, [
          principal.workspaceId,
          by.hash,
        ]);
  return found === undefined ? undefined : { apiId: found.api_id, view: toView(found) };
}

function toView(row: KeyViewRow): KeyView {
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
    ...(row.identity_id === null || row.external_id === null
      ? {}
      : {
          identity: {
            id: row.identity_id,
            externalId: row.external_id,
            ...(row.identity_meta === null ? {} : { meta: row.identity_meta }),
          },
        }),
  };
}
