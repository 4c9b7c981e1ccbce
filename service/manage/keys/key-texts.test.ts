import { expect, test } from 'vitest';
import { hashKey } from '../../domain/key-text.ts';
import { Problem } from '../../domain/problem.ts';
import type { Vault } from '../../vault/types.ts';
import type { Rows } from '../ports.ts';
import { decryptAll } from './key-texts.ts';
import type { FoundKey } from './key-view.ts';

const KEYS: readonly FoundKey[] = Array.from({ length: 30 }, (_, n) => ({
  id: `key_${n}`,
  apiId: 'api_1',
  hash: hashKey(`${n}`),
  view: { keyId: `key_${n}`, start: 'abcd', enabled: true, createdAt: 0 },
}));

/** Texts are kept of these keys: each ciphertext is the key's number. */
function keeping(ids: readonly string[]): Rows {
  const kept = ids.map((id) => ({ key_id: id, ciphertext: Buffer.from(id) }));
  return {
    query<Row>() {
      // The rows that the statement of `decryptAll` returns.
      return Promise.resolve(kept as readonly unknown[] as readonly Row[]);
    },
  };
}

test('texts come with their own keys, in order, and keys without one are answered as they are', async () => {
  let open = 0;
  let openMax = 0;
  const vault: Pick<Vault, 'decrypt'> = {
    async decrypt(ciphertext, context) {
      open += 1;
      openMax = Math.max(openMax, open);
      await Promise.resolve();
      open -= 1;
      return `${context.workspaceId} ${context.keyId} ${Buffer.from(ciphertext).toString()}`;
    },
  };
  const ids = KEYS.map(({ id }) => id).filter((id) => id !== 'key_7');
  const deps = {
    rows: keeping(ids),
    vault: { ...vault, encrypt: () => Promise.reject(new Error('unused')) },
  };
  const views = await decryptAll(deps, 'ws_1', KEYS);
  expect(views.map(({ keyId }) => keyId)).toEqual(KEYS.map(({ id }) => id));
  for (const { keyId, plaintext } of views) {
    expect(plaintext).toBe(keyId === 'key_7' ? undefined : `ws_1 ${keyId} ${keyId}`);
  }
  expect(openMax).toBeGreaterThan(1);
  expect(openMax).toBeLessThanOrEqual(8);
});

test('a vault that does not answer is the answer', async () => {
  const failing = () => Promise.reject(new Problem('vault_unavailable', 'The vault does not answer.'));
  const deps = { rows: keeping(['key_3']), vault: { encrypt: failing, decrypt: failing } };
  await expect(decryptAll(deps, 'ws_1', KEYS)).rejects.toMatchObject({ code: 'vault_unavailable' });
});
