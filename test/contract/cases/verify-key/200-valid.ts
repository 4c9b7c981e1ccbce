import { describe, expect, test } from 'vitest';
import type { TargetOf } from '../../target.ts';
import { byName, importedKey, limitLike, WINDOW_MS } from '../expected.ts';

export function validCases(target: TargetOf): void {
  describe.concurrent('keys.verifyKey answers 200 VALID', () => {
    test('with no more than id and state for a key that has nothing', async () => {
      const workspace = await target().workspace();
      const { keyId, key } = await workspace.createKey();
      expect(await workspace.verify({ key })).toEqual({ valid: true, code: 'VALID', enabled: true, keyId });
    });

    test('with all that the key has', async () => {
      const workspace = await target().workspace();
      await workspace.must('permissions.createRole', { name: 'reader', permissions: ['docs.read'] });
      await workspace.must('identities.createIdentity', {
        externalId: 'user_1',
        meta: { plan: 'pro' },
        ratelimits: [{ name: 'shared', limit: 10, duration: WINDOW_MS, autoApply: true }],
      });
      const expires = Date.now() + 3_600_000;
      const { keyId, key } = await workspace.createKey({
        name: 'all of it',
        meta: { team: 'a', nested: { deep: [1, null] } },
        externalId: 'user_1',
        roles: ['reader'],
        permissions: ['docs.write'],
        expires,
        credits: { remaining: 5 },
        ratelimits: [{ name: 'own', limit: 3, duration: WINDOW_MS, autoApply: true }],
      });
      const answer = await workspace.verify({ key });
      expect(answer).toMatchObject({
        valid: true,
        code: 'VALID',
        enabled: true,
        keyId,
        name: 'all of it',
        meta: { team: 'a', nested: { deep: [1, null] } },
        expires,
        credits: 4,
        roles: ['reader'],
        identity: {
          id: expect.stringMatching(/^id_/),
          externalId: 'user_1',
          meta: { plan: 'pro' },
          ratelimits: [{ name: 'shared', limit: 10, duration: WINDOW_MS, autoApply: true }],
        },
      });
      expect(new Set(answer['permissions'] as string[])).toEqual(new Set(['docs.read', 'docs.write']));
      expect(byName(answer['ratelimits'])).toEqual([
        limitLike({ name: 'own', limit: 3, remaining: 2 }),
        limitLike({ name: 'shared', limit: 10, remaining: 9 }),
      ]);
    });

    test('with neither name nor credits where the key has none', async () => {
      const workspace = await target().workspace();
      const answer = await workspace.verify(await workspace.createKey({ credits: { remaining: null } }));
      expect(Object.keys(answer).toSorted()).toEqual(['code', 'enabled', 'keyId', 'valid']);
    });

    test('for a new key of every length and prefix, whose text says so', async () => {
      const workspace = await target().workspace();
      for (const shape of [{ prefix: 'p' }, { prefix: 'prefix_of_16_chr' }, { byteLength: 255 }]) {
        const { key } = await workspace.createKey(shape);
        if (shape.prefix !== undefined) expect(key.startsWith(`${shape.prefix}_`)).toBe(true);
        expect(await workspace.verify({ key })).toMatchObject({ code: 'VALID' });
      }
    });

    test('and takes tags, which change nothing', async () => {
      const workspace = await target().workspace();
      const { key } = await workspace.createKey();
      expect(await workspace.verify({ key }, { tags: ['endpoint=/v1/orders'] })).toMatchObject({
        valid: true,
      });
    });

    test('for an enabled key again after it was disabled', async () => {
      const workspace = await target().workspace();
      const { keyId, key } = await workspace.createKey({ enabled: false });
      expect(await workspace.verify({ key })).toMatchObject({ code: 'DISABLED' });
      await workspace.must('keys.updateKey', { keyId, enabled: true });
      expect(await workspace.verify({ key })).toMatchObject({ code: 'VALID' });
    });

    test('for an imported key, by its text and by its migration', async () => {
      const workspace = await target().workspace();
      const { text, hash } = importedKey();
      const migrated = await workspace.must('keys.migrateKeys', {
        migrationId: 'legacy',
        apiId: await workspace.apiId(),
        keys: [{ hash, name: 'imported' }],
      });
      expect(migrated).toMatchObject({ migrated: [{ hash }], failed: [] });
      expect(await workspace.verify({ key: text }, { migrationId: 'legacy' })).toMatchObject({
        code: 'VALID',
        name: 'imported',
      });
    });

    test('in an envelope with the id of the request', async () => {
      const workspace = await target().workspace();
      const { key } = await workspace.createKey();
      const { status, headers, body } = await workspace.call('keys.verifyKey', { key });
      expect(status).toBe(200);
      expect(headers.get('content-type')).toBe('application/json');
      expect(body).toEqual({
        meta: { requestId: expect.stringMatching(/^req_[A-Za-z0-9]+$/) },
        data: expect.objectContaining({ valid: true }),
      });
    });
  });
}
