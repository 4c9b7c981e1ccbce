import { describe, expect, test } from 'vitest';
import type { TargetOf } from '../../target.ts';
import { limitOf } from '../expected.ts';

export function expiredCases(target: TargetOf): void {
  describe.concurrent('keys.verifyKey answers 200 EXPIRED', () => {
    test('from the end of the key on', async () => {
      const workspace = await target().workspace();
      const { keyId, key } = await workspace.createKey({ expires: Date.now() + 60_000 });
      expect(await workspace.verify({ key })).toMatchObject({ code: 'VALID' });
      const expires = Date.now() - 1000;
      await workspace.must('keys.updateKey', { keyId, expires });
      expect(await workspace.verify({ key })).toEqual({
        valid: false,
        code: 'EXPIRED',
        enabled: true,
        keyId,
        expires,
      });
      await workspace.must('keys.updateKey', { keyId, expires: null });
      expect(await workspace.verify({ key })).toMatchObject({ code: 'VALID' });
    });

    test('by the clock, without any write', async () => {
      const workspace = await target().workspace();
      const { key } = await workspace.createKey({ expires: Date.now() + 700 });
      await expect.poll(async () => (await workspace.verify({ key }))['code']).toBe('EXPIRED');
    });

    test('before what it lacks, and spends nothing', async () => {
      const workspace = await target().workspace();
      const { keyId, key } = await workspace.createKey({
        expires: 1,
        credits: { remaining: 2 },
        ratelimits: [limitOf('calls', 1)],
      });
      for (let turn = 0; turn < 3; turn++)
        expect(await workspace.verify({ key }, { permissions: 'none' })).toMatchObject({
          code: 'EXPIRED',
          credits: 2,
        });
      await workspace.must('keys.updateKey', { keyId, expires: null });
      expect(await workspace.verify({ key })).toMatchObject({ code: 'VALID', credits: 1 });
    });
  });
}
