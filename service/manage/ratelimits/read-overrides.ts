import type { Principal } from '../../domain/principal.ts';
import { Problem } from '../../domain/problem.ts';
import type { ManageDeps } from '../deps.ts';
import { rowsOfPage, toPage } from '../paging.ts';
import type { Page } from '../types.ts';
import { findNamespace } from './namespaces.ts';
import type { ListOverridesInput, OverrideInput, OverrideView } from './types.ts';

/** Items of a page where the call doesn't say. */
const PAGE_LIMIT = 10;

interface OverrideRow {
  readonly id: string;
  readonly identifier: string;
  readonly limit_units: string;
  readonly duration_ms: string;
}

/** The override of a namespace for an identifier. Refuses as `findNamespace` does, and with `ratelimit_override_not_found`. */
export async function getOverride(
  { rows }: Pick<ManageDeps, 'rows'>,
  principal: Principal,
  { namespace, identifier }: OverrideInput,
): Promise<OverrideView> {
  const { id } = await findNamespace(rows, principal, 'ratelimit.*.read_override', namespace);
  const [found] = await rows.query<OverrideRow>(
    `select id, identifier, limit_units, duration_ms from ratelimit_overrides
     where namespace_id = $1 and identifier = $2`,
    [id, identifier],
  );
  if (found === undefined) throw overrideNotFound();
  return toView(found);
}

/** A page of a namespace's overrides, in the order of their ids. Refuses as `findNamespace` does. */
export async function listOverrides(
  { rows }: Pick<ManageDeps, 'rows'>,
  principal: Principal,
  { namespace, cursor = '', limit = PAGE_LIMIT }: ListOverridesInput,
): Promise<Page<OverrideView>> {
  const { id } = await findNamespace(rows, principal, 'ratelimit.*.read_override', namespace);
  const found = await rows.query<OverrideRow>(
    `select id, identifier, limit_units, duration_ms from ratelimit_overrides
     where namespace_id = $1 and id > $2 order by id limit $3`,
    [id, cursor, rowsOfPage({ limit })],
  );
  return toPage({ limit }, found, toView);
}

export function overrideNotFound(): Problem {
  return new Problem('ratelimit_override_not_found', 'The namespace has no override for this identifier.');
}

function toView({ id, identifier, limit_units: limit, duration_ms: duration }: OverrideRow): OverrideView {
  return { overrideId: id, identifier, limit: Number(limit), duration: Number(duration) };
}
