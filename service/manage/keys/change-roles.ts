import type { RoleView } from '../permissions/types.ts';
import { ROLE_COLUMNS, type RoleRow, toRoleView } from '../permissions/view.ts';
import { refuseNul } from '../refusals.ts';
import type { GrantKind } from './change-grants.ts';
import { rolesNotFound, setKeyRoles } from './grants.ts';

const OWN = `from key_roles kr join roles r on r.id = kr.role_id and r.deleted_at is null where kr.key_id = $1`;

/** Roles of a key, named by name or id. One that is missing is refused: roles are never made by being named. */
export const KEY_ROLES: GrantKind<RoleView> = {
  name: 'roles',
  max: 100,
  async find(_deps, { principal }, transaction, _change, items) {
    refuseNul('roles', ...items);
    const wanted = [...new Set(items)];
    const found = await transaction.query<{ id: string; name: string }>(
      `select id, name from roles
       where workspace_id = $1 and (id = any($2::text[]) or name = any($2::text[])) and deleted_at is null`,
      [principal.workspaceId, wanted],
    );
    const byName = new Map(found.map(({ id, name }) => [name, id]));
    const ids = new Set(byName.values());
    // An id goes before a name: whoever may make roles could otherwise take the place of another one.
    const idOf = (item: string): string | undefined => (ids.has(item) ? item : byName.get(item));
    const missing = wanted.filter((item) => idOf(item) === undefined);
    if (missing.length > 0) throw rolesNotFound(missing);
    return wanted.flatMap((item) => idOf(item) ?? []);
  },
  async ids(rows, keyId) {
    const found = await rows.query<{ id: string }>(`select r.id ${OWN}`, [keyId]);
    return found.map(({ id }) => id);
  },
  async read(rows, keyId) {
    const found = await rows.query<RoleRow>(`select ${ROLE_COLUMNS} ${OWN} order by r.name collate "C"`, [
      keyId,
    ]);
    return found.map(toRoleView);
  },
  replace: setKeyRoles,
};
