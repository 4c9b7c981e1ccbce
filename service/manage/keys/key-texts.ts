import type { ManageDeps } from '../deps.ts';
import type { WriteTransaction } from '../ports.ts';
import type { FoundKey } from './key-view.ts';
import type { KeyView } from './types.ts';

/** How many texts of one call the vault decrypts at once: a page of keys mustn't keep other calls from it. */
const DECRYPTIONS_AT_ONCE = 8;

/**
 * Views of keys with their texts, where those are kept; in the order of `found`. The caller has asked for
 * `api.*.decrypt_key`. Refuses
 * with what the vault refuses: one text that can't be read is no page.
 */
export async function decryptAll(
  { rows, vault }: Pick<ManageDeps, 'rows' | 'vault'>,
  workspaceId: string,
  found: readonly FoundKey[],
): Promise<readonly KeyView[]> {
  const kept = await rows.query<{ key_id: string; ciphertext: Uint8Array }>(
    'select key_id, ciphertext from key_texts where key_id = any($1::text[])',
    [found.map(({ id }) => id)],
  );
  const texts = new Map<string, string>();
  const waiting = kept.values();
  const decryptInTurn = async (): Promise<void> => {
    // All workers draw from the one iterator, so that each text is decrypted once.
    for (const { key_id: keyId, ciphertext } of waiting) {
      texts.set(keyId, await vault.decrypt(ciphertext, { workspaceId, keyId }));
    }
  };
  await Promise.all(Array.from({ length: DECRYPTIONS_AT_ONCE }, decryptInTurn));
  return found.map(({ id, view }) => {
    const plaintext = texts.get(id);
    return plaintext === undefined ? view : { ...view, plaintext };
  });
}

/** Ends the text of a key, if it was kept. */
export async function dropText(transaction: WriteTransaction, keyId: string): Promise<void> {
  await transaction.query('delete from key_texts where key_id = $1', [keyId]);
}
