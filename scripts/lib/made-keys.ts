import type { LocalZone } from '../local/local-file.ts';
import type { ApiClient } from './api-client.ts';

export interface MadeKey {
  readonly key: string;
  readonly keyId: string;
}

/** Makes a key in the zone's API. Fails with `UserError` where that isn't answered with 200. */
export async function makeKey(client: ApiClient, zone: LocalZone, fields: object): Promise<MadeKey> {
  const { data } = await client.must('keys.createKey', { apiId: zone.apiId, ...fields });
  const { key, keyId } = data;
  if (typeof key !== 'string' || typeof keyId !== 'string')
    throw new Error('keys.createKey answered without a key');
  return { key, keyId };
}

const LANES = 4;

/** Takes the keys away again; one that can't be is left, and told by its id. */
export async function deleteKeys(client: ApiClient, keys: readonly MadeKey[]): Promise<readonly string[]> {
  const left: string[] = [];
  const waiting = [...keys];
  const lane = async (): Promise<void> => {
    for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
      const { keyId } = next;
      const status = await client.post('keys.deleteKey', { keyId }).then(
        (answer) => answer.status,
        () => 0,
      );
      if (status !== 200 && status !== 404) left.push(keyId);
    }
  };
  await Promise.all(Array.from({ length: LANES }, lane));
  return left;
}
