import { randomUUID } from 'node:crypto';
import type { Workspace } from '../workspace.ts';
import { allowRecoverableKeys } from '../cases/recoverable.ts';
import { importedKey } from '../cases/expected.ts';
import type { Call, Lacking, Made } from './types.ts';

const NO_API: Lacking = { status: 404, type: 'data/api_not_found' };
const NO_KEY: Lacking = { status: 404, type: 'data/key_not_found' };

async function makeApi(workspace: Workspace): Promise<Made> {
  return { apiId: await workspace.apiId() };
}

async function makeKey(workspace: Workspace, input: Readonly<Record<string, unknown>> = {}): Promise<Made> {
  return { apiId: await workspace.apiId(), ...(await workspace.createKey(input)) };
}

async function makeKeyAndRole(workspace: Workspace): Promise<Made> {
  const role = `role-${randomUUID()}`;
  await workspace.must('permissions.createRole', { name: role });
  return { ...(await makeKey(workspace, { roles: [role] })), role };
}

async function makeKeyAndPermission(workspace: Workspace): Promise<Made> {
  const slug = `slug.${randomUUID()}`;
  return { ...(await makeKey(workspace, { permissions: [slug] })), slug };
}

async function makeRecoverableKey(workspace: Workspace): Promise<Made> {
  await allowRecoverableKeys(workspace);
  return await makeKey(workspace, { recoverable: true });
}

const scope = ({ apiId = '' }: Made): string => apiId;
const update = { permissions: ['api.*.update_key'], scope } as const;

export const KEY_CALLS: readonly Call[] = [
  {
    verb: 'keys.createKey',
    make: makeApi,
    body: ({ apiId }) => ({ apiId, prefix: 'p', name: 'new', externalId: 'user' }),
    permissions: ['api.*.create_key'],
    scope,
    lacking: NO_API,
  },
  {
    verb: 'keys.createKey',
    with: 'a role',
    make: makeKeyAndRole,
    body: ({ apiId, role }) => ({ apiId, roles: [role] }),
    permissions: ['api.*.create_key'],
    scope,
    lacking: NO_API,
  },
  {
    verb: 'keys.createKey',
    with: 'a permission that is made by it',
    make: makeApi,
    body: ({ apiId }) => ({ apiId, permissions: [`made.${randomUUID()}`] }),
    permissions: ['rbac.*.create_permission'],
  },
  {
    verb: 'keys.createKey',
    with: 'a text that is kept',
    make: async (workspace) => {
      await allowRecoverableKeys(workspace);
      return await makeApi(workspace);
    },
    body: ({ apiId }) => ({ apiId, recoverable: true }),
    permissions: ['api.*.encrypt_key'],
    scope,
  },
  {
    verb: 'keys.getKey',
    make: makeKey,
    body: ({ keyId }) => ({ keyId }),
    permissions: ['api.*.read_key'],
    scope,
  },
  {
    verb: 'keys.getKey',
    with: 'its text',
    make: makeRecoverableKey,
    body: ({ keyId }) => ({ keyId, decrypt: true }),
    permissions: ['api.*.decrypt_key'],
    scope,
  },
  {
    verb: 'keys.whoami',
    make: makeKey,
    body: ({ key }) => ({ key }),
    permissions: ['api.*.read_key'],
    scope,
    lacking: NO_KEY,
  },
  {
    verb: 'keys.verifyKey',
    make: makeKey,
    body: ({ key }) => ({ key }),
    permissions: ['api.*.verify_key'],
    scope,
    lacking: { status: 200, data: { valid: false, code: 'NOT_FOUND' } },
  },
  { verb: 'keys.updateKey', make: makeKey, body: ({ keyId }) => ({ keyId, name: 'renamed' }), ...update },
  {
    verb: 'keys.updateKey',
    with: 'a role',
    make: makeKeyAndRole,
    body: ({ keyId, role }) => ({ keyId, roles: [role] }),
    ...update,
  },
  {
    verb: 'keys.updateCredits',
    make: async (workspace) => await makeKey(workspace, { credits: { remaining: 5 } }),
    body: ({ keyId }) => ({ keyId, operation: 'increment', value: 1 }),
    ...update,
  },
  {
    verb: 'keys.addPermissions',
    make: makeKeyAndPermission,
    body: ({ keyId, slug }) => ({ keyId, permissions: [slug] }),
    ...update,
  },
  {
    verb: 'keys.setPermissions',
    make: makeKeyAndPermission,
    body: ({ keyId, slug }) => ({ keyId, permissions: [slug] }),
    ...update,
  },
  {
    verb: 'keys.setPermissions',
    with: 'a permission that is made by it',
    make: makeKey,
    body: ({ keyId }) => ({ keyId, permissions: [`made.${randomUUID()}`] }),
    permissions: ['rbac.*.create_permission'],
  },
  {
    verb: 'keys.removePermissions',
    make: makeKeyAndPermission,
    body: ({ keyId, slug }) => ({ keyId, permissions: [slug] }),
    ...update,
  },
  {
    verb: 'keys.addRoles',
    make: makeKeyAndRole,
    body: ({ keyId, role }) => ({ keyId, roles: [role] }),
    ...update,
  },
  {
    verb: 'keys.setRoles',
    make: makeKeyAndRole,
    body: ({ keyId, role }) => ({ keyId, roles: [role] }),
    ...update,
  },
  {
    verb: 'keys.removeRoles',
    make: makeKeyAndRole,
    body: ({ keyId, role }) => ({ keyId, roles: [role] }),
    ...update,
  },
  {
    verb: 'keys.rerollKey',
    make: makeKey,
    body: ({ keyId }) => ({ keyId, expiration: 60_000 }),
    permissions: ['api.*.create_key'],
    scope,
  },
  {
    verb: 'keys.rerollKey',
    with: 'a text that is kept',
    make: makeRecoverableKey,
    body: ({ keyId }) => ({ keyId, expiration: 60_000 }),
    permissions: ['api.*.encrypt_key'],
    scope,
  },
  {
    verb: 'keys.migrateKeys',
    make: async (workspace) => {
      const { hash } = importedKey();
      const apiId = await workspace.apiId();
      const migrationId = `migration-${randomUUID()}`;
      await workspace.must('keys.migrateKeys', { migrationId, apiId, keys: [{ hash }] });
      return { apiId, migrationId, hash };
    },
    body: ({ apiId, migrationId, hash }) => ({ apiId, migrationId, keys: [{ hash }] }),
    permissions: ['api.*.create_key'],
    scope,
  },
  {
    verb: 'keys.deleteKey',
    make: makeKey,
    body: ({ keyId }) => ({ keyId }),
    permissions: ['api.*.delete_key'],
    scope,
  },
];
