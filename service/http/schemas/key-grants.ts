import { Type } from 'typebox';
import { body, Id, Permissions, RoleName, Roles, Slug } from './fields.ts';

/** Bodies of the calls that change the permissions and roles of a key. Each item is a slug or a name, or an id, which has the form of both. */

/** Adding or removing nothing is a mistake; setting nothing takes all away. */
export const SomePermissionsBody = body({
  keyId: Id,
  permissions: Type.Array(Slug, { minItems: 1, maxItems: 1000 }),
});
export const SomeRolesBody = body({
  keyId: Id,
  roles: Type.Array(RoleName, { minItems: 1, maxItems: 100 }),
});

export const SetPermissionsBody = body({ keyId: Id, permissions: Permissions });
export const SetRolesBody = body({ keyId: Id, roles: Roles });
