import type { FastifyPluginCallback } from 'fastify';
import { KEY_BODY_BYTES } from '../body-limits.ts';
import type { HttpDeps } from '../deps.ts';
import { prepareManagement } from '../management.ts';
import {
  SetPermissionsBody,
  SetRolesBody,
  SomePermissionsBody,
  SomeRolesBody,
} from '../schemas/key-grants.ts';

/** Permissions and roles of a key. The bounds of their fields allow more than a body usually has. */
export function keyGrantRoutes(deps: HttpDeps): FastifyPluginCallback {
  return (app, _options, done) => {
    const add = prepareManagement(app, deps);
    const { keys } = deps.manage;

    add({
      kind: 'write',
      path: '/v2/keys.addPermissions',
      body: SomePermissionsBody,
      bodyBytes: KEY_BODY_BYTES,
      run: keys.addPermissions,
    });

    add({
      kind: 'write',
      path: '/v2/keys.removePermissions',
      body: SomePermissionsBody,
      bodyBytes: KEY_BODY_BYTES,
      run: keys.removePermissions,
    });

    add({
      kind: 'write',
      path: '/v2/keys.setPermissions',
      body: SetPermissionsBody,
      bodyBytes: KEY_BODY_BYTES,
      run: keys.setPermissions,
    });

    add({
      kind: 'write',
      path: '/v2/keys.addRoles',
      body: SomeRolesBody,
      bodyBytes: KEY_BODY_BYTES,
      run: keys.addRoles,
    });

    add({
      kind: 'write',
      path: '/v2/keys.removeRoles',
      body: SomeRolesBody,
      bodyBytes: KEY_BODY_BYTES,
      run: keys.removeRoles,
    });

    add({
      kind: 'write',
      path: '/v2/keys.setRoles',
      body: SetRolesBody,
      bodyBytes: KEY_BODY_BYTES,
      run: keys.setRoles,
    });

    done();
  };
}
