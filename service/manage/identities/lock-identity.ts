import type { WriteTransaction } from '../ports.ts';
import { BY_IDENTITY, identityNotFound } from './identity-view.ts';

/**
 * Id of the workspace's identity with this id or externalId, locked against other changes of it; making keys that belong to it goes
 * on. 404 where there is none.
 */
export async function lockIdentity(
  transaction: WriteTransaction,
  workspaceId: string,
  identity: string,
): Promise<string> {
  const [found] = await transaction.query<{ id: string }>(
    `select i.id from identities i where ${BY_IDENTITY} for no key update`,
    [workspaceId, identity],
  );
  if (found === undefined) throw identityNotFound();
  return found.id;
}
