import { describe, expect, test } from 'vitest';
import type { TargetOf } from '../../target.ts';
import { limitOf } from '../expected.ts';

const FULL = {
  name: 'before',
  externalId: 'user',
  meta: { team: 'a' },
  expires: 4_000_000_000_000,
  enabled: true,
  credits: { remaining: 10, refill: { interval: 'daily', amount: 10 } },
  ratelimits: [limitOf('calls', 5)],
  permissions: ['docs.read'],
} as const;

export function updateKeyCases(target: TargetOf): void {
  describe.concurrent('keys.updateKey', () => {
    test('keeps what is absent', async () => {
      const workspace = await target().workspace();
      const key = await workspace.createKey(FULL);
      const before = await workspace.getKey(key);
      await workspace.must('keys.updateKey', { keyId: key.keyId });
      const { updatedAt, ...after } = await workspace.getKey(key);
      expect({ ...before, updatedAt: undefined }).toEqual({ ...after, updatedAt: undefined });
      expect(updatedAt).toEqual(expect.any(Number));
    });

    /** By field: what null clears it to, a value that sets it, and how that shows. */
    const states: readonly (readonly [field: string, value: unknown, shown?: unknown])[] = [
      ['name', 'after'],
      ['externalId', 'another', { externalId: 'another', id: expect.any(String) }],
      ['meta', { other: 1 }],
      ['expires', 4_000_000_000_001],
      ['credits', { remaining: 3 }, { remaining: 3, refill: { interval: 'daily', amount: 10 } }],
    ];
    test.for(states)(
      'clears %s with null and sets it with a value, and touches nothing else',
      async (state) => {
        const [field, value, shown = value] = state;
        const view = field === 'externalId' ? 'identity' : field;
        const workspace = await target().workspace();
        const key = await workspace.createKey(FULL);
        const { [view]: _before, updatedAt: _never, ...others } = await workspace.getKey(key);
        await workspace.must('keys.updateKey', { keyId: key.keyId, [field]: value });
        const { [view]: set, updatedAt: _set, ...afterSet } = await workspace.getKey(key);
        expect(set).toMatchObject(shown as object);
        expect(afterSet).toEqual(others);
        await workspace.must('keys.updateKey', { keyId: key.keyId, [field]: null });
        const { [view]: cleared, updatedAt: _cleared, ...afterClear } = await workspace.getKey(key);
        expect(cleared).toBeUndefined();
        expect(afterClear).toEqual(others);
      },
    );

    test('changes parts of credits by themselves', async () => {
      const workspace = await target().workspace();
      const key = await workspace.createKey(FULL);
      const creditsAfter = async (credits: unknown): Promise<unknown> => {
        await workspace.must('keys.updateKey', { keyId: key.keyId, credits });
        return (await workspace.getKey(key))['credits'];
      };
      const refill = { interval: 'monthly', amount: 7, refillDay: 31 };
      expect(await creditsAfter({ refill })).toEqual({ remaining: 10, refill });
      expect(await creditsAfter({ remaining: 4 })).toEqual({ remaining: 4, refill });
      expect(await creditsAfter({ refill: null })).toEqual({ remaining: 4 });
      expect(await creditsAfter({})).toEqual({ remaining: 4 });
      expect(await creditsAfter({ remaining: 4, refill })).toEqual({ remaining: 4, refill });
      expect(await creditsAfter({ remaining: null })).toBeUndefined();
      expect(await creditsAfter({ remaining: 2 })).toEqual({ remaining: 2 });
    });

    test('replaces lists, down to nothing', async () => {
      const workspace = await target().workspace();
      await workspace.must('permissions.createRole', { name: 'reader' });
      const key = await workspace.createKey({ ...FULL, roles: ['reader'] });
      const { keyId } = key;
      await workspace.must('keys.updateKey', {
        keyId,
        permissions: ['docs.write'],
        ratelimits: [limitOf('other', 1)],
      });
      expect(await workspace.getKey(key)).toMatchObject({
        permissions: ['docs.write'],
        roles: ['reader'],
        ratelimits: [{ name: 'other' }],
      });
      await workspace.must('keys.updateKey', { keyId, permissions: [], ratelimits: [], roles: [] });
      const emptied = await workspace.getKey(key);
      for (const field of ['permissions', 'ratelimits', 'roles']) expect(emptied).not.toHaveProperty(field);
    });

    test('refuses null where it means nothing, and a refill without credits', async () => {
      const workspace = await target().workspace();
      const { keyId } = await workspace.createKey();
      const refill = { interval: 'daily', amount: 1 };
      for (const wrong of [
        { enabled: null },
        { roles: null },
        { permissions: null },
        { credits: { remaining: null, refill } },
      ])
        expect([wrong, (await workspace.call('keys.updateKey', { keyId, ...wrong })).status]).toEqual([
          wrong,
          400,
        ]);
      expect((await workspace.call('keys.updateKey', { keyId, roles: ['none'] })).status).toBe(404);
    });

    test('moves a key to another identity, and under its limits', async () => {
      const workspace = await target().workspace();
      const key = await workspace.createKey({ externalId: 'free' });
      await workspace.must('identities.createIdentity', {
        externalId: 'bounded',
        ratelimits: [limitOf('calls', 1)],
      });
      for (let turn = 0; turn < 2; turn++)
        expect(await workspace.verify(key)).toMatchObject({
          code: 'VALID',
          identity: { externalId: 'free' },
        });
      await workspace.must('keys.updateKey', { keyId: key.keyId, externalId: 'bounded' });
      expect(await workspace.verify(key)).toMatchObject({
        code: 'VALID',
        identity: { externalId: 'bounded' },
      });
      expect(await workspace.verify(key)).toMatchObject({ code: 'RATE_LIMITED' });
      await workspace.must('keys.updateKey', { keyId: key.keyId, externalId: null });
      expect(await workspace.verify(key)).toEqual({
        valid: true,
        code: 'VALID',
        enabled: true,
        keyId: key.keyId,
      });
    });

    test('takes effect in the next verification', async () => {
      const workspace = await target().workspace();
      const key = await workspace.createKey({ name: 'before', meta: { version: 1 } });
      expect(await workspace.verify(key)).toMatchObject({ name: 'before', meta: { version: 1 } });
      for (const version of [2, 3, 4]) {
        await workspace.must('keys.updateKey', { keyId: key.keyId, name: `v${version}`, meta: { version } });
        expect(await workspace.verify(key)).toMatchObject({ name: `v${version}`, meta: { version } });
      }
    });
  });
}
