import { describe, expect, test } from 'vitest';
import type { TargetOf } from '../../target.ts';
import { limitOf } from '../expected.ts';

export function preconditionFailedCases(target: TargetOf): void {
  describe.concurrent('keys.verifyKey answers 412', () => {
    test('to a limit that is named, and neither the key nor its identity has', async () => {
      const workspace = await target().workspace();
      await workspace.must('identities.createIdentity', {
        externalId: 'user',
        ratelimits: [limitOf('shared', 5, false)],
      });
      const { key } = await workspace.createKey({
        externalId: 'user',
        credits: { remaining: 2 },
        ratelimits: [limitOf('own', 5, false)],
      });
      for (const name of ['own', 'shared'])
        expect(
          await workspace.verify({ key }, { credits: { cost: 0 }, ratelimits: [{ name }] }),
        ).toMatchObject({
          code: 'VALID',
        });
      const answer = await workspace.call('keys.verifyKey', {
        key,
        ratelimits: [{ name: 'own' }, { name: 'none' }],
      });
      expect(answer.status).toBe(412);
      expect(answer.error).toMatchObject({ status: 412, title: 'Precondition Failed' });
      expect(answer.error).not.toHaveProperty('errors');
      expect(answer.headers.get('content-type')).toBe('application/json');
      // Nothing was spent by it.
      expect(await workspace.verify({ key }, { ratelimits: [{ name: 'own' }] })).toMatchObject({
        credits: 1,
        ratelimits: [expect.objectContaining({ name: 'own', remaining: 3 })],
      });
    });

    test('to one of another key', async () => {
      const workspace = await target().workspace();
      await workspace.createKey({ ratelimits: [limitOf('others', 5)] });
      const { key } = await workspace.createKey();
      const answer = await workspace.call('keys.verifyKey', { key, ratelimits: [{ name: 'others' }] });
      expect(answer.status).toBe(412);
    });
  });
}
