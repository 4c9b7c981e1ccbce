import type { Principal } from '../../domain/principal.ts';
import { mayRoot } from '../../domain/root-permissions.ts';
import type { ManageDeps } from '../deps.ts';
import { lacksPermission } from '../refusals.ts';
import { findIdentity, identityNotFound } from './identity-view.ts';
import type { IdentityView } from './types.ts';

/**
 * An identity by its id or externalId. A root key that may read none, or only others, is refused with 403 whether there is such an
 * identity or not; who may read it gets 404 where there is none.
 */
export async function getIdentity(
  { rows }: Pick<ManageDeps, 'rows'>,
  principal: Principal,
  { identity }: { readonly identity: string },
): Promise<IdentityView> {
  const found = await findIdentity(rows, principal.workspaceId, identity);
  if (!mayRoot(principal, 'identity.*.read_identity', found?.id ?? identity)) {
    throw lacksPermission('identity.*.read_identity');
  }
  if (found === undefined) throw identityNotFound();
  return found;
}
