import { newId } from '../../domain/ids.ts';
import { Problem } from '../../domain/problem.ts';
import { auditOf } from '../audit.ts';
import type { ManageDeps } from '../deps.ts';
import { writeOnce } from '../idempotency.ts';
import { findOrMakePermissions } from '../keys/grants.ts';
import { refuseNul } from '../refusals.ts';
import type { WriteContext, Written } from '../types.ts';
import { requireAll } from './refusals.ts';
import { addRolePermissions } from './set-role-permissions.ts';
import type { CreateRoleInput } from './types.ts';

interface MadeRole {
  readonly roleId: string;
}

/**
 * Makes a role, with the permissions that it names; those that are missing are made, which the root key must be allowed to. Refuses
 * with `role_already_exists` where the name is taken, also by a call at the same time.
 */
export async function createRole(
  deps: ManageDeps,
  context: WriteContext,
  { name, description = '', permissions = [] }: CreateRoleInput,
): Promise<Written<MadeRole>> {
  const { principal } = context;
  requireAll(principal, 'rbac.*.create_role');
  if (permissions.length > 0) requireAll(principal, 'rbac.*.add_permission_to_role');
  refuseNul('name', name);
  refuseNul('description', description);
  return await writeOnce<MadeRole, MadeRole>(deps, context, {
    async run(transaction) {
      const ids = await findOrMakePermissions(transaction, context, permissions, deps.randomBytes);
      const roleId = newId('role', deps.randomBytes);
      const made = await transaction.query(
        `insert into roles (id, workspace_id, name, description) values ($1, $2, $3, nullif($4, ''))
         on conflict (workspace_id, name) do nothing returning id`,
        [roleId, principal.workspaceId, name, description],
      );
      if (made.length === 0) {
        throw new Problem('role_already_exists', 'There is already a role of this name.');
      }
      await addRolePermissions(transaction, roleId, ids);
      transaction.changed('role', roleId);
      transaction.audit(
        auditOf(context, {
          action: 'role.create',
          targetKind: 'role',
          targetId: roleId,
          detail: { permissions },
        }),
      );
      return { data: { roleId }, revokes: false, remembered: { roleId } };
    },
    recall: (remembered) => remembered,
  });
}
