import type { Principal } from '../../domain/principal.ts';
import type { Rows } from '../ports.ts';

/** Where a kind of grant is stored, and the column that people name it by. */
export type NamedIn =
  | { readonly table: 'permissions'; readonly column: 'slug' }
  | { readonly table: 'roles'; readonly column: 'name' };

export interface Named {
  readonly ids: readonly string[];
  /** What the workspace hasn't got, by id or name; each once. */
  readonly missing: readonly string[];
}

/**
 * Permissions or roles of the workspace by their ids or names, kept from being deleted until the transaction ends. An id goes
 * before a name: whoever may make one could otherwise take the place of another one.
 */
export async function findNamed(
  rows: Rows,
  { workspaceId }: Principal,
  { table, column }: NamedIn,
  items: readonly string[],
): Promise<Named> {
  const wanted = [...new Set(items)];
  const found = await rows.query<{ id: string; name: string }>(
    `select id, ${column} as name from ${table}
     where workspace_id = $1 and (id = any($2::text[]) or ${column} = any($2::text[])) and deleted_at is null
     order by ${column} collate "C" for key share`,
    [workspaceId, wanted],
  );
  const byName = new Map(found.map(({ id, name }) => [name, id]));
  const ids = new Set(byName.values());
  const idOf = (item: string): string | undefined => (ids.has(item) ? item : byName.get(item));
  return {
    ids: wanted.flatMap((item) => idOf(item) ?? []),
    missing: wanted.filter((item) => idOf(item) === undefined),
  };
}
