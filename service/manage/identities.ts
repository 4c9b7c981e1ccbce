import { newId, type RandomBytes } from '../domain/ids.ts';
import type { WriteTransaction } from './ports.ts';

/** Id of the workspace's identity with this external id; it is made where there is none. */
export async function findOrMakeIdentity(
  transaction: WriteTransaction,
  workspaceId: string,
  externalId: string,
  randomBytes: RandomBytes,
): Promise<string> {
  const select = 'select id from identities where workspace_id = $1 and external_id = $2';
  const [found] = await transaction.query<{ id: string }>(select, [workspaceId, externalId]);
  if (found !== undefined) return found.id;
  const [made] = await transaction.query<{ id: string }>(
    `insert into identities (id, workspace_id, external_id) values ($1, $2, $3)
     on conflict (workspace_id, external_id) do nothing returning id`,
    [newId('id', randomBytes), workspaceId, externalId],
  );
  if (made !== undefined) {
    transaction.changed('identity', made.id);
    return made.id;
  }
  // Another call made it at the same time and has committed; a new statement sees it.
  const [other] = await transaction.query<{ id: string }>(select, [workspaceId, externalId]);
  if (other === undefined) throw new Error('an identity was neither made nor found');
  return other.id;
}
