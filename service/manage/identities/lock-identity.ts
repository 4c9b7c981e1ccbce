import type { Principal } from '../../domain/principal.ts';
import { mayRoot, type RootPermission } from '../../domain/root-permissions.ts';
import type { WriteTransaction } from '../ports.ts';
import { lacksPermission } from '../refusals.ts';
import { BY_IDENTITY, identityNotFound } from './identity-view.ts';

/**
 * Id of the workspace's identity with this id or externalId, locked against other changes of it; making keys that belong to it goes
 * on. A root key that may do this to none, or only to others, is refused with 403 whether there is such an identity or not; who may do it
 * gets 404 where there is none.
 */
export async function lockIdentity(
  transaction: WriteTransaction,
  principal: Principal,
  identity: string,
  permission: RootPermission,
): Promise<string> {
  const [found] = await transaction.query<{ id: string }>(
    `select i.id from identities i where ${BY_IDENTITY} for no key update`,
    [principal.workspaceId, identity],
  );
  if (!mayRoot(principal, permission, found?.id ?? identity)) throw lacksPermission(permission);
  if (found === undefined) throw identityNotFound();
  return found.id;
}
