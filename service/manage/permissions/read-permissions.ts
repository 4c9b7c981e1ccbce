import type { Principal } from '../../domain/principal.ts';
import type { ManageDeps } from '../deps.ts';
import { rowsOfPage, toPage } from '../paging.ts';
import type { Rows } from '../ports.ts';
import type { Page } from '../types.ts';
import { permissionNotFound, requireAll } from './refusals.ts';
import { searchPattern } from '../search.ts';
import type { PermissionView, SearchInput } from './types.ts';
import { type PermissionRow, toPermissionView } from './view.ts';

/**
 * A permission of the workspace by its id or its slug, locked where the caller says so; undefined where there is none. An id wins over
 * a slug that reads like it.
 */
export async function findPermission(
  rows: Rows,
  workspaceId: string,
  permission: string,
  lock: '' | 'for update' = '',
): Promise<PermissionRow | undefined> {
  const [found] = await rows.query<PermissionRow>(
    `select id, name, slug, description from permissions
     where workspace_id = $1 and deleted_at is null and (id = $2 or slug = $2)
     order by (id = $2) desc limit 1 ${lock}`,
    [workspaceId, permission],
  );
  return found;
}

/** A permission by its id or its slug. Refuses with `permission_not_found`. */
export async function getPermission(
  { rows }: Pick<ManageDeps, 'rows'>,
  principal: Principal,
  { permission }: { readonly permission: string },
): Promise<PermissionView> {
  requireAll(principal, 'rbac.*.read_permission');
  const found = await findPermission(rows, principal.workspaceId, permission);
  if (found === undefined) throw permissionNotFound();
  return toPermissionView(found);
}

/** A page of the workspace's permissions, in the order of their ids. */
export async function listPermissions(
  { rows }: Pick<ManageDeps, 'rows'>,
  principal: Principal,
  input: SearchInput,
): Promise<Page<PermissionView>> {
  requireAll(principal, 'rbac.*.read_permission');
  const found = await rows.query<PermissionRow>(
    `select id, name, slug, description from permissions
     where workspace_id = $1 and deleted_at is null and id > $2
       and ($3::text is null or id ilike $3 or name ilike $3 or slug ilike $3 or description ilike $3)
     order by id limit $4`,
    [principal.workspaceId, input.cursor ?? '', searchPattern(input.search), rowsOfPage(input)],
  );
  return toPage(input, found, toPermissionView);
}
