import { randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { generateKeyText } from '../../../../service/domain/key-text.ts';
import type { TargetOf } from '../../target.ts';
import { importedKey } from '../expected.ts';

/** All that an unknown key is told. */
const BARE = { valid: false, code: 'NOT_FOUND' };

export function notFoundCases(target: TargetOf): void {
  describe.concurrent('keys.verifyKey answers 200 NOT_FOUND, and nothing else', () => {
    test('for a text that is no key of ours', async () => {
      const workspace = await target().workspace();
      expect(await workspace.verify({ key: 'not_a_key' })).toEqual(BARE);
    });

    test('for a well-formed key that was never made, and one that was mistyped', async () => {
      const workspace = await target().workspace();
      const madeUp = generateKeyText({ bytes: randomBytes(16), zone: target().zone });
      expect(await workspace.verify({ key: madeUp })).toEqual(BARE);
      const { key } = await workspace.createKey();
      expect(await workspace.verify({ key: `x${key}` })).toEqual(BARE);
      expect(await workspace.verify({ key: `${key.slice(0, -1)}${key.endsWith('2') ? '3' : '2'}` })).toEqual(
        BARE,
      );
    });

    test('for a deleted key, whether its row stays or not', async () => {
      const workspace = await target().workspace();
      for (const permanent of [false, true]) {
        const { keyId, key } = await workspace.createKey();
        expect(await workspace.verify({ key })).toMatchObject({ code: 'VALID' });
        await workspace.must('keys.deleteKey', { keyId, permanent });
        expect(await workspace.verify({ key })).toEqual(BARE);
      }
    });

    test('for a key whose API was deleted', async () => {
      const workspace = await target().workspace();
      const { key } = await workspace.createKey();
      expect(await workspace.verify({ key })).toMatchObject({ code: 'VALID' });
      await workspace.must('apis.deleteApi', { apiId: await workspace.apiId() });
      expect(await workspace.verify({ key })).toEqual(BARE);
    });

    test('for a key of another workspace, valid or not', async () => {
      const [own, other] = await Promise.all([target().workspace(), target().workspace()]);
      for (const input of [{}, { enabled: false }, { expires: 1 }, { credits: { remaining: 0 } }])
        expect(await own.verify(await other.createKey(input), {}, other.seen)).toEqual(BARE);
    });

    test('to a root key that may verify only keys of another API', async () => {
      const workspace = await target().workspace();
      const { key } = await workspace.createKey();
      const { apiId } = await workspace.must('apis.createApi', { name: 'another' });
      const rootKey = await workspace.rootKeyWith([`api.${String(apiId)}.verify_key`]);
      expect(await workspace.verify({ key }, {}, { rootKey })).toEqual(BARE);
    });

    test('to a root key without any permission to verify', async () => {
      const workspace = await target().workspace();
      const { key } = await workspace.createKey();
      const rootKey = await workspace.rootKeyWith(['api.*.read_key']);
      expect(await workspace.verify({ key }, {}, { rootKey })).toEqual(BARE);
    });

    test('whatever is asked of an unknown key: a query that is wrong, a limit that nobody stored', async () => {
      const workspace = await target().workspace();
      const unknown = { key: 'not_a_key' };
      expect(await workspace.verify(unknown, { permissions: 'a AND' })).toEqual(BARE);
      expect(await workspace.verify(unknown, { ratelimits: [{ name: 'nobodys' }] })).toEqual(BARE);
      expect(await workspace.verify(unknown, { credits: { cost: 5 } })).toEqual(BARE);
      expect(await workspace.verify(unknown, { migrationId: 'nobodys' })).toEqual(BARE);
    });

    test('for an imported key in another workspace', async () => {
      const [own, other] = await Promise.all([target().workspace(), target().workspace()]);
      const { text, hash } = importedKey();
      await other.must('keys.migrateKeys', {
        migrationId: 'legacy',
        apiId: await other.apiId(),
        keys: [{ hash }],
      });
      expect(await own.verify({ key: text }, { migrationId: 'legacy' }, other.seen)).toEqual(BARE);
      expect(await own.verify({ key: text }, {}, other.seen)).toEqual(BARE);
    });

    test('for a rerolled key whose old text was to end at once', async () => {
      const workspace = await target().workspace();
      const { keyId, key } = await workspace.createKey();
      expect(await workspace.verify({ key })).toMatchObject({ code: 'VALID' });
      const made = await workspace.must('keys.rerollKey', { keyId, expiration: 0 });
      expect((await workspace.verify({ key }))['valid']).toBe(false);
      expect(await workspace.verify({ key: String(made['key']) })).toMatchObject({ code: 'VALID' });
    });
  });
}
