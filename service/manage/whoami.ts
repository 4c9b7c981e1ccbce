import { hashKey } from '../domain/key-text.ts';
import type { Principal } from '../domain/principal.ts';
import { mayRoot } from '../domain/root-permissions.ts';
import type { ManageDeps } from './deps.ts';
import { findKey } from './key-view.ts';
import { keyNotFound } from './refusals.ts';
import type { KeyView } from './types.ts';

/** A key by its text. A root key that may not read it gets the same 404 as for a key that doesn't exist. */
export async function whoami(
  { rows }: Pick<ManageDeps, 'rows'>,
  principal: Principal,
  { key }: { readonly key: string },
): Promise<KeyView> {
  const found = await findKey(rows, principal, { hash: hashKey(key) });
  if (found === undefined || !mayRoot(principal, 'api.*.read_key', found.apiId)) throw keyNotFound();
  return found.view;
}
