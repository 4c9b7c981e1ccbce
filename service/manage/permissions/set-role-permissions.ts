import { auditOf } from '../audit.ts';
import type { ManageDeps } from '../deps.ts';
import { writeOnce } from '../idempotency.ts';
import { findOrMakePermissions } from '../keys/grants.ts';
import type { WriteTransaction } from '../ports.ts';
import type { WriteContext, Written } from '../types.ts';
import { lockRole, permissionsOfRole } from './read-roles.ts';
import { requireAll } from './refusals.ts';
import type { PermissionView, SetRolePermissionsInput } from './types.ts';

/**
 * Replaces what a role, by its id or its name, holds; what is missing is made, which the root key must be allowed to. Answers what
 * the role holds afterwards, sorted by slug. Calls for the same role wait for each other.
 */
export async function setRolePermissions(
  deps: ManageDeps,
  context: WriteContext,
  { roleId: role, permissions }: SetRolePermissionsInput,
): Promise<Written<readonly PermissionView[]>> {
  const { principal } = context;
  requireAll(principal, 'rbac.*.add_permission_to_role', 'rbac.*.remove_permission_from_role');
  return await writeOnce<readonly PermissionView[], readonly PermissionView[]>(deps, context, {
    async run(transaction) {
      const roleId = await lockRole(transaction, principal.workspaceId, role, 'for no key update');
      const ids = await findOrMakePermissions(transaction, context, permissions, deps.randomBytes);
      const lost = await transaction.query(
        'delete from role_permissions where role_id = $1 and permission_id <> all($2::text[]) returning permission_id',
        [roleId, ids],
      );
      await addRolePermissions(transaction, roleId, ids);
      transaction.changed('role', roleId);
      transaction.audit(
        auditOf(context, {
          action: 'role.setPermissions',
          targetKind: 'role',
          targetId: roleId,
          detail: { permissions },
        }),
      );
      const data = await permissionsOfRole(transaction, roleId);
      return { data, revokes: lost.length > 0, remembered: data };
    },
    recall: (remembered) => remembered,
  });
}

/** Gives the role what it hasn't got of these. */
export async function addRolePermissions(
  transaction: WriteTransaction,
  roleId: string,
  permissionIds: readonly string[],
): Promise<void> {
  if (permissionIds.length === 0) return;
  await transaction.query(
    'insert into role_permissions (role_id, permission_id) select $1, unnest($2::text[]) on conflict do nothing',
    [roleId, permissionIds],
  );
}
