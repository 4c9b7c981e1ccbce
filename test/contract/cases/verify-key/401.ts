import { randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { newRootKey } from '../../../../service/domain/root-key.ts';
import type { TargetOf } from '../../target.ts';

export function unauthorizedCases(target: TargetOf): void {
  describe.concurrent('keys.verifyKey answers 401', () => {
    test('to a root key that does not exist, and to an ordinary key used as one', async () => {
      const workspace = await target().workspace();
      const { key } = await workspace.createKey();
      const { text } = newRootKey(target().zone, randomBytes);
      for (const rootKey of ['none', text, key]) {
        const answer = await workspace.call('keys.verifyKey', { key }, { rootKey });
        expect(answer.status).toBe(401);
        expect(answer.error).toMatchObject({ status: 401, title: 'Unauthorized' });
        expect(answer.error.type).toMatch(/authentication\/key_not_found$/);
        expect(answer.error).not.toHaveProperty('errors');
        expect(answer.headers.get('content-type')).toBe('application/json');
      }
    });

    test('before it looks at the key', async () => {
      const workspace = await target().workspace();
      const answer = await workspace.call('keys.verifyKey', { key: 'none' }, { rootKey: 'none' });
      expect(answer.status).toBe(401);
    });
  });
}
