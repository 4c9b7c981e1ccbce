import type { Principal } from '../../domain/principal.ts';
import { mayRoot } from '../../domain/root-permissions.ts';
import type { ManageDeps } from '../deps.ts';
import { apiNotFound, lacksPermission } from '../refusals.ts';

/** An API by its id: 404 for another workspace's, 403 where the root key may not read it. */
export async function getApi(
  { rows }: Pick<ManageDeps, 'rows'>,
  principal: Principal,
  { apiId }: { readonly apiId: string },
): Promise<{ readonly id: string; readonly name: string }> {
  const [api] = await rows.query<{ id: string; name: string }>(
    'select id, name from apis where id = $1 and workspace_id = $2 and deleted_at is null',
    [apiId, principal.workspaceId],
  );
  if (api === undefined) throw apiNotFound();
  if (!mayRoot(principal, 'api.*.read_api', apiId))
    throw lacksPermission('api.*.read_api', `api.${apiId}.read_api`);
  return { id: api.id, name: api.name };
}
