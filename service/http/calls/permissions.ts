import type { FastifyPluginCallback } from 'fastify';
import { KEY_BODY_BYTES } from '../body-limits.ts';
import type { HttpDeps } from '../deps.ts';
import { prepareManagement } from '../management.ts';
import {
  CreatePermissionBody,
  CreateRoleBody,
  ListBody,
  PermissionBody,
  RoleBody,
  SetRolePermissionsBody,
} from '../schemas/permissions.ts';

/** The calls of `permissions`: permissions, and the roles that bundle them. */
export function permissionRoutes(deps: HttpDeps): FastifyPluginCallback {
  return (app, _options, done) => {
    const add = prepareManagement(app, deps);
    const { permissions: calls } = deps.manage;

    add({
      kind: 'write',
      path: '/v2/permissions.createPermission',
      body: CreatePermissionBody,
      run: calls.createPermission,
    });

    add({
      kind: 'write',
      path: '/v2/permissions.deletePermission',
      body: PermissionBody,
      run: calls.deletePermission,
    });

    add({
      kind: 'read',
      path: '/v2/permissions.getPermission',
      body: PermissionBody,
      run: calls.getPermission,
    });

    add({
      kind: 'list',
      path: '/v2/permissions.listPermissions',
      body: ListBody,
      run: calls.listPermissions,
    });

    add({
      kind: 'write',
      path: '/v2/permissions.createRole',
      body: CreateRoleBody,
      bodyBytes: KEY_BODY_BYTES,
      run: calls.createRole,
    });

    add({ kind: 'write', path: '/v2/permissions.deleteRole', body: RoleBody, run: calls.deleteRole });

    add({ kind: 'read', path: '/v2/permissions.getRole', body: RoleBody, run: calls.getRole });

    add({ kind: 'list', path: '/v2/permissions.listRoles', body: ListBody, run: calls.listRoles });

    add({
      kind: 'write',
      path: '/v2/permissions.setRolePermissions',
      body: SetRolePermissionsBody,
      bodyBytes: KEY_BODY_BYTES,
      run: calls.setRolePermissions,
    });

    done();
  };
}
