import { Type } from 'typebox';
import { body, page, Permissions, RoleName, Search, Slug } from './fields.ts';

/** Bodies of the calls of `permissions`. */

const Description = Type.String({ maxLength: 512 });

export const CreatePermissionBody = body({
  name: Type.String({ minLength: 1, maxLength: 512 }),
  slug: Slug,
  description: Type.Optional(Description),
});
/** An id or a slug: what an id is made of, a slug may hold too. */
export const PermissionBody = body({ permission: Slug });
export const ListBody = body({ ...page, search: Type.Optional(Search) });

export const CreateRoleBody = body({
  name: RoleName,
  description: Type.Optional(Description),
  permissions: Type.Optional(Permissions),
});
/** An id or a name. */
export const RoleBody = body({ role: RoleName });
export const SetRolePermissionsBody = body({ roleId: RoleName, permissions: Permissions });
