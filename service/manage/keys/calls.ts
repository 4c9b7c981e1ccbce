import type { ManageDeps } from '../deps.ts';
import { changeGrants } from './change-grants.ts';
import { KEY_PERMISSIONS } from './change-permissions.ts';
import { KEY_ROLES } from './change-roles.ts';
import { createKey } from './create-key.ts';
import { deleteKey } from './delete-key.ts';
import { getKey } from './get-key.ts';
import { ImportGate } from './import-gate.ts';
import { migrateKeys } from './migrate-keys.ts';
import { rerollKey } from './reroll-key.ts';
import type { KeyCalls } from './types.ts';
import { updateCredits } from './update-credits.ts';
import { updateKey } from './update-key.ts';
import { whoami } from './whoami.ts';

/** The calls of `keys`, but for verification. */
export function createKeyCalls(deps: ManageDeps): KeyCalls {
  const imports = new ImportGate();
  return {
    createKey: (context, input) => createKey(deps, context, input),
    updateKey: (context, input) => updateKey(deps, context, input),
    deleteKey: (context, input) => deleteKey(deps, context, input),
    updateCredits: (context, input) => updateCredits(deps, context, input),
    rerollKey: (context, input) => rerollKey(deps, context, input),
    migrateKeys: (context, input) =>
      imports.run(context.principal.workspaceId, async () => await migrateKeys(deps, context, input)),
    addPermissions: (context, { keyId, permissions: items }) =>
      changeGrants(deps, context, KEY_PERMISSIONS, 'add', { keyId, items }),
    removePermissions: (context, { keyId, permissions: items }) =>
      changeGrants(deps, context, KEY_PERMISSIONS, 'remove', { keyId, items }),
    setPermissions: (context, { keyId, permissions: items }) =>
      changeGrants(deps, context, KEY_PERMISSIONS, 'set', { keyId, items }),
    addRoles: (context, { keyId, roles: items }) =>
      changeGrants(deps, context, KEY_ROLES, 'add', { keyId, items }),
    removeRoles: (context, { keyId, roles: items }) =>
      changeGrants(deps, context, KEY_ROLES, 'remove', { keyId, items }),
    setRoles: (context, { keyId, roles: items }) =>
      changeGrants(deps, context, KEY_ROLES, 'set', { keyId, items }),
    getKey: (principal, input) => getKey(deps, principal, input),
    whoami: (principal, input) => whoami(deps, principal, input),
  };
}
