import { newId, type RandomBytes } from '../../domain/ids.ts';
import type { WriteTransaction } from '../ports.ts';

/** Times that some of the identities may be made and deleted by others while this one looks for them. */
const ATTEMPTS = 3;

/** Locked, so that none is deleted before the keys that belong to it are there; in order, so that two imports can't wait for each other. */
const FIND = `
select id, external_id from identities
where workspace_id = $1 and external_id = any($2::text[]) and deleted_at is null
order by external_id collate "C" for key share`;

const MAKE = `
insert into identities (id, workspace_id, external_id)
select id, $1, external_id from unnest($2::text[], $3::text[]) as wanted (id, external_id)
on conflict (workspace_id, external_id) do nothing returning id`;

interface IdentityRow {
  readonly id: string;
  readonly external_id: string;
}

/** Ids, by external id, of many identities of the workspace; those that are missing are made. A few statements, however many they are. */
export async function findOrMakeIdentities(
  transaction: WriteTransaction,
  workspaceId: string,
  externalIds: readonly string[],
  randomBytes: RandomBytes,
): Promise<ReadonlyMap<string, string>> {
  const wanted = [...new Set(externalIds)].toSorted();
  if (wanted.length === 0) return new Map();
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    const found = await transaction.query<IdentityRow>(FIND, [workspaceId, wanted]);
    const ids = new Map(found.map(({ id, external_id }) => [external_id, id]));
    const missing = wanted.filter((externalId) => !ids.has(externalId));
    if (missing.length === 0) return ids;
    const made = await transaction.query<{ id: string }>(MAKE, [
      workspaceId,
      missing.map(() => newId('id', randomBytes)),
      missing,
    ]);
    for (const { id } of made) transaction.changed('identity', id);
    // A new statement sees what was made here, and what another call made at the same time and has committed.
  }
  throw new Error('identities were neither made nor found');
}
