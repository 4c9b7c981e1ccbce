import type { ManageDeps } from '../deps.ts';
import { createIdentity } from './create-identity.ts';
import { deleteIdentity } from './delete-identity.ts';
import { getIdentity } from './get-identity.ts';
import { listIdentities } from './list-identities.ts';
import type { IdentityCalls } from './types.ts';
import { updateIdentity } from './update-identity.ts';

/** The calls of `identities`. */
export function createIdentityCalls(deps: ManageDeps): IdentityCalls {
  return {
    createIdentity: (context, input) => createIdentity(deps, context, input),
    updateIdentity: (context, input) => updateIdentity(deps, context, input),
    deleteIdentity: (context, input) => deleteIdentity(deps, context, input),
    getIdentity: (principal, input) => getIdentity(deps, principal, input),
    listIdentities: (principal, input) => listIdentities(deps, principal, input),
  };
}
