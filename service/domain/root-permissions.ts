import type { Principal } from './principal.ts';

/**
 * Every permission that a call of this version asks a root key for, with `*` in place of an id. A bootstrap root key carries
 * them all.
 */
export const ROOT_PERMISSIONS = [
  'api.*.create_api',
  'api.*.read_api',
  'api.*.create_key',
  'api.*.read_key',
  'api.*.update_key',
  'api.*.delete_key',
  'api.*.verify_key',
  'rbac.*.create_permission',
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
