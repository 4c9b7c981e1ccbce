import { randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { generateKeyText } from '../../../../service/domain/key-text.ts';
import { newRootKey } from '../../../../service/domain/root-key.ts';
import type { TargetOf } from '../../target.ts';

/** For a target that knows of a zone named `eu`. */
export function wrongZoneCases(target: TargetOf): void {
  describe.concurrent('keys.verifyKey answers 421', () => {
    test('to a key of another zone, and says where that is', async () => {
      const workspace = await target().workspace();
      const key = generateKeyText({ bytes: randomBytes(16), zone: 'eu' });
      const answer = await workspace.call('keys.verifyKey', { key });
      expect(answer.status).toBe(421);
      expect(answer.error.type).toMatch(/routing\/wrong_zone$/);
      expect(answer.headers.get('keyhearth-zone-url')).toContain('eu');
      expect(answer.body).not.toHaveProperty('data');
    });

    test('to a root key of another zone, whatever is asked', async () => {
      const workspace = await target().workspace();
      const rootKey = newRootKey('eu', randomBytes).text;
      for (const [verb, body] of [
        ['keys.verifyKey', { key: 'x' }],
        ['apis.createApi', { name: 'abc' }],
        ['keys.getKey', { keyId: 'key_1' }],
      ] as const) {
        const answer = await workspace.call(verb, body, { rootKey });
        expect([verb, answer.status]).toEqual([verb, 421]);
      }
    });
  });
}
