import type { ManageDeps } from '../deps.ts';
import { createPermission } from './create-permission.ts';
import { createRole } from './create-role.ts';
import { deletePermission } from './delete-permission.ts';
import { deleteRole } from './delete-role.ts';
import { getPermission, listPermissions } from './read-permissions.ts';
import { getRole, listRoles } from './read-roles.ts';
import { setRolePermissions } from './set-role-permissions.ts';
import type { PermissionCalls } from './types.ts';

/** The calls of `permissions`. */
export function createPermissionCalls(deps: ManageDeps): PermissionCalls {
  return {
    createPermission: (context, input) => createPermission(deps, context, input),
    deletePermission: (context, input) => deletePermission(deps, context, input),
    getPermission: (principal, input) => getPermission(deps, principal, input),
    listPermissions: (principal, input) => listPermissions(deps, principal, input),
    createRole: (context, input) => createRole(deps, context, input),
    deleteRole: (context, input) => deleteRole(deps, context, input),
    getRole: (principal, input) => getRole(deps, principal, input),
    listRoles: (principal, input) => listRoles(deps, principal, input),
    setRolePermissions: (context, input) => setRolePermissions(deps, context, input),
  };
}
