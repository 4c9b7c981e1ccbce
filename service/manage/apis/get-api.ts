import type { Principal } from '../../domain/principal.ts';
import type { ManageDeps } from '../deps.ts';
import { apiNotFound, requireFor } from '../refusals.ts';
import type { ApiView } from './types.ts';

/** An API by its id: 404 for another workspace's, 403 where the root key may not read it. */
export async function getApi(
  { rows }: Pick<ManageDeps, 'rows'>,
  principal: Principal,
  { apiId }: { readonly apiId: string },
): Promise<ApiView> {
  const [api] = await rows.query<ApiView>(
    `select id, name, ip_allowlist as "ipAllowlist", recoverable_keys as "recoverableKeys" from apis
     where id = $1 and workspace_id = $2 and deleted_at is null`,
    [apiId, principal.workspaceId],
  );
  if (api === undefined) throw apiNotFound();
  requireFor(principal, 'api.*.read_api', apiId);
  return api;
}
