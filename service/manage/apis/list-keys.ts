import type { Principal } from '../../domain/principal.ts';
import type { ManageDeps } from '../deps.ts';
import { decryptAll } from '../keys/key-texts.ts';
import { readKeyViews } from '../keys/key-view.ts';
import type { KeyView } from '../keys/types.ts';
import { rowsOfPage, toPage } from '../paging.ts';
import { requireFor } from '../refusals.ts';
import type { Page } from '../types.ts';
import { findOpenApi } from './find-open-api.ts';
import type { ListKeysInput } from './types.ts';

/**
 * Bytes of metadata, of keys and of their identities, that a page begins no further key after. A hundred keys of one identity may
 * bring 100 MiB, which is more than a region passes on, and than a task should hold at once.
 */
const PAGE_META_BYTES = 8 * 1024 * 1024;

const LIST = (ofIdentity: string): string => `
with listed as materialized (
  select k.id, coalesce(octet_length(k.meta::text), 0) + coalesce((select octet_length(i.meta::text) from identities i
    where i.id = k.identity_id and i.deleted_at is null), 0) as bytes
  from keys k where k.api_id = $1 and k.deleted_at is null and k.id > coalesce($2::text, '') ${ofIdentity}
  order by k.id limit $3
), sized as (
  select id, sum(bytes) over (order by id) - bytes < $4 as fits from listed
)
select id, (select not bool_and(fits) from sized) as cut from sized where fits order by id`;

/**
 * $1: API; $2: id after which the page begins, or null; $3: rows; $4: bytes of metadata after which no further key begins. `cut`
 * tells that there are rows which didn't fit.
 */
export const LIST_KEYS = LIST('');
/** The same; $5: the keys' identity. */
export const LIST_KEYS_OF_IDENTITY = LIST('and k.identity_id = $5');

/**
 * The keys of an API in the order of their ids: 404 for another workspace's API, 403 where the root key may not read it, its keys, or
 * their texts where it asks for them. A page may hold fewer than it may, and still have another one behind it. It is always read from
 * the home's database; no cache stands before it.
 */
export async function listKeys(
  deps: Pick<ManageDeps, 'rows' | 'vault'>,
  principal: Principal,
  input: ListKeysInput,
): Promise<Page<KeyView>> {
  const { apiId, cursor, externalId, decrypt = false } = input;
  const { rows } = deps;
  const { workspaceId } = principal;
  await findOpenApi(rows, workspaceId, apiId);
  requireFor(principal, 'api.*.read_key', apiId);
  requireFor(principal, 'api.*.read_api', apiId);
  if (decrypt) requireFor(principal, 'api.*.decrypt_key', apiId);

  const values = [apiId, cursor ?? null, rowsOfPage(input), PAGE_META_BYTES];
  const owner = externalId === undefined ? undefined : await identityOf(deps, workspaceId, externalId);
  if (owner === null) return { items: [], cursor: null };
  const listed = await (owner === undefined
    ? rows.query<ListedKey>(LIST_KEYS, values)
    : rows.query<ListedKey>(LIST_KEYS_OF_IDENTITY, [...values, owner]));
  const page = toPage(input, listed, ({ id }) => id);

  // A key that was deleted since is missing here, and the cursor still says where the page ended.
  const found = await readKeyViews(rows, workspaceId, 'k.id = any($2::text[]) order by k.id', [page.items]);
  return {
    items: decrypt ? await decryptAll(deps, workspaceId, found) : found.map(({ view }) => view),
    cursor: page.cursor,
  };
}

interface ListedKey {
  readonly id: string;
  readonly cut: boolean;
}

/** Null: nobody has this externalId. */
async function identityOf(
  { rows }: Pick<ManageDeps, 'rows'>,
  workspaceId: string,
  externalId: string,
): Promise<string | null> {
  const [found] = await rows.query<{ id: string }>(
    'select id from identities where workspace_id = $1 and external_id = $2 and deleted_at is null',
    [workspaceId, externalId],
  );
  return found?.id ?? null;
}
