import type { LocalZone } from '../../scripts/local/local-file.ts';

/** What is timed, in the order in which one key goes through it. */
export const CALLS = ['createKey', 'verify after it', 'updateKey', 'getKey', 'deleteKey'] as const;
export type TimedCall = (typeof CALLS)[number];

/** Where a client is, as a row of the table. */
export interface Path {
  readonly name: string;
  readonly url: string;
}

/** Durations in ms, by call. */
export type Timings = Readonly<Record<TimedCall, number[]>>;

export function noTimings(): Timings {
  return { createKey: [], 'verify after it': [], updateKey: [], getKey: [], deleteKey: [] };
}

/** Takes `count` keys through all calls, so many at a time. Fails where a call isn't answered as it should be. */
export async function measure(
  zone: LocalZone,
  { url }: Path,
  { count, atOnce }: { readonly count: number; readonly atOnce: number },
  timings: Timings,
): Promise<void> {
  let left = count;
  const worker = async (): Promise<void> => {
    while (left > 0) {
      left -= 1;
      await oneKey(zone, url, timings);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
}

async function oneKey({ apiId, rootKey }: LocalZone, url: string, timings: Timings): Promise<void> {
  const timed = async (call: TimedCall, verb: string, body: unknown): Promise<Record<string, unknown>> => {
    const beganAtMs = performance.now();
    const answer = await fetch(`${url}/v2/keys.${verb}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${rootKey}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    const text = await answer.text();
    timings[call].push(performance.now() - beganAtMs);
    if (answer.status !== 200) throw new Error(`keys.${verb} answered ${answer.status}: ${text}`);
    // The envelope of a success.
    return (JSON.parse(text) as { data: Record<string, unknown> }).data;
  };
  const { keyId, key } = await timed('createKey', 'createKey', { apiId, name: 'bench' });
  const verdict = await timed('verify after it', 'verifyKey', { key });
  if (verdict['valid'] !== true) throw new Error('a new key was not valid where it was made');
  await timed('updateKey', 'updateKey', { keyId, name: 'renamed', meta: { bench: true } });
  await timed('getKey', 'getKey', { keyId });
  await timed('deleteKey', 'deleteKey', { keyId });
}
