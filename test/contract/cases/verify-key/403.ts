import { describe, expect, test } from 'vitest';
import type { TargetOf } from '../../target.ts';

const VERIFY = ['api.*.verify_key'];

export function forbiddenRootKeyCases(target: TargetOf): void {
  describe.concurrent('keys.verifyKey answers 403', () => {
    test('to a root key that is disabled or has expired', async () => {
      const workspace = await target().workspace();
      const { key } = await workspace.createKey();
      const states = [
        [{ enabled: false }, 'key_disabled'],
        [{ expiresAt: 1000 }, 'key_expired'],
      ] as const;
      for (const [state, type] of states) {
        const rootKey = await workspace.rootKeyWith(VERIFY, state);
        const answer = await workspace.call('keys.verifyKey', { key }, { rootKey });
        expect(answer.status).toBe(403);
        expect(answer.error.type).toMatch(new RegExp(`authorization/${type}$`));
        expect(answer.error).not.toHaveProperty('errors');
      }
    });

    test('not to one that will expire', async () => {
      const workspace = await target().workspace();
      const { key } = await workspace.createKey();
      const rootKey = await workspace.rootKeyWith(VERIFY, { expiresAt: Date.now() + 60_000 });
      expect(await workspace.verify({ key }, {}, { rootKey })).toMatchObject({ code: 'VALID' });
    });

    test('once its workspace is disabled, and no longer when it is enabled again', async () => {
      const workspace = await target().workspace();
      const { key } = await workspace.createKey();
      expect(await workspace.verify({ key })).toMatchObject({ code: 'VALID' });
      await workspace.alter({ enabled: false });
      const answer = await workspace.call('keys.verifyKey', { key });
      expect(answer.status).toBe(403);
      expect(answer.error.type).toMatch(/authorization\/workspace_disabled$/);
      await workspace.alter({ enabled: true });
      expect(await workspace.verify({ key })).toMatchObject({ code: 'VALID' });
    });
  });
}
