import { randomUUID } from 'node:crypto';
import { allowRecoverableKeys } from '../cases/recoverable.ts';
import type { Workspace } from '../workspace.ts';
import { type Call, type Made, text } from './types.ts';

/** Calls of apis, identities, permissions, analytics and revisions. */

/** A name that nothing else has. */
function unique(kind: string): string {
  return `${kind}-${randomUUID()}`;
}

async function makeApi(workspace: Workspace): Promise<Made> {
  const { apiId } = await workspace.must('apis.createApi', { name: 'one more' });
  return { apiId: String(apiId) };
}

async function makeIdentity(workspace: Workspace): Promise<Made> {
  const externalId = unique('user');
  const data = await workspace.must('identities.createIdentity', { externalId });
  return { externalId, identityId: text(data, 'identityId') };
}

async function makePermission(workspace: Workspace): Promise<Made> {
  const slug = unique('slug');
  const data = await workspace.must('permissions.createPermission', { slug, name: slug });
  return { slug, permissionId: text(data, 'permissionId') };
}

async function makeRole(workspace: Workspace): Promise<Made> {
  const { slug = '' } = await makePermission(workspace);
  const name = unique('role');
  const data = await workspace.must('permissions.createRole', { name, permissions: [slug] });
  return { slug, name, roleId: text(data, 'roleId') };
}

const none = () => Promise.resolve({});
const scope = ({ apiId = '' }: Made): string => apiId;

export const OTHER_CALLS: readonly Call[] = [
  {
    verb: 'apis.createApi',
    make: none,
    body: () => ({ name: 'one more' }),
    permissions: ['api.*.create_api'],
  },
  {
    verb: 'apis.updateApi',
    make: makeApi,
    body: ({ apiId }) => ({ apiId, name: 'renamed' }),
    permissions: ['api.*.update_api'],
    scope,
  },
  {
    verb: 'apis.getApi',
    make: makeApi,
    body: ({ apiId }) => ({ apiId }),
    permissions: ['api.*.read_api'],
    scope,
  },
  {
    verb: 'apis.listKeys',
    isList: true,
    make: async (workspace) => {
      await workspace.createKey({ externalId: 'listed' });
      return { apiId: await workspace.apiId() };
    },
    body: ({ apiId }) => ({ apiId }),
    permissions: ['api.*.read_key', 'api.*.read_api'],
    scope,
  },
  {
    verb: 'apis.listKeys',
    with: 'their texts',
    isList: true,
    make: async (workspace) => {
      await allowRecoverableKeys(workspace);
      await workspace.createKey({ recoverable: true });
      return { apiId: await workspace.apiId() };
    },
    body: ({ apiId }) => ({ apiId, decrypt: true }),
    permissions: ['api.*.decrypt_key'],
    scope,
  },
  {
    verb: 'apis.listKeys',
    with: 'the keys of an identity',
    isList: true,
    make: async (workspace) => {
      const externalId = unique('user');
      await workspace.createKey({ externalId });
      return { apiId: await workspace.apiId(), externalId };
    },
    body: ({ apiId, externalId }) => ({ apiId, externalId }),
    permissions: ['api.*.read_key', 'api.*.read_api'],
    scope,
  },
  {
    verb: 'apis.deleteApi',
    make: makeApi,
    body: ({ apiId }) => ({ apiId }),
    permissions: ['api.*.delete_api'],
    scope,
  },
  {
    verb: 'identities.createIdentity',
    make: none,
    body: () => ({ externalId: unique('user') }),
    permissions: ['identity.*.create_identity'],
  },
  {
    verb: 'identities.createIdentity',
    with: 'credits',
    make: none,
    body: () => ({ externalId: unique('user'), credits: { remaining: 5 } }),
    permissions: ['identity.*.create_identity'],
  },
  {
    verb: 'identities.updateIdentity',
    with: 'credits',
    make: makeIdentity,
    body: ({ identityId }) => ({ identity: identityId, credits: { remaining: 5 } }),
    permissions: ['identity.*.update_identity'],
  },
  ...(['externalId', 'identityId'] as const).flatMap((by): readonly Call[] => [
    {
      verb: 'identities.getIdentity',
      with: by,
      make: makeIdentity,
      body: (made) => ({ identity: made[by] }),
      permissions: ['identity.*.read_identity'],
    },
    {
      verb: 'identities.updateIdentity',
      with: by,
      make: makeIdentity,
      body: (made) => ({ identity: made[by], meta: { changed: true } }),
      permissions: ['identity.*.update_identity'],
    },
    {
      verb: 'identities.deleteIdentity',
      with: by,
      make: makeIdentity,
      body: (made) => ({ identity: made[by] }),
      permissions: ['identity.*.delete_identity'],
    },
  ]),
  {
    verb: 'identities.listIdentities',
    isList: true,
    make: makeIdentity,
    body: () => ({}),
    permissions: ['identity.*.read_identity'],
  },
  {
    verb: 'identities.listIdentities',
    with: 'a search',
    isList: true,
    make: makeIdentity,
    body: ({ externalId }) => ({ search: externalId }),
    permissions: ['identity.*.read_identity'],
  },
  {
    verb: 'permissions.createPermission',
    make: none,
    body: () => ({ name: 'made', slug: unique('slug') }),
    permissions: ['rbac.*.create_permission'],
  },
  ...(['slug', 'permissionId'] as const).flatMap((by): readonly Call[] => [
    {
      verb: 'permissions.getPermission',
      with: by,
      make: makePermission,
      body: (made) => ({ permission: made[by] }),
      permissions: ['rbac.*.read_permission'],
    },
    {
      verb: 'permissions.deletePermission',
      with: by,
      make: makePermission,
      body: (made) => ({ permission: made[by] }),
      permissions: ['rbac.*.delete_permission'],
    },
  ]),
  {
    verb: 'permissions.listPermissions',
    isList: true,
    make: makePermission,
    body: () => ({}),
    permissions: ['rbac.*.read_permission'],
  },
  {
    verb: 'permissions.createRole',
    make: none,
    body: () => ({ name: unique('role') }),
    permissions: ['rbac.*.create_role'],
  },
  {
    verb: 'permissions.createRole',
    with: 'permissions',
    make: makePermission,
    body: ({ slug }) => ({ name: unique('role'), permissions: [slug] }),
    permissions: ['rbac.*.create_role', 'rbac.*.add_permission_to_role'],
  },
  ...(['name', 'roleId'] as const).flatMap((by): readonly Call[] => [
    {
      verb: 'permissions.getRole',
      with: by,
      make: makeRole,
      body: (made) => ({ role: made[by] }),
      permissions: ['rbac.*.read_role'],
    },
    {
      verb: 'permissions.deleteRole',
      with: by,
      make: makeRole,
      body: (made) => ({ role: made[by] }),
      permissions: ['rbac.*.delete_role'],
    },
  ]),
  {
    verb: 'permissions.listRoles',
    isList: true,
    make: makeRole,
    body: () => ({}),
    permissions: ['rbac.*.read_role'],
  },
  {
    verb: 'permissions.setRolePermissions',
    make: makeRole,
    body: ({ roleId, slug }) => ({ roleId, permissions: [slug] }),
    permissions: ['rbac.*.add_permission_to_role', 'rbac.*.remove_permission_from_role'],
  },
  {
    verb: 'analytics.getVerifications',
    make: none,
    body: () => ({ query: 'SELECT COUNT(*) AS total FROM key_verifications_v1' }),
    permissions: ['api.*.read_analytics'],
    // Nothing collects events here.
    status: 412,
  },
  {
    verb: 'revisions.wait',
    make: none,
    body: () => ({ revision: '1.00000000.1', timeoutMs: 0 }),
    permissions: [],
  },
];
