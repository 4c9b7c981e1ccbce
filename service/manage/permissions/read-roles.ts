import type { Principal } from '../../domain/principal.ts';
import type { ManageDeps } from '../deps.ts';
import { rowsOfPage, toPage } from '../paging.ts';
import type { Rows, WriteTransaction } from '../ports.ts';
import type { Page } from '../types.ts';
import { requireAll, roleNotFound } from './refusals.ts';
import { searchPattern } from '../search.ts';
import type { PermissionView, RoleView, SearchInput } from './types.ts';
import { ROLE_COLUMNS, type RoleRow, toPermissionView, toRoleView } from './view.ts';

/**
 * Permissions that a page begins no further role after. A hundred roles may hold a hundred thousand, which is more than a region
 * passes on, and than a task should hold at once.
 */
const PAGE_PERMISSIONS = 10_000;

/** An id wins over a name that reads like it. */
const BY_ID_OR_NAME = `r.workspace_id = $1 and r.deleted_at is null and (r.id = $2 or r.name = $2)
order by (r.id = $2) desc limit 1`;

/**
 * Id of the workspace's role of this id or name, locked. Refuses with `role_not_found`. The lock of a deletion waits for whoever is
 * just giving the role to a key; the other one doesn't.
 */
export async function lockRole(
  transaction: WriteTransaction,
  workspaceId: string,
  role: string,
  lock: 'for update' | 'for no key update',
): Promise<string> {
  const [found] = await transaction.query<{ id: string }>(
    `select r.id from roles r where ${BY_ID_OR_NAME} ${lock}`,
    [workspaceId, role],
  );
  if (found === undefined) throw roleNotFound();
  return found.id;
}

/** A role by its id or its name. Refuses with `role_not_found`. */
export async function getRole(
  { rows }: Pick<ManageDeps, 'rows'>,
  principal: Principal,
  { role }: { readonly role: string },
): Promise<RoleView> {
  requireAll(principal, 'rbac.*.read_role');
  const [found] = await rows.query<RoleRow>(`select ${ROLE_COLUMNS} from roles r where ${BY_ID_OR_NAME}`, [
    principal.workspaceId,
    role,
  ]);
  if (found === undefined) throw roleNotFound();
  return toRoleView(found);
}

/**
 * $1: workspace; $2: id after which the page begins; $3: pattern of an id, a name or a description, or null; $4: rows; $5: permissions
 * after which no further role begins. `cut` tells that there are rows which didn't fit.
 */
const LIST = `
with listed as materialized (
  select r.id, r.name, r.description, (select count(*) from role_permissions rp where rp.role_id = r.id) as held
  from roles r
  where r.workspace_id = $1 and r.deleted_at is null and r.id > $2
    and ($3::text is null or r.id ilike $3 or r.name ilike $3 or r.description ilike $3)
  order by r.id limit $4
), sized as (
  select *, sum(held) over (order by id) - held < $5 as fits from listed
)
select ${ROLE_COLUMNS}, (select not bool_and(fits) from sized) as cut from sized r where r.fits order by r.id`;

/**
 * A page of the workspace's roles with their permissions, in the order of their ids. A page may hold fewer than it may, and still have
 * another one behind it.
 */
export async function listRoles(
  { rows }: Pick<ManageDeps, 'rows'>,
  principal: Principal,
  input: SearchInput,
): Promise<Page<RoleView>> {
  requireAll(principal, 'rbac.*.read_role');
  const found = await rows.query<RoleRow & { readonly cut: boolean }>(LIST, [
    principal.workspaceId,
    input.cursor ?? '',
    searchPattern(input.search),
    rowsOfPage(input),
    PAGE_PERMISSIONS,
  ]);
  return toPage(input, found, toRoleView);
}

/** What the role holds, sorted by slug. */
export async function permissionsOfRole(rows: Rows, roleId: string): Promise<readonly PermissionView[]> {
  const [found] = await rows.query<RoleRow>(`select ${ROLE_COLUMNS} from roles r where r.id = $1`, [roleId]);
  return found?.permissions.map(toPermissionView) ?? [];
}
