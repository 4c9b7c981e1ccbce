import { describe, expect, test } from 'vitest';
import type { TargetOf } from '../../target.ts';
import { byName, limitLike, limitOf, WINDOW_MS } from '../expected.ts';

const LIMITED = { valid: false, code: 'RATE_LIMITED' };

export function rateLimitedCases(target: TargetOf): void {
  describe.concurrent('keys.verifyKey answers 200 RATE_LIMITED', () => {
    test('once an automatic limit is used up, and tells how it stands', async () => {
      const workspace = await target().workspace();
      const key = await workspace.createKey({ ratelimits: [limitOf('calls', 2)] });
      for (const remaining of [1, 0])
        expect(await workspace.verify(key)).toMatchObject({
          code: 'VALID',
          ratelimits: [limitLike({ name: 'calls', limit: 2, remaining })],
        });
      const askedAtMs = Date.now();
      const answer = await workspace.verify(key);
      expect(answer).toMatchObject({
        ...LIMITED,
        enabled: true,
        ratelimits: [limitLike({ name: 'calls', limit: 2, remaining: 0, exceeded: true })],
      });
      const [limit] = answer['ratelimits'] as { readonly reset: number }[];
      expect(limit?.reset).toBeGreaterThan(askedAtMs);
      expect(limit?.reset).toBeLessThanOrEqual(askedAtMs + WINDOW_MS);
    });

    test('and spends no credits', async () => {
      const workspace = await target().workspace();
      const key = await workspace.createKey({
        credits: { remaining: 5 },
        ratelimits: [limitOf('calls', 1)],
      });
      expect(await workspace.verify(key)).toMatchObject({ code: 'VALID', credits: 4 });
      for (let turn = 0; turn < 3; turn++)
        expect(await workspace.verify(key)).toMatchObject({ ...LIMITED, credits: 4 });
      expect((await workspace.getKey(key))['credits']).toEqual({ remaining: 4 });
    });

    test('before credits that are gone', async () => {
      const workspace = await target().workspace();
      const key = await workspace.createKey({
        credits: { remaining: 1 },
        ratelimits: [limitOf('calls', 1)],
      });
      await workspace.verify(key);
      expect(await workspace.verify(key)).toMatchObject({ ...LIMITED, credits: 0 });
    });

    test('by one limit, and takes from none of the others', async () => {
      const workspace = await target().workspace();
      const key = await workspace.createKey({
        ratelimits: [limitOf('narrow', 1), limitOf('wide', 10)],
      });
      await workspace.verify(key);
      const wide = limitLike({ name: 'wide', limit: 10, remaining: 9 });
      const narrow = limitLike({ name: 'narrow', limit: 1, remaining: 0, exceeded: true });
      for (let turn = 0; turn < 2; turn++) {
        const answer = await workspace.verify(key);
        expect(answer).toMatchObject(LIMITED);
        expect(byName(answer['ratelimits'])).toEqual([narrow, wide]);
      }
    });

    test('by a limit that is not automatic only where it is named', async () => {
      const workspace = await target().workspace();
      const key = await workspace.createKey({ ratelimits: [limitOf('heavy', 1, false)] });
      const named = { ratelimits: [{ name: 'heavy' }] };
      expect(await workspace.verify(key)).not.toHaveProperty('ratelimits');
      expect(await workspace.verify(key, named)).toMatchObject({
        code: 'VALID',
        ratelimits: [limitLike({ name: 'heavy', limit: 1, remaining: 0, autoApply: false })],
      });
      expect(await workspace.verify(key, named)).toMatchObject(LIMITED);
      expect(await workspace.verify(key)).toMatchObject({ code: 'VALID' });
    });

    test('for a cost that no longer fits, and not for one of 0', async () => {
      const workspace = await target().workspace();
      const key = await workspace.createKey({ ratelimits: [limitOf('calls', 5)] });
      const costing = (cost: number) => ({ ratelimits: [{ name: 'calls', cost }] });
      expect(await workspace.verify(key, costing(4))).toMatchObject({ code: 'VALID' });
      expect(await workspace.verify(key, costing(2))).toMatchObject({
        ...LIMITED,
        ratelimits: [limitLike({ name: 'calls', limit: 5, remaining: 1, exceeded: true })],
      });
      expect(await workspace.verify(key, costing(1))).toMatchObject({ code: 'VALID' });
      expect(await workspace.verify(key, costing(0))).toMatchObject({ code: 'VALID' });
      expect(await workspace.verify(key, costing(1))).toMatchObject(LIMITED);
    });

    test('by a limit that only the request names, for this key alone', async () => {
      const workspace = await target().workspace();
      const [key, other] = await Promise.all([workspace.createKey(), workspace.createKey()]);
      const adHoc = { ratelimits: [{ name: 'ad-hoc', limit: 1, duration: WINDOW_MS }] };
      expect(await workspace.verify(key, adHoc)).toMatchObject({
        code: 'VALID',
        ratelimits: [limitLike({ id: '', name: 'ad-hoc', limit: 1, remaining: 0, autoApply: false })],
      });
      expect(await workspace.verify(key, adHoc)).toMatchObject(LIMITED);
      expect(await workspace.verify(other, adHoc)).toMatchObject({ code: 'VALID' });
      expect(await workspace.verify(key)).toMatchObject({ code: 'VALID' });
    });

    test('until the window is over', async () => {
      const workspace = await target().workspace();
      const key = await workspace.createKey();
      const brief = { ratelimits: [{ name: 'brief', limit: 1, duration: 1000 }] };
      await workspace.verify(key, brief);
      await expect.poll(async () => (await workspace.verify(key, brief))['code']).toBe('VALID');
    });

    test('always for a limit of 0', async () => {
      const workspace = await target().workspace();
      const key = await workspace.createKey();
      const blocked = { ratelimits: [{ name: 'blocked', limit: 0, duration: WINDOW_MS }] };
      expect(await workspace.verify(key, blocked)).toMatchObject(LIMITED);
    });

    test('by the limits of its identity, which all its keys share', async () => {
      const workspace = await target().workspace();
      const externalId = 'sharer';
      await workspace.must('identities.createIdentity', { externalId, ratelimits: [limitOf('shared', 2)] });
      const keys = await Promise.all([1, 2, 3].map(async () => await workspace.createKey({ externalId })));
      const codes: unknown[] = [];
      for (const key of keys) codes.push((await workspace.verify(key))['code']);
      expect(codes).toEqual(['VALID', 'VALID', 'RATE_LIMITED']);
    });

    test('by the limits of its identity, which the key that it is rerolled to shares; its own are counted anew', async () => {
      const workspace = await target().workspace();
      const externalId = 'rerolled';
      await workspace.must('identities.createIdentity', { externalId, ratelimits: [limitOf('shared', 3)] });
      const key = await workspace.createKey({ externalId, ratelimits: [limitOf('own', 2)] });
      const made = await workspace.must('keys.rerollKey', { keyId: key.keyId, expiration: 3_600_000 });
      const next = { key: String(made['key']) };
      const left = async (one: { readonly key: string }): Promise<readonly unknown[]> => {
        const { code, ratelimits } = await workspace.verify(one);
        return [code, ...(ratelimits as { readonly remaining: number }[]).map(({ remaining }) => remaining)];
      };
      expect([await left(key), await left(next), await left(key)]).toEqual([
        ['VALID', 1, 2],
        ['VALID', 1, 1],
        ['VALID', 0, 0],
      ]);
      expect(await left(next)).toEqual(['RATE_LIMITED', 1, 0]);
    });

    test('by its own limit of a name, not by its identity’s of the same', async () => {
      const workspace = await target().workspace();
      const externalId = 'both';
      await workspace.must('identities.createIdentity', {
        externalId,
        ratelimits: [limitOf('calls', 100)],
      });
      const key = await workspace.createKey({ externalId, ratelimits: [limitOf('calls', 1)] });
      expect(await workspace.verify(key)).toMatchObject({
        code: 'VALID',
        ratelimits: [limitLike({ name: 'calls', limit: 1, remaining: 0 })],
      });
      expect(await workspace.verify(key)).toMatchObject(LIMITED);
      const other = await workspace.createKey({ externalId });
      expect(await workspace.verify(other)).toMatchObject({
        ratelimits: [limitLike({ name: 'calls', limit: 100, remaining: 99 })],
      });
    });

    test('by a limit of its identity as soon as that has one', async () => {
      const workspace = await target().workspace();
      const key = await workspace.createKey({ externalId: 'later' });
      expect(await workspace.verify(key)).not.toHaveProperty('ratelimits');
      await workspace.must('identities.updateIdentity', {
        identity: 'later',
        ratelimits: [limitOf('calls', 1)],
      });
      expect(await workspace.verify(key)).toMatchObject({ code: 'VALID' });
      expect(await workspace.verify(key)).toMatchObject(LIMITED);
    });

    test('exactly as often as there are too many, whoever asks at once', async () => {
      const workspace = await target().workspace();
      const key = await workspace.createKey({ ratelimits: [limitOf('calls', 5)] });
      const answers = await Promise.all(Array.from({ length: 12 }, async () => await workspace.verify(key)));
      expect(answers.filter(({ code }) => code === 'VALID')).toHaveLength(5);
    });
  });
}
