import type { LocalZone } from '../../scripts/local/local-file.ts';

/** Keys made for one benchmark and verified in its region until they are held in memory there. */
export interface HotKeys {
  /** Bodies of verifications that are all answered VALID. */
  readonly bodies: readonly string[];
  /** An answer as the region sends it. */
  readonly sample: { readonly headers: Readonly<Record<string, string>>; readonly body: string };
  /** Fails unless every key is still valid in the region. */
  check(): Promise<void>;
  /** Deletes the keys. */
  remove(): Promise<void>;
}

const AT_ONCE = 8;
const WARM_TIMEOUT_MS = 10_000;

export async function makeHotKeys(zone: LocalZone, regionUrl: string, count: number): Promise<HotKeys> {
  const post = (url: string, operation: string, body: string): Promise<Response> =>
    fetch(`${url}/v2/${operation}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${zone.rootKey}`, 'content-type': 'application/json' },
      body,
    });
  const made = await inParallel(Array.from({ length: count }), async () => {
    const answer = await post(
      zone.url,
      'keys.createKey',
      JSON.stringify({ apiId: zone.apiId, name: 'bench' }),
    );
    if (answer.status !== 200) throw new Error(`keys.createKey: ${answer.status} ${await answer.text()}`);
    // Our own API's answer; a key that is none fails the verification below.
    const { data } = (await answer.json()) as {
      readonly data: { readonly key: string; readonly keyId: string };
    };
    return { keyId: data.keyId, body: JSON.stringify({ key: data.key }) };
  });
  const verify = async (body: string): Promise<{ isValid: boolean; text: string; headers: Headers }> => {
    const answer = await post(regionUrl, 'keys.verifyKey', body);
    const text = await answer.text();
    return {
      isValid: answer.status === 200 && text.includes('"code":"VALID"'),
      text,
      headers: answer.headers,
    };
  };
  const warm = async (body: string): Promise<void> => {
    const deadlineMs = performance.now() + WARM_TIMEOUT_MS;
    while (!(await verify(body)).isValid) {
      if (performance.now() > deadlineMs) throw new Error('a new key did not become valid in the region');
    }
  };
  const bodies = made.map(({ body }) => body);
  await inParallel(bodies, warm);
  const sample = await verify(bodies[0] ?? '');
  return {
    bodies,
    sample: { headers: Object.fromEntries(sample.headers), body: sample.text },
    check: async () => {
      const verdicts = await inParallel(bodies, verify);
      if (!verdicts.every(({ isValid }) => isValid))
        throw new Error('a key of the benchmark is not valid any more');
    },
    remove: async () => {
      await inParallel(made, ({ keyId }) => post(zone.url, 'keys.deleteKey', JSON.stringify({ keyId })));
    },
  };
}

/** Maps with at most `AT_ONCE` calls under way. */
async function inParallel<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<readonly R[]> {
  const results: R[] = [];
  for (let start = 0; start < items.length; start += AT_ONCE) {
    results.push(...(await Promise.all(items.slice(start, start + AT_ONCE).map(work))));
  }
  return results;
}
