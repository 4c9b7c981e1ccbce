import type { KeyHash } from '../../domain/brands.ts';
import type { Principal } from '../../domain/principal.ts';
import { Problem } from '../../domain/problem.ts';
import type { RootPermission } from '../../domain/root-permissions.ts';
import type { Rows } from '../ports.ts';
import { requireFor } from '../refusals.ts';

export interface Namespace {
  readonly id: string;
  /** What its record is held under. */
  readonly hash: KeyHash;
}

/**
 * A namespace of the principal's workspace by its id or its name, an id winning over a name that reads like it. A permission may be
 * for this one namespace, so it is looked up first: `ratelimit_namespace_not_found` where there is none, or it is another
 * workspace's; then `insufficient_permissions`; then `ratelimit_namespace_gone` where it was deleted. Locked by writers, so that what
 * they count and compare stays as it is.
 */
export async function findNamespace(
  rows: Rows,
  principal: Principal,
  permission: RootPermission,
  namespace: string,
  lock: '' | 'for no key update' = '',
): Promise<Namespace> {
  const [found] = await rows.query<{ id: string; hash: KeyHash; deleted: boolean }>(
    `select id, encode(hash, 'hex') as hash, deleted_at is not null as deleted from ratelimit_namespaces
     where workspace_id = $1 and (id = $2 or name = $2) order by (id = $2) desc limit 1 ${lock}`,
    [principal.workspaceId, namespace],
  );
  if (found === undefined) {
    throw new Problem('ratelimit_namespace_not_found', 'There is no such namespace of rate limits.');
  }
  const { id, hash, deleted } = found;
  requireFor(principal, permission, id);
  if (deleted) throw namespaceGone();
  return { id, hash };
}

export function namespaceGone(): Problem {
  return new Problem('ratelimit_namespace_gone', 'This namespace of rate limits was deleted.');
}
