import type { Nothing, Page, PageInput, Read, Write } from '../types.ts';

export interface PermissionView {
  readonly id: string;
  readonly name: string;
  readonly slug: string;
  readonly description?: string;
}

export interface RoleView {
  readonly id: string;
  readonly name: string;
  readonly description?: string;
  /** Sorted by slug; left out where there are none. */
  readonly permissions?: readonly PermissionView[];
}

export interface CreatePermissionInput {
  readonly name: string;
  readonly slug: string;
  readonly description?: string;
}

export interface CreateRoleInput {
  readonly name: string;
  readonly description?: string;
  /** Slugs; those that are missing are made. */
  readonly permissions?: readonly string[];
}

export interface SetRolePermissionsInput {
  readonly roleId: string;
  /** Slugs; those that are missing are made. */
  readonly permissions: readonly string[];
}

/** `permission` is an id or a slug. */
interface PermissionInput {
  readonly permission: string;
}

/** `role` is an id or a name. */
interface RoleInput {
  readonly role: string;
}

export interface SearchInput extends PageInput {
  /** Part of an id, a name, a slug or a description, in any case. */
  readonly search?: string;
}

/** Calls of `permissions`. */
export interface PermissionCalls {
  readonly createPermission: Write<CreatePermissionInput, { readonly permissionId: string }>;
  readonly deletePermission: Write<PermissionInput, Nothing>;
  readonly getPermission: Read<PermissionInput, PermissionView>;
  readonly listPermissions: Read<SearchInput, Page<PermissionView>>;
  readonly createRole: Write<CreateRoleInput, { readonly roleId: string }>;
  readonly deleteRole: Write<RoleInput, Nothing>;
  readonly getRole: Read<RoleInput, RoleView>;
  readonly listRoles: Read<SearchInput, Page<RoleView>>;
  /** Answers what the role has afterwards, sorted by slug. */
  readonly setRolePermissions: Write<SetRolePermissionsInput, readonly PermissionView[]>;
}
