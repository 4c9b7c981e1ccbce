import type { PermissionView, RoleView } from './types.ts';

/** A row of `permissions`, with the columns that its view takes. */
export interface PermissionRow {
  readonly id: string;
  readonly name: string;
  readonly slug: string;
  readonly description: string | null;
}

/** A row of `roles` beside what the role holds. */
export interface RoleRow {
  readonly id: string;
  readonly name: string;
  readonly description: string | null;
  readonly permissions: readonly PermissionRow[];
}

/**
 * The columns of a `RoleRow` from `roles r`: a role and its permissions in one statement, so that a list of roles takes no statement
 * per role.
 */
export const ROLE_COLUMNS = `r.id, r.name, r.description, coalesce((
  select json_agg(json_build_object('id', p.id, 'name', p.name, 'slug', p.slug, 'description', p.description)
    order by p.slug collate "C")
  from role_permissions rp join permissions p on p.id = rp.permission_id and p.deleted_at is null
  where rp.role_id = r.id), '[]') as permissions`;

export function toPermissionView({ id, name, slug, description }: PermissionRow): PermissionView {
  return { id, name, slug, ...(description === null ? {} : { description }) };
}

export function toRoleView({ id, name, description, permissions }: RoleRow): RoleView {
  return {
    id,
    name,
    ...(description === null ? {} : { description }),
    ...(permissions.length === 0 ? {} : { permissions: permissions.map(toPermissionView) }),
  };
}
