import { describe, expect, test } from 'vitest';
import type { TargetOf } from '../../target.ts';
import type { Workspace } from '../../workspace.ts';
import { limitOf } from '../expected.ts';

export function forbiddenCases(target: TargetOf): void {
  describe.concurrent('keys.verifyKey answers 200 FORBIDDEN', () => {
    test('for a key of an API that it may not be used from here, and spends nothing', async () => {
      const workspace = await target().workspace();
      const { key } = await workspace.createKey({
        credits: { remaining: 3 },
        ratelimits: [limitOf('calls', 3)],
      });
      await allowOnly(workspace, ['192.0.2.0/24']);
      for (let turn = 0; turn < 4; turn++)
        expect(await workspace.verify({ key })).toMatchObject({
          valid: false,
          code: 'FORBIDDEN',
          credits: 3,
        });
      await allowOnly(workspace, []);
      expect(await workspace.verify({ key })).toMatchObject({ code: 'VALID', credits: 2 });
    });

    test('before it looks at permissions, and after it looked whether the query can be read', async () => {
      const workspace = await target().workspace();
      const { key } = await workspace.createKey();
      await allowOnly(workspace, ['192.0.2.0/24']);
      expect(await workspace.verify({ key }, { permissions: 'none.such' })).toMatchObject({
        code: 'FORBIDDEN',
      });
      expect((await workspace.call('keys.verifyKey', { key, permissions: 'a AND' })).status).toBe(400);
    });

    test('only where the key is enabled and has not expired', async () => {
      const workspace = await target().workspace();
      const [disabled, expired] = await Promise.all([
        workspace.createKey({ enabled: false }),
        workspace.createKey({ expires: 1 }),
      ]);
      await allowOnly(workspace, ['192.0.2.0/24']);
      expect(await workspace.verify(disabled)).toMatchObject({ code: 'DISABLED' });
      expect(await workspace.verify(expired)).toMatchObject({ code: 'EXPIRED' });
    });
  });
}

async function allowOnly(workspace: Workspace, addresses: readonly string[]): Promise<void> {
  const apiId = await workspace.apiId();
  await workspace.target.sql(async (transaction) => {
    await transaction.query('update apis set ip_allowlist = $2 where id = $1', [apiId, addresses]);
    transaction.changed('api', apiId);
  });
}
