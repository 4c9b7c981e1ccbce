import { describe, expect, test } from 'vitest';
import type { TargetOf } from '../../target.ts';
import { byName, limitLike, limitOf } from '../expected.ts';

const LIMITED = { valid: false, code: 'RATE_LIMITED' };

/** A limit that the tasks of a region count together. */
const exactly = (name: string, limit: number, more: object = {}) => ({
  ...limitOf(name, limit),
  exact: true,
  ...more,
});

export function exactLimitCases(target: TargetOf): void {
  describe.concurrent('an exact limit', () => {
    test('is shown with what it does where it can’t be asked; others are shown without', async () => {
      const workspace = await target().workspace();
      const ratelimits = [exactly('a local one', 5), exactly('a strict one', 5, { onUnavailable: 'deny' })];
      const shown = [
        { id: expect.any(String), ...exactly('a local one', 5), onUnavailable: 'local' },
        { id: expect.any(String), ...exactly('a strict one', 5), onUnavailable: 'deny' },
        { id: expect.any(String), ...limitOf('plain', 5) },
      ];
      const all = [...ratelimits, { ...limitOf('plain', 5), exact: false }];
      await workspace.must('identities.createIdentity', { externalId: 'user', ratelimits: all });
      const key = await workspace.createKey({ externalId: 'user', ratelimits: all });
      const view = await workspace.getKey(key);
      expect(view).toMatchObject({ ratelimits: shown, identity: { ratelimits: shown } });
      expect(view['ratelimits']).toEqual(shown);
      expect((await workspace.must('keys.whoami', { key: key.key }))['ratelimits']).toEqual(shown);
      const identity = await workspace.must('identities.getIdentity', { identity: 'user' });
      expect(identity['ratelimits']).toEqual(shown);
    });

    test('is refused by every call that takes it where it says what it does, and isn’t exact', async () => {
      const workspace = await target().workspace();
      const { keyId } = await workspace.createKey({ externalId: 'user' });
      const apiId = await workspace.apiId();
      const ratelimits = [{ ...limitOf('calls', 5), onUnavailable: 'deny' }];
      const calls = [
        ['keys.createKey', { apiId, ratelimits }],
        ['keys.updateKey', { keyId, ratelimits }],
        ['identities.createIdentity', { externalId: 'another', ratelimits }],
        ['identities.updateIdentity', { identity: 'user', ratelimits }],
      ] as const;
      for (const [verb, input] of calls) {
        const { status, error } = await workspace.call(verb, input);
        expect([verb, status, error.errors]).toEqual([
          verb,
          400,
          [
            {
              location: 'body.ratelimits[0].onUnavailable',
              message: expect.stringContaining('"exact": true'),
              fix: expect.stringContaining('add "exact": true'),
            },
          ],
        ]);
      }
    });

    test('lets exactly as many through as it may, whoever asks at once', async () => {
      const workspace = await target().workspace();
      const key = await workspace.createKey({ ratelimits: [exactly('calls', 5)] });
      const answers = await Promise.all(Array.from({ length: 12 }, async () => await workspace.verify(key)));
      expect(answers.filter(({ code }) => code === 'VALID')).toHaveLength(5);
      expect(answers.filter(({ code }) => code === 'RATE_LIMITED')).toHaveLength(7);
    });

    test('counts down, takes nothing of the others where it is used up, and says nothing of being exact', async () => {
      const workspace = await target().workspace();
      const key = await workspace.createKey({ ratelimits: [exactly('narrow', 2), limitOf('wide', 10)] });
      const limits = (narrow: object, wide: number) => [
        limitLike({ name: 'narrow', limit: 2, remaining: 0, ...narrow }),
        limitLike({ name: 'wide', limit: 10, remaining: wide }),
      ];
      const asked = [];
      for (let turn = 0; turn < 4; turn++) asked.push(await workspace.verify(key));
      expect(asked.map(({ code }) => code)).toEqual(['VALID', 'VALID', 'RATE_LIMITED', 'RATE_LIMITED']);
      expect(asked.map(({ ratelimits }) => byName(ratelimits))).toEqual([
        limits({ remaining: 1 }, 9),
        limits({}, 8),
        limits({ exceeded: true }, 8),
        limits({ exceeded: true }, 8),
      ]);
    });

    test('gets back what a call took that can’t pay', async (context) => {
      const workspace = await target().workspace();
      const key = await workspace.createKey({ credits: { remaining: 1 }, ratelimits: [exactly('calls', 2)] });
      expect(await workspace.verify(key, { credits: { cost: 2 } })).toMatchObject({
        code: 'USAGE_EXCEEDED',
        ratelimits: [limitLike({ name: 'calls', limit: 2, remaining: 2 })],
      });
      const free = { credits: { cost: 0 } };
      // What is given back may come after the answer.
      const look = { ...free, ratelimits: [{ name: 'calls', cost: 0 }] };
      const left = async () => (await workspace.verify(key, look))['ratelimits'];
      await context.expect.poll(left).toMatchObject([{ remaining: 2 }]);
      for (const code of ['VALID', 'VALID', 'RATE_LIMITED'])
        expect(await workspace.verify(key, free)).toMatchObject({ code });
    });

    test('of an identity is shared by its keys, and by those that they are rerolled to', async () => {
      const workspace = await target().workspace();
      const externalId = 'sharer';
      await workspace.must('identities.createIdentity', { externalId, ratelimits: [exactly('shared', 2)] });
      const [key, other] = [
        await workspace.createKey({ externalId }),
        await workspace.createKey({ externalId }),
      ];
      const made = await workspace.must('keys.rerollKey', { keyId: key.keyId, expiration: 3_600_000 });
      const codes: unknown[] = [];
      for (const one of [key, { key: String(made['key']) }, other])
        codes.push((await workspace.verify(one))['code']);
      expect(codes).toEqual(['VALID', 'VALID', 'RATE_LIMITED']);
    });

    test('holds from the update on that makes one of it', async () => {
      const workspace = await target().workspace();
      const key = await workspace.createKey({ ratelimits: [limitOf('calls', 100)] });
      expect(await workspace.verify(key)).toMatchObject({ code: 'VALID' });
      const ratelimits = [exactly('calls', 1)];
      await workspace.must('keys.updateKey', { keyId: key.keyId, ratelimits });
      await workspace.verify(key);
      expect(await workspace.verify(key)).toMatchObject(LIMITED);
      await workspace.must('keys.updateKey', { keyId: key.keyId, ratelimits: [] });
      expect(await workspace.verify(key)).toMatchObject({ code: 'VALID' });
    });
  });
}
