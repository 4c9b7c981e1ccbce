import { newId, type RandomBytes } from '../../domain/ids.ts';
import type { WriteTransaction } from '../ports.ts';

/** Times that an identity may be made and deleted by others while this one looks for it. */
const ATTEMPTS = 3;

/** Locked, so that it isn't deleted before the key that belongs to it is there. */
const FIND = `
select id from identities where workspace_id = $1 and external_id = $2 and deleted_at is null for key share`;

const MAKE = `
insert into identities (id, workspace_id, external_id) values ($1, $2, $3)
on conflict (workspace_id, external_id) do nothing returning id`;

/** Id of the workspace's identity with this external id; it is made where there is none. */
export async function findOrMakeIdentity(
  transaction: WriteTransaction,
  workspaceId: string,
  externalId: string,
  randomBytes: RandomBytes,
): Promise<string> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    const [found] = await transaction.query<{ id: string }>(FIND, [workspaceId, externalId]);
    if (found !== undefined) return found.id;
    const [made] = await transaction.query<{ id: string }>(MAKE, [
      newId('id', randomBytes),
      workspaceId,
      externalId,
    ]);
    if (made !== undefined) {
      transaction.changed('identity', made.id);
      return made.id;
    }
    // Another call made it at the same time and has committed; a new statement sees it.
  }
  throw new Error('an identity was neither made nor found');
}
