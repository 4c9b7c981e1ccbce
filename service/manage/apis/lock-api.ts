import type { RootPermission } from '../../domain/root-permissions.ts';
import type { WriteTransaction } from '../ports.ts';
import { apiNotFound, requireFor } from '../refusals.ts';
import type { WriteContext } from '../types.ts';

export interface LockedApi {
  readonly ip_allowlist: readonly string[];
}

/**
 * An API of the caller's workspace, locked against other changes of the API; making keys in it goes on. 404 for another workspace's
 * and for a deleted one, then 403 where the root key lacks the permission (`api.*.…`) for it.
 */
export async function lockApi(
  transaction: WriteTransaction,
  { principal }: WriteContext,
  apiId: string,
  permission: RootPermission,
): Promise<LockedApi> {
  const [api] = await transaction.query<LockedApi>(
    `select ip_allowlist from apis where id = $1 and workspace_id = $2 and deleted_at is null
     for no key update`,
    [apiId, principal.workspaceId],
  );
  if (api === undefined) throw apiNotFound();
  requireFor(principal, permission, apiId);
  return api;
}
