import type { RoleView } from '../permissions/types.ts';
import { ROLE_COLUMNS, type RoleRow, toRoleView } from '../permissions/view.ts';
import { refuseNul } from '../refusals.ts';
import type { GrantKind } from './change-grants.ts';
import { findNamed } from './find-named.ts';
import { rolesNotFound, setKeyRoles } from './grants.ts';

const OWN = `from key_roles kr join roles r on r.id = kr.role_id and r.deleted_at is null where kr.key_id = $1`;

/** Roles of a key, named by name or id. One that is missing is refused: roles are never made by being named. */
export const KEY_ROLES: GrantKind<RoleView> = {
  name: 'roles',
  max: 100,
  async find(_deps, { principal }, transaction, _change, items) {
    refuseNul('roles', ...items);
    const { ids, missing } = await findNamed(
      transaction,
      principal,
      { table: 'roles', column: 'name' },
      items,
    );
    if (missing.length > 0) throw rolesNotFound(missing);
    return ids;
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
