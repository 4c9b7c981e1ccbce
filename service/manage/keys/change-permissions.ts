import { isIdOf } from '../../domain/ids.ts';
import type { PermissionView } from '../permissions/types.ts';
import { type PermissionRow, toPermissionView } from '../permissions/view.ts';
import type { GrantKind } from './change-grants.ts';
import { findOrMakePermissions, permissionsNotFound, setKeyPermissions } from './grants.ts';

const OWN = `from key_permissions kp join permissions p on p.id = kp.permission_id and p.deleted_at is null
where kp.key_id = $1`;

/** Permissions of a key, named by slug or id. A slug that is missing is made where it is given to the key. */
export const KEY_PERMISSIONS: GrantKind<PermissionView> = {
  name: 'permissions',
  max: 1000,
  async find(deps, { principal }, transaction, change, items) {
    const wanted = [...new Set(items)];
    const found = await transaction.query<{ id: string; slug: string }>(
      `select id, slug from permissions
       where workspace_id = $1 and (id = any($2::text[]) or slug = any($2::text[])) and deleted_at is null`,
      [principal.workspaceId, wanted],
    );
    const bySlug = new Map(found.map(({ id, slug }) => [slug, id]));
    const ids = new Set(bySlug.values());
    // An id goes before a slug: whoever may make permissions could otherwise take the place of another one.
    const idOf = (item: string): string | undefined => (ids.has(item) ? item : bySlug.get(item));
    const missing = wanted.filter((item) => idOf(item) === undefined);
    // What looks like an id is one that is gone or mistyped, and no slug that somebody wants.
    const lost = change === 'remove' ? missing : missing.filter((item) => isIdOf('perm', item));
    if (lost.length > 0) throw permissionsNotFound(lost);
    const made = await findOrMakePermissions(transaction, principal, missing, deps.randomBytes);
    return [...wanted.flatMap((item) => idOf(item) ?? []), ...made];
  },
  async ids(rows, keyId) {
    const found = await rows.query<{ id: string }>(`select p.id ${OWN}`, [keyId]);
    return found.map(({ id }) => id);
  },
  async read(rows, keyId) {
    const found = await rows.query<PermissionRow>(
      `select p.id, p.name, p.slug, p.description ${OWN} order by p.slug collate "C"`,
      [keyId],
    );
    return found.map(toPermissionView);
  },
  replace: setKeyPermissions,
};
