import type { KeyHash } from '../../domain/brands.ts';
import { importedHashOf } from '../../domain/held-under.ts';
import { createKeyTextInspector, hashKey } from '../../domain/key-text.ts';
import type { Principal } from '../../domain/principal.ts';
import { mayRoot } from '../../domain/root-permissions.ts';
import type { ManageDeps } from '../deps.ts';
import { keyNotFound } from '../refusals.ts';
import { readKeyViews } from './key-view.ts';
import type { KeyView } from './types.ts';

/**
 * A key by its text, which is never decrypted from what is kept of it. A root key that may not read it gets the same 404 as for a key
 * that doesn't exist.
 */
export async function whoami(
  { rows, zone }: Pick<ManageDeps, 'rows' | 'zone'>,
  principal: Principal,
  { key }: { readonly key: string },
): Promise<KeyView> {
  const { workspaceId } = principal;
  const hashes = hashesOf(key, zone, workspaceId);
  const found = await readKeyViews(rows, workspaceId, `k.hash = any($2::bytea[])`, [
    hashes.map((hash) => Buffer.from(hash, 'hex')),
  ]);
  // The zone's own key comes before an imported one of the same text.
  const first = hashes
    .map((hash) => found.find((each) => each.hash === hash))
    .find((each) => each !== undefined);
  if (first === undefined || !mayRoot(principal, 'api.*.read_key', first.apiId)) throw keyNotFound();
  return first.view;
}

/** What a key of this text may be held under: only those with the zone's marker are held under the plain hash. */
function hashesOf(text: string, zone: string, workspaceId: string): readonly KeyHash[] {
  const imported = importedHashOf(workspaceId, 'sha256', '', text);
  return [
    ...(createKeyTextInspector(zone, [])(text).kind === 'ours' ? [hashKey(text)] : []),
    ...(imported === null ? [] : [imported]),
  ];
}
