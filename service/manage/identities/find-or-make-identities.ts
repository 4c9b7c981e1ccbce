import { newId, type RandomBytes } from '../../domain/ids.ts';
import { auditOf } from '../audit.ts';
import type { WriteTransaction } from '../ports.ts';
import type { WriteContext } from '../types.ts';

/** Locked, so that none is deleted before the keys that belong to it are there; in order, so that two calls can't wait for each other. */
const FIND = `
select id, external_id from identities
where workspace_id = $1 and external_id = any($2::text[]) and deleted_at is null
order by external_id collate "C" for key share`;

/**
 * What another call makes at the same time is waited for and taken as it is then: to set its metadata to itself locks it, as above. In
 * order, too.
 */
const MAKE = `
insert into identities (id, workspace_id, external_id)
select id, $1, external_id from unnest($2::text[], $3::text[]) as wanted (id, external_id) order by external_id collate "C"
on conflict (workspace_id, external_id) do update set meta = identities.meta returning id, external_id`;

interface IdentityRow {
  readonly id: string;
  readonly external_id: string;
}

/** Id of the workspace's identity with this external id; it is made where there is none. */
export async function findOrMakeIdentity(
  transaction: WriteTransaction,
  context: WriteContext,
  externalId: string,
  randomBytes: RandomBytes,
): Promise<string> {
  const id = (await findOrMakeIdentities(transaction, context, [externalId], randomBytes)).get(externalId);
  // The statement that makes it answers with it, whoever made it.
  if (id === undefined) throw new Error('an identity was neither made nor found');
  return id;
}

/**
 * Ids, by external id, of identities of the workspace; those that are missing are made, each with its change and audit line. Two
 * statements, however many they are.
 */
export async function findOrMakeIdentities(
  transaction: WriteTransaction,
  context: WriteContext,
  externalIds: readonly string[],
  randomBytes: RandomBytes,
): Promise<ReadonlyMap<string, string>> {
  const { workspaceId } = context.principal;
  const wanted = [...new Set(externalIds)];
  if (wanted.length === 0) return new Map();
  const found = await transaction.query<IdentityRow>(FIND, [workspaceId, wanted]);
  const ids = new Map(found.map(({ id, external_id }) => [external_id, id]));
  const missing = wanted.filter((externalId) => !ids.has(externalId));
  if (missing.length === 0) return ids;
  const newIds = new Set(missing.map(() => newId('id', randomBytes)));
  const rows = await transaction.query<IdentityRow>(MAKE, [workspaceId, [...newIds], missing]);
  for (const { id, external_id } of rows) {
    ids.set(external_id, id);
    if (!newIds.has(id)) continue;
    transaction.changed('identity', id);
    const detail = { meta: false, ratelimits: 0 };
    transaction.audit(
      auditOf(context, { action: 'identity.create', targetKind: 'identity', targetId: id, detail }),
    );
  }
  return ids;
}
