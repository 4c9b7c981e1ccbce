import type { Principal } from '../../domain/principal.ts';
import type { ManageDeps } from '../deps.ts';
import { keyNotFound, requireFor } from '../refusals.ts';
import { decryptAll } from './key-texts.ts';
import { readKeyViews } from './key-view.ts';
import type { GetKeyInput, KeyView } from './types.ts';

/**
 * A key by its id: 404 for another workspace's, 403 where the root key may not read this API's keys, or not their texts where it asks
 * for one. A key whose text isn't kept is answered without it.
 */
export async function getKey(
  deps: Pick<ManageDeps, 'rows' | 'vault'>,
  principal: Principal,
  { keyId, decrypt = false }: GetKeyInput,
): Promise<KeyView> {
  const { workspaceId } = principal;
  const [found] = await readKeyViews(deps.rows, workspaceId, 'k.id = $2', [keyId]);
  if (found === undefined) throw keyNotFound();
  requireFor(principal, 'api.*.read_key', found.apiId);
  if (!decrypt) return found.view;
  requireFor(principal, 'api.*.decrypt_key', found.apiId);
  const [view = found.view] = await decryptAll(deps, workspaceId, [found]);
  return view;
}
