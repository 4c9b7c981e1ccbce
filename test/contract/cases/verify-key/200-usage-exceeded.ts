import { describe, expect, test } from 'vitest';
import type { TargetOf } from '../../target.ts';
import { limitLike, limitOf } from '../expected.ts';

const EXCEEDED = { valid: false, code: 'USAGE_EXCEEDED' };

export function usageExceededCases(target: TargetOf): void {
  describe.concurrent('keys.verifyKey answers 200 USAGE_EXCEEDED', () => {
    test('once the last credit is spent, and says how many are left in every answer', async () => {
      const workspace = await target().workspace();
      const key = await workspace.createKey({ credits: { remaining: 2 } });
      expect(await workspace.verify(key)).toMatchObject({ code: 'VALID', credits: 1 });
      expect(await workspace.verify(key)).toMatchObject({ code: 'VALID', credits: 0 });
      expect(await workspace.verify(key)).toMatchObject({ ...EXCEEDED, credits: 0 });
      expect((await workspace.getKey(key))['credits']).toEqual({ remaining: 0 });
    });

    test('after a countdown by one, whichever task answers', async () => {
      const workspace = await target().workspace();
      const key = await workspace.createKey({ credits: { remaining: 12 } });
      const left: unknown[] = [];
      for (let turn = 0; turn < 12; turn++) left.push((await workspace.verify(key))['credits']);
      expect(left).toEqual([11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0]);
      expect(await workspace.verify(key)).toMatchObject({ ...EXCEEDED, credits: 0 });
    });

    test('for a cost above what is left, which then stays', async () => {
      const workspace = await target().workspace();
      const key = await workspace.createKey({ credits: { remaining: 5 } });
      expect(await workspace.verify(key, { credits: { cost: 6 } })).toMatchObject({
        ...EXCEEDED,
        credits: 5,
      });
      expect(await workspace.verify(key, { credits: { cost: 5 } })).toMatchObject({
        code: 'VALID',
        credits: 0,
      });
    });

    test('never for a cost of 0, not even with nothing left', async () => {
      const workspace = await target().workspace();
      const key = await workspace.createKey({ credits: { remaining: 0 } });
      expect(await workspace.verify(key, { credits: { cost: 0 } })).toMatchObject({
        code: 'VALID',
        credits: 0,
      });
      expect(await workspace.verify(key)).toMatchObject({ ...EXCEEDED, credits: 0 });
    });

    test('never for unlimited credits', async () => {
      const workspace = await target().workspace();
      const key = await workspace.createKey();
      const answer = await workspace.verify(key, { credits: { cost: 1_000_000 } });
      expect(answer).toMatchObject({ code: 'VALID' });
      expect(answer).not.toHaveProperty('credits');
    });

    test('and gives the limits back that it had taken from', async () => {
      const workspace = await target().workspace();
      const key = await workspace.createKey({
        credits: { remaining: 1 },
        ratelimits: [limitOf('calls', 2)],
      });
      expect(await workspace.verify(key, { credits: { cost: 2 } })).toMatchObject({
        ...EXCEEDED,
        ratelimits: [limitLike({ name: 'calls', limit: 2, remaining: 2 })],
      });
      expect(await workspace.verify(key, { credits: { cost: 0 } })).toMatchObject({
        code: 'VALID',
        ratelimits: [limitLike({ name: 'calls', limit: 2, remaining: 1 })],
      });
    });

    test('until credits are added, set, or made unlimited', async () => {
      const workspace = await target().workspace();
      const key = await workspace.createKey({ credits: { remaining: 0 } });
      const { keyId } = key;
      expect(await workspace.verify(key)).toMatchObject(EXCEEDED);
      await workspace.must('keys.updateCredits', { keyId, operation: 'increment', value: 1 });
      expect(await workspace.verify(key)).toMatchObject({ code: 'VALID', credits: 0 });
      await workspace.must('keys.updateCredits', { keyId, operation: 'set', value: 3 });
      expect(await workspace.verify(key)).toMatchObject({ code: 'VALID', credits: 2 });
      await workspace.must('keys.updateCredits', { keyId, operation: 'decrement', value: 2 });
      expect(await workspace.verify(key)).toMatchObject({ ...EXCEEDED, credits: 0 });
      await workspace.must('keys.updateKey', { keyId, credits: null });
      expect(await workspace.verify(key)).not.toHaveProperty('credits');
    });

    test('of a rerolled key together with the old one: credits are shared', async () => {
      const workspace = await target().workspace();
      const key = await workspace.createKey({ credits: { remaining: 2 } });
      const made = await workspace.must('keys.rerollKey', { keyId: key.keyId, expiration: 3_600_000 });
      const next = { key: String(made['key']) };
      expect(await workspace.verify(key)).toMatchObject({ code: 'VALID', credits: 1 });
      expect(await workspace.verify(next)).toMatchObject({ code: 'VALID', credits: 0 });
      expect(await workspace.verify(key)).toMatchObject(EXCEEDED);
      expect(await workspace.verify(next)).toMatchObject(EXCEEDED);
    });

    test('of keys that share the credits of their identity, and have none of their own', async () => {
      const workspace = await target().workspace();
      const input = { externalId: 'sharing', credits: { remaining: 5 } };
      await workspace.must('identities.createIdentity', input);
      const [one, two] = [
        await workspace.createKey({ externalId: 'sharing' }),
        await workspace.createKey({ externalId: 'sharing' }),
      ];
      const own = await workspace.createKey({ externalId: 'sharing', credits: { remaining: 1 } });
      for (const [key, credits] of [
        [one, 4],
        [two, 3],
        [own, 0],
        [one, 2],
        [two, 1],
        [one, 0],
      ] as const)
        expect(await workspace.verify(key)).toMatchObject({ code: 'VALID', credits });
      for (const key of [one, two, own])
        expect(await workspace.verify(key)).toMatchObject({ ...EXCEEDED, credits: 0 });
      expect(await workspace.getKey(one)).not.toHaveProperty('credits');

      const set = async (credits: unknown) =>
        (await workspace.must('identities.updateIdentity', { identity: 'sharing', credits }))['credits'];
      expect(await set({ remaining: 2 })).toEqual({ remaining: 2 });
      expect(await workspace.verify(two)).toMatchObject({ code: 'VALID', credits: 1 });
      expect(await workspace.verify(one)).toMatchObject({ code: 'VALID', credits: 0 });
      const { credits } = await workspace.must('identities.getIdentity', { identity: 'sharing' });
      expect(credits).toEqual({ remaining: 0 });
      expect(await set(null)).toBeUndefined();
      for (const key of [one, two]) expect(await workspace.verify(key)).not.toHaveProperty('credits');
      expect(await workspace.verify(own)).toMatchObject(EXCEEDED);
    });

    test('of keys whose identity was deleted: they go on spending its credits', async () => {
      const workspace = await target().workspace();
      await workspace.must('identities.createIdentity', { externalId: 'left', credits: { remaining: 1 } });
      const key = await workspace.createKey({ externalId: 'left' });
      await workspace.must('identities.deleteIdentity', { identity: 'left' });
      expect(await workspace.verify(key)).toMatchObject({ code: 'VALID', credits: 0 });
      expect(await workspace.verify(key)).toMatchObject(EXCEEDED);
    });

    test('exactly as often as there are too few, whoever asks at once', async () => {
      const workspace = await target().workspace();
      const key = await workspace.createKey({ credits: { remaining: 5 } });
      const answers = await Promise.all(Array.from({ length: 12 }, async () => await workspace.verify(key)));
      expect(answers.filter(({ code }) => code === 'VALID')).toHaveLength(5);
      expect(answers.filter(({ code }) => code === 'USAGE_EXCEEDED')).toHaveLength(7);
    });
  });
}
