import { Pool } from 'undici';

import type { LocalZone } from '../local/local-file.ts';
import { UserError } from './user-error.ts';

/** One key's life: created, warmed in every region, deleted, refused. */
interface Trial {
  /** How long the delete took to be answered. */
  readonly deleteAnswerMs: number;
  /** The answer said that another region had applied it already. */
  readonly isConfirmed: boolean;
  /**
   * By region: from the delete's answer to the answer of the first refusal; 0 where the first request sent after the delete's answer
   * was refused, null where none was refused in time.
   */
  readonly refusedAfterMs: Readonly<Record<string, number | null>>;
}

export interface TrialsOptions {
  readonly zone: LocalZone;
  readonly count: number;
  /** Aborting ends it after the keys that are under way. */
  readonly signal: AbortSignal;
  /** After each key: how many are done. */
  readonly onProgress?: (done: number) => void;
}

/** Keys measured at the same time: more would measure the machine's load rather than the feed. */
const LANES = 4;
const WARM_TIMEOUT_MS = 10_000;
const REFUSAL_TIMEOUT_MS = 10_000;
const REQUEST_TIMEOUT_MS = 15_000;

/** Runs `count` trials in one zone. Fails with `UserError` where the platform doesn't answer as it should. */
export async function runTrials(options: TrialsOptions): Promise<readonly Trial[]> {
  const { zone, count, signal, onProgress } = options;
  const zonePool = poolOf(zone.url);
  const regionPools = new Map(Object.entries(zone.regions).map(([region, { url }]) => [region, poolOf(url)]));
  const trials: Trial[] = [];
  let started = 0;
  const lane = async (): Promise<void> => {
    while (started < count && !signal.aborted) {
      started++;
      trials.push(await runTrial(zone, zonePool, regionPools));
      onProgress?.(trials.length);
    }
  };
  try {
    await Promise.all(Array.from({ length: LANES }, lane));
    return trials;
  } finally {
    await Promise.all([zonePool, ...regionPools.values()].map((pool) => pool.destroy()));
  }
}

function poolOf(url: string): Pool {
  return new Pool(url, {
    connections: LANES,
    pipelining: 1,
    headersTimeout: REQUEST_TIMEOUT_MS,
    bodyTimeout: REQUEST_TIMEOUT_MS,
  });
}

async function runTrial(
  zone: LocalZone,
  zonePool: Pool,
  regionPools: ReadonlyMap<string, Pool>,
): Promise<Trial> {
  const created = await call(zonePool, zone, 'keys.createKey', {
    apiId: zone.apiId,
    name: 'revocation trial',
  });
  const { key, keyId } = created.data;
  if (typeof key !== 'string' || typeof keyId !== 'string')
    throw new Error('keys.createKey answered without a key');
  await Promise.all([...regionPools].map(([region, pool]) => warm(region, pool, zone, key)));
  const askedAtMs = performance.now();
  const deleted = await call(zonePool, zone, 'keys.deleteKey', { keyId });
  const answeredAtMs = performance.now();
  const refusals = [...regionPools].map(
    async ([region, pool]) => [region, await refusal(pool, zone, key, answeredAtMs)] as const,
  );
  return {
    deleteAnswerMs: answeredAtMs - askedAtMs,
    isConfirmed: deleted.revocation === 'confirmed',
    refusedAfterMs: Object.fromEntries(await Promise.all(refusals)),
  };
}

/** Verifies until the key is valid, and once more: that one is answered from memory. */
async function warm(region: string, pool: Pool, zone: LocalZone, key: string): Promise<void> {
  const deadlineMs = performance.now() + WARM_TIMEOUT_MS;
  for (let valid = 0; valid < 2;) {
    if (performance.now() > deadlineMs) {
      throw new UserError(`A new key didn't become valid in ${region} within ${WARM_TIMEOUT_MS / 1000} s.`);
    }
    if (await isValid(pool, zone, key)) valid++;
  }
}

async function refusal(pool: Pool, zone: LocalZone, key: string, sinceMs: number): Promise<number | null> {
  for (let asked = 0; performance.now() - sinceMs < REFUSAL_TIMEOUT_MS; asked++) {
    if (!(await isValid(pool, zone, key))) return asked === 0 ? 0 : performance.now() - sinceMs;
  }
  return null;
}

async function isValid(pool: Pool, zone: LocalZone, key: string): Promise<boolean> {
  const { data } = await call(pool, zone, 'keys.verifyKey', { key });
  if (typeof data['valid'] !== 'boolean') throw new Error('keys.verifyKey answered without a verdict');
  return data['valid'];
}

interface CallAnswer {
  readonly data: Readonly<Record<string, unknown>>;
  /** Of the header `Keyhearth-Revocation`. */
  readonly revocation: string | undefined;
}

async function call(pool: Pool, zone: LocalZone, operation: string, body: object): Promise<CallAnswer> {
  const answer = await pool.request({
    method: 'POST',
    path: `/v2/${operation}`,
    headers: { authorization: `Bearer ${zone.rootKey}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  const text = await answer.body.text();
  if (answer.statusCode !== 200) {
    throw new UserError(`${operation} was answered with ${answer.statusCode}: ${text.slice(0, 500)}`);
  }
  const revocation = answer.headers['keyhearth-revocation'];
  // Our own API's envelope; the fields that are used are checked where they are used.
  const { data } = JSON.parse(text) as { readonly data: Readonly<Record<string, unknown>> };
  return { data, revocation: typeof revocation === 'string' ? revocation : undefined };
}
