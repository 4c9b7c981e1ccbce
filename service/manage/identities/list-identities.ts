import type { Principal } from '../../domain/principal.ts';
import { mayRoot } from '../../domain/root-permissions.ts';
import type { ManageDeps } from '../deps.ts';
import { rowsOfPage, toPage } from '../paging.ts';
import { searchPattern } from '../search.ts';
import { lacksPermission } from '../refusals.ts';
import type { Page } from '../types.ts';
import { IDENTITY_COLUMNS, type IdentityViewRow, toIdentityView, WITH_ACCOUNT } from './identity-view.ts';
import type { IdentityView, ListIdentitiesInput } from './types.ts';

/**
 * Bytes of metadata that a page begins no further identity after. A hundred identities may have 100 MiB, which is more than a region
 * passes on, and than a task should hold at once.
 */
const PAGE_META_BYTES = 8 * 1024 * 1024;

/**
 * $1: workspace; $2: id after which the page begins, or null; $3: pattern of an id or externalId, or null; $4: rows; $5: bytes of
 * metadata after which no further identity begins. `cut` tells that there are rows which didn't fit.
 */
export const READ_IDENTITIES = `
with listed as materialized (
  select i.id, coalesce(octet_length(i.meta::text), 0) as bytes from identities i
  where i.workspace_id = $1 and i.deleted_at is null and i.id > coalesce($2::text, '')
    and ($3::text is null or i.id ilike $3 or i.external_id ilike $3)
  order by i.id limit $4
), sized as (
  select id, sum(bytes) over (order by id) - bytes < $5 as fits from listed
)
select ${IDENTITY_COLUMNS}, (select not bool_and(fits) from sized) as cut
from sized s join identities i on i.id = s.id ${WITH_ACCOUNT} where s.fits order by i.id`;

/** The workspace's identities in the order of their ids. A page may hold fewer than it may, and still have another one behind it. */
export async function listIdentities(
  { rows }: Pick<ManageDeps, 'rows'>,
  principal: Principal,
  input: ListIdentitiesInput,
): Promise<Page<IdentityView>> {
  if (!mayRoot(principal, 'identity.*.read_identity')) throw lacksPermission('identity.*.read_identity');
  const { cursor, search } = input;
  const found = await rows.query<IdentityViewRow & { readonly cut: boolean }>(READ_IDENTITIES, [
    principal.workspaceId,
    cursor ?? null,
    searchPattern(search),
    rowsOfPage(input),
    PAGE_META_BYTES,
  ]);
  return toPage(input, found, toIdentityView);
}
