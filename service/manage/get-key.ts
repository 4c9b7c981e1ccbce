import type { Principal } from '../domain/principal.ts';
import { mayRoot } from '../domain/root-permissions.ts';
import type { ManageDeps } from './deps.ts';
import { findKey } from './key-view.ts';
import { keyNotFound, lacksPermission } from './refusals.ts';
import type { KeyView } from './types.ts';

/** A key by its id: 404 for another workspace's, 403 where the root key may not read this API's keys. */
export async function getKey(
  { rows }: Pick<ManageDeps, 'rows'>,
  principal: Principal,
  { keyId }: { readonly keyId: string },
): Promise<KeyView> {
  const found = await findKey(rows, principal, { keyId });
  if (found === undefined) throw keyNotFound();
  if (!mayRoot(principal, 'api.*.read_key', found.apiId)) {
    throw lacksPermission('api.*.read_key', `api.${found.apiId}.read_key`);
  }
  return found.view;
}
