import { describe, expect, test } from 'vitest';
import type { TargetOf } from '../../target.ts';
import { allowRecoverableKeys } from '../recoverable.ts';

export function createKeyCases(target: TargetOf): void {
  describe.concurrent('keys.createKey', () => {
    test('makes one identity of twenty calls at once with the same external id', async () => {
      const workspace = await target().workspace();
      await workspace.apiId();
      const keys = await Promise.all(
        Array.from({ length: 20 }, async () => await workspace.createKey({ externalId: 'same' })),
      );
      const views = await Promise.all(keys.map(async (key) => await workspace.getKey(key)));
      const ids = new Set(views.map(({ identity }) => (identity as { id: string }).id));
      expect(ids.size).toBe(1);
      const all = (await workspace.must('identities.listIdentities', {})) as unknown;
      expect(all).toMatchObject([{ externalId: 'same', id: [...ids][0] }]);
      expect(all).toHaveLength(1);
    });

    test('refuses every field that is out of bounds, and names it', async () => {
      const workspace = await target().workspace();
      const apiId = await workspace.apiId();
      const limit = { name: 'calls', limit: 1, duration: 1000, autoApply: true };
      const wrong: readonly (readonly [location: string, input: Readonly<Record<string, unknown>>])[] = [
        ['apiId', { apiId: 'ab' }],
        ['apiId', { apiId: 'not-allowed' }],
        ['prefix', { prefix: '' }],
        ['prefix', { prefix: 'x'.repeat(17) }],
        ['prefix', { prefix: 'a-b' }],
        ['name', { name: '' }],
        ['name', { name: 'x'.repeat(256) }],
        ['byteLength', { byteLength: 15 }],
        ['byteLength', { byteLength: 256 }],
        ['externalId', { externalId: '' }],
        ['externalId', { externalId: 'a b' }],
        ['externalId', { externalId: 'x'.repeat(256) }],
        ['meta', { meta: Object.fromEntries(Array.from({ length: 101 }, (_, at) => [`m${at}`, 1])) }],
        ['meta', { meta: [] }],
        ['roles', { roles: Array.from({ length: 101 }, (_, at) => `r${at}`) }],
        ['roles[0]', { roles: ['x'.repeat(129)] }],
        ['permissions', { permissions: Array.from({ length: 1001 }, (_, at) => `p${at}`) }],
        ['permissions[0]', { permissions: ['a b'] }],
        ['expires', { expires: -1 }],
        ['expires', { expires: 4_102_444_800_001 }],
        [
          'ratelimits',
          { ratelimits: Array.from({ length: 51 }, (_, at) => ({ ...limit, name: `limit${at}` })) },
        ],
        ['ratelimits[0].name', { ratelimits: [{ ...limit, name: 'ab' }] }],
        ['ratelimits[0].limit', { ratelimits: [{ ...limit, limit: 0 }] }],
        ['ratelimits[0].duration', { ratelimits: [{ ...limit, duration: 999 }] }],
        ['ratelimits[0].autoApply', { ratelimits: [{ name: 'calls', limit: 1, duration: 1000 }] }],
        ['ratelimits[0].exact', { ratelimits: [{ ...limit, exact: 'yes' }] }],
        ['ratelimits[0].onUnavailable', { ratelimits: [{ ...limit, exact: true, onUnavailable: 'pass' }] }],
        ['ratelimits[0].onUnavailable', { ratelimits: [{ ...limit, exact: false, onUnavailable: 'local' }] }],
        ['credits.remaining', { credits: {} }],
        ['credits.remaining', { credits: { remaining: -1 } }],
        ['credits.refill.amount', { credits: { remaining: 1, refill: { interval: 'daily', amount: 0 } } }],
        [
          'credits.refill.refillDay',
          { credits: { remaining: 1, refill: { interval: 'monthly', amount: 1 } } },
        ],
        [
          'credits.refill.refillDay',
          { credits: { remaining: 1, refill: { interval: 'daily', amount: 1, refillDay: 1 } } },
        ],
        ['credits.refill', { credits: { remaining: null, refill: { interval: 'daily', amount: 1 } } }],
        ['enabled', { enabled: 'yes' }],
      ];
      const answers = await Promise.all(
        wrong.map(async ([, input]) => await workspace.call('keys.createKey', { apiId, ...input })),
      );
      for (const [index, { status, error }] of answers.entries()) {
        const [location, input] = wrong[index] ?? [];
        expect([input, status]).toEqual([input, 400]);
        const locations = (error.errors ?? []).map((one) => one.location);
        expect([input, locations]).toEqual([input, expect.arrayContaining([`body.${location}`])]);
      }
      const { data } = await workspace.call('apis.listKeys', { apiId });
      expect(data).toEqual([]);
    });

    test('refuses a role that there is not, and makes a permission that there is not', async () => {
      const workspace = await target().workspace();
      const apiId = await workspace.apiId();
      const refused = await workspace.call('keys.createKey', { apiId, roles: ['none'] });
      expect([refused.status, refused.error.type]).toEqual([
        404,
        expect.stringMatching(/data\/role_not_found$/),
      ]);
      await workspace.createKey({ permissions: ['made.here'] });
      const made = await workspace.must('permissions.getPermission', { permission: 'made.here' });
      expect(made).toMatchObject({ slug: 'made.here', name: 'made.here' });
    });

    test('keeps a text only where the API has opted in, and gives it back to who may decrypt', async () => {
      const workspace = await target().workspace();
      const apiId = await workspace.apiId();
      const refused = await workspace.call('keys.createKey', { apiId, recoverable: true });
      expect([refused.status, refused.error.type]).toEqual([
        412,
        expect.stringMatching(/application\/precondition_failed$/),
      ]);
      await allowRecoverableKeys(workspace);
      const [kept, other] = [await workspace.createKey({ recoverable: true }), await workspace.createKey()];
      const plaintextOf = async (keyId: string, decrypt: boolean): Promise<unknown> =>
        (await workspace.must('keys.getKey', { keyId, decrypt }))['plaintext'];
      expect(await plaintextOf(kept.keyId, true)).toBe(kept.key);
      expect(await plaintextOf(kept.keyId, false)).toBeUndefined();
      expect(await plaintextOf(other.keyId, true)).toBeUndefined();
      const listed = (await workspace.must('apis.listKeys', { apiId, decrypt: true })) as unknown;
      expect(listed).toEqual(
        expect.arrayContaining([expect.objectContaining({ keyId: kept.keyId, plaintext: kept.key })]),
      );
    });

    test('answers 404 for an API that was deleted', async () => {
      const workspace = await target().workspace();
      const apiId = await workspace.apiId();
      await workspace.must('apis.deleteApi', { apiId });
      expect((await workspace.call('keys.createKey', { apiId })).status).toBe(404);
    });
  });
}
