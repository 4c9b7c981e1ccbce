import type { PermissionView } from '../permissions/types.ts';
import { type PermissionRow, toPermissionView } from '../permissions/view.ts';
import type { GrantKind } from './change-grants.ts';
import { findNamed } from './find-named.ts';
import { findOrMakePermissions, permissionsNotFound, setKeyPermissions } from './grants.ts';

const OWN = `from key_permissions kp join permissions p on p.id = kp.permission_id and p.deleted_at is null
where kp.key_id = $1`;

/** Permissions of a key, named by slug or id. A slug that is missing is made where it is given to the key. */
export const KEY_PERMISSIONS: GrantKind<PermissionView> = {
  name: 'permissions',
  max: 1000,
  async find(deps, context, transaction, change, items) {
    const { ids, missing } = await findNamed(
      transaction,
      context.principal,
      { table: 'permissions', column: 'slug' },
      items,
    );
    if (change === 'remove' && missing.length > 0) throw permissionsNotFound(missing);
    return [...ids, ...(await findOrMakePermissions(transaction, context, missing, deps.randomBytes))];
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
