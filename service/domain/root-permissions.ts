import type { Principal } from './principal.ts';

/**
 * Every permission that a call of this version asks a root key for, with `*` in place of an id. A bootstrap root key carries
 * them all.
 */
export const ROOT_PERMISSIONS = [
  'api.*.create_api',
  'api.*.read_api',
  'api.*.update_api',
  'api.*.delete_api',
  'api.*.create_key',
  'api.*.read_key',
  'api.*.update_key',
  'api.*.delete_key',
  'api.*.verify_key',
  'api.*.encrypt_key',
  'api.*.decrypt_key',
  'api.*.read_analytics',
  'identity.*.create_identity',
  'identity.*.read_identity',
  'identity.*.update_identity',
  'identity.*.delete_identity',
  'rbac.*.create_permission',
  'rbac.*.read_permission',
  'rbac.*.delete_permission',
  'rbac.*.create_role',
  'rbac.*.read_role',
  'rbac.*.delete_role',
  'rbac.*.add_permission_to_role',
  'rbac.*.remove_permission_from_role',
  'ratelimit.*.create_namespace',
  'ratelimit.*.limit',
  'ratelimit.*.set_override',
  'ratelimit.*.read_override',
  'ratelimit.*.delete_override',
] as const;

export type RootPermission = (typeof ROOT_PERMISSIONS)[number];

/**
 * True where the principal holds the permission for all objects or for this one. Tuples are compared exactly: `*` is a literal
 * of its own, never a pattern. Without an id only the tuple with `*` counts.
 */
export function mayRoot(principal: Principal, permission: RootPermission, id?: string): boolean {
  if (principal.permissions.has(permission)) return true;
  return id !== undefined && principal.permissions.has(permission.replace('*', () => id));
}
