import type { Rows } from '../ports.ts';
import { apiNotFound } from '../refusals.ts';

export interface OpenApi {
  /** Texts of its keys may be kept, encrypted. */
  readonly recoverable_keys: boolean;
}

/**
 * An API of the workspace that keys can be made in. Refuses with `api_not_found`. Nothing is locked: where it is deleted before the
 * key is there, that key is as unknown to every reader as those that were there before.
 */
export async function findOpenApi(rows: Rows, workspaceId: string, apiId: string): Promise<OpenApi> {
  const [api] = await rows.query<OpenApi>(
    'select recoverable_keys from apis where id = $1 and workspace_id = $2 and deleted_at is null',
    [apiId, workspaceId],
  );
  if (api === undefined) throw apiNotFound();
  return api;
}
