import { randomBytes } from 'node:crypto';
import { describe, expect, test, vi } from 'vitest';
import { generateKeyText, hashKey } from '../../../service/domain/key-text.ts';
import { RecordReader } from '../../../service/store/record-reader.ts';
import type { TargetOf } from '../target.ts';

/** For a service in this process: what a verification reads tells nobody whose key it was. */
export function databaseReadCases(target: TargetOf): void {
  describe('an unknown key and another workspace’s', () => {
    test('cost the same reads of the database: one statement when cold, none when warm', async () => {
      const [own, other] = await Promise.all([target().workspace(), target().workspace()]);
      await own.verify({ key: 'warms the root key' });
      const { key: foreign } = await other.createKey();
      const unknown = generateKeyText({ bytes: randomBytes(16), zone: target().zone });
      const records = vi.spyOn(RecordReader.prototype, 'readRecords');
      const shared = vi.spyOn(RecordReader.prototype, 'readShared');
      const readsOf = async (key: string): Promise<unknown> => {
        for (const spy of [records, shared]) spy.mockClear();
        expect(await own.verify({ key })).toEqual({ valid: false, code: 'NOT_FOUND' });
        const ofKey = records.mock.calls.filter(([hashes]) => hashes.includes(hashKey(key)));
        return { records: ofKey.length, hashes: ofKey[0]?.[0].length ?? 0, shared: shared.mock.calls.length };
      };
      try {
        const cold = { records: 1, hashes: 2, shared: 0 };
        const warm = { records: 0, hashes: 0, shared: 0 };
        for (const key of [foreign, unknown])
          expect([await readsOf(key), await readsOf(key), await readsOf(key)]).toEqual([cold, warm, warm]);
      } finally {
        for (const spy of [records, shared]) spy.mockRestore();
      }
    });
  });
}
