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
   * was refused, null where none was refused in time. A region that has fallen behind before isn't in it.
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

/** What came of all trials in one zone. */
export interface Trials {
  readonly trials: readonly Trial[];
  /** By region that couldn't be measured to the end: why, e.g. "not within 10 s". It was left out from then on. */
  readonly behind: ReadonlyMap<string, string>;
}

/** Keys measured at the same time: more would measure the machine's load rather than the feed. */
const LANES = 4;
const PATIENCE_MS = 10_000;
const NOT_IN_TIME = `not within ${PATIENCE_MS / 1_000} s`;
const REQUEST_TIMEOUT_MS = 15_000;

/**
 * Runs `count` trials in one zone. A region that doesn't answer, or shows a key or its end too late, is left out of the trials that follow;
 * fails with `UserError` where creating and deleting keys isn't answered as it should be.
 */
export async function runTrials(options: TrialsOptions): Promise<Trials> {
  const { zone, count, signal, onProgress } = options;
  const zonePool = poolOf(zone.url);
  const regionPools = new Map(Object.entries(zone.regions).map(([region, { url }]) => [region, poolOf(url)]));
  const trials: Trial[] = [];
  const behind = new Map<string, string>();
  let started = 0;
  const lane = async (): Promise<void> => {
    while (started < count && !signal.aborted) {
      started++;
      trials.push(await runTrial(zone, zonePool, regionPools, behind));
      onProgress?.(trials.length);
    }
  };
  try {
    await Promise.all(Array.from({ length: LANES }, lane));
    return { trials, behind };
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
  behind: Map<string, string>,
): Promise<Trial> {
  const created = await call(zonePool, zone, 'keys.createKey', {
    apiId: zone.apiId,
    name: 'revocation trial',
  });
  const { key, keyId } = created.data;
  if (typeof key !== 'string' || typeof keyId !== 'string')
    throw new Error('keys.createKey answered without a key');
  /** Asks all regions that keep up, at once; one that fails has fallen behind. */
  const inRegions = async <T>(ask: (pool: Pool) => Promise<T>): Promise<[region: string, answer: T][]> => {
    const asked = [...regionPools].map(async ([region, pool]): Promise<[string, T][]> => {
      if (behind.has(region)) return [];
      try {
        return [[region, await ask(pool)]];
      } catch (error) {
        behind.set(region, error instanceof Unanswered ? error.message : "doesn't answer");
        return [];
      }
    });
    return (await Promise.all(asked)).flat();
  };
  for (const [region, isWarm] of await inRegions((pool) => warm(pool, zone, key)))
    if (!isWarm) behind.set(region, NOT_IN_TIME);
  const askedAtMs = performance.now();
  const deleted = await call(zonePool, zone, 'keys.deleteKey', { keyId });
  const answeredAtMs = performance.now();
  const refusals = await inRegions((pool) => refusal(pool, zone, key, answeredAtMs));
  for (const [region, afterMs] of refusals) if (afterMs === null) behind.set(region, NOT_IN_TIME);
  return {
    deleteAnswerMs: answeredAtMs - askedAtMs,
    isConfirmed: deleted.revocation === 'confirmed',
    refusedAfterMs: Object.fromEntries(refusals),
  };
}

/** Verifies until the key is valid, and once more: that one is answered from memory. False where it isn't in time. */
async function warm(pool: Pool, zone: LocalZone, key: string): Promise<boolean> {
  const deadlineMs = performance.now() + PATIENCE_MS;
  for (let valid = 0; valid < 2;) {
    if (performance.now() > deadlineMs) return false;
    if (await isValid(pool, zone, key)) valid++;
  }
  return true;
}

async function refusal(pool: Pool, zone: LocalZone, key: string, sinceMs: number): Promise<number | null> {
  for (let asked = 0; performance.now() - sinceMs < PATIENCE_MS; asked++) {
    if (!(await isValid(pool, zone, key))) return asked === 0 ? 0 : performance.now() - sinceMs;
  }
  return null;
}

async function isValid(pool: Pool, zone: LocalZone, key: string): Promise<boolean> {
  const { data } = await call(pool, zone, 'keys.verifyKey', { key });
  if (typeof data['valid'] !== 'boolean') throw new Error('keys.verifyKey answered without a verdict');
  return data['valid'];
}

/** The platform answered with something other than 200; where a key is made or deleted, that ends the measurement. */
class Unanswered extends UserError {}

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
    throw new Unanswered(`${operation} was answered with ${answer.statusCode}: ${text.slice(0, 500)}`);
  }
  const revocation = answer.headers['keyhearth-revocation'];
  // Our own API's envelope; the fields that are used are checked where they are used.
  const { data } = JSON.parse(text) as { readonly data: Readonly<Record<string, unknown>> };
  return { data, revocation: typeof revocation === 'string' ? revocation : undefined };
}
