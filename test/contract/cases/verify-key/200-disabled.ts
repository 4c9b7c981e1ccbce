import { describe, expect, test } from 'vitest';
import type { TargetOf } from '../../target.ts';
import { limitOf } from '../expected.ts';

export function disabledCases(target: TargetOf): void {
  describe.concurrent('keys.verifyKey answers 200 DISABLED', () => {
    test('with what the key has, from the moment at which it was disabled', async () => {
      const workspace = await target().workspace();
      const { keyId, key } = await workspace.createKey({ name: 'off', permissions: ['docs.read'] });
      expect(await workspace.verify({ key })).toMatchObject({ code: 'VALID' });
      await workspace.must('keys.updateKey', { keyId, enabled: false });
      expect(await workspace.verify({ key })).toEqual({
        valid: false,
        code: 'DISABLED',
        enabled: false,
        keyId,
        name: 'off',
        permissions: ['docs.read'],
      });
    });

    test('before EXPIRED, and whatever it lacks', async () => {
      const workspace = await target().workspace();
      const { key } = await workspace.createKey({ enabled: false, expires: 1, credits: { remaining: 0 } });
      expect(await workspace.verify({ key }, { permissions: 'none' })).toMatchObject({
        code: 'DISABLED',
        credits: 0,
      });
    });

    test('and spends nothing', async () => {
      const workspace = await target().workspace();
      const { keyId, key } = await workspace.createKey({
        enabled: false,
        credits: { remaining: 2 },
        ratelimits: [limitOf('calls', 1)],
      });
      for (let turn = 0; turn < 3; turn++)
        expect(await workspace.verify({ key })).toMatchObject({ code: 'DISABLED', credits: 2 });
      await workspace.must('keys.updateKey', { keyId, enabled: true });
      expect(await workspace.verify({ key })).toMatchObject({ code: 'VALID', credits: 1 });
    });
  });
}
