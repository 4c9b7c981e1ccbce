import type { Principal } from '../../domain/principal.ts';
import { Problem } from '../../domain/problem.ts';
import { mayRoot, type RootPermission } from '../../domain/root-permissions.ts';
import { lacksPermission } from '../refusals.ts';

export function permissionNotFound(): Problem {
  return new Problem('permission_not_found', 'There is no such permission.');
}

export function roleNotFound(): Problem {
  return new Problem('role_not_found', 'There is no such role.');
}

/**
 * Refuses with `insufficient_permissions` unless the root key holds all of these. They are the workspace's, never one object's, so
 * that the answer tells nothing of what there is.
 */
export function requireAll(principal: Principal, ...permissions: readonly RootPermission[]): void {
  for (const permission of permissions) {
    if (!mayRoot(principal, permission)) throw lacksPermission(permission);
  }
}
