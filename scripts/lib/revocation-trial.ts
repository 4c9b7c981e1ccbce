import type { LocalZone } from '../local/local-file.ts';
import { ApiClient, Unanswered } from './api-client.ts';
import { makeKey } from './made-keys.ts';

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

/**
 * Runs `count` trials in one zone. A region that doesn't answer, or shows a key or its end too late, is left out of the trials that follow;
 * fails with `UserError` where creating and deleting keys isn't answered as it should be.
 */
export async function runTrials(options: TrialsOptions): Promise<Trials> {
  const { zone, count, signal, onProgress } = options;
  const { rootKey } = zone;
  const clientOf = (url: string): ApiClient => new ApiClient(url, { rootKey, connections: LANES });
  const zoneClient = clientOf(zone.url);
  const regionClients = new Map(
    Object.entries(zone.regions).map(([region, { url }]) => [region, clientOf(url)]),
  );
  const trials: Trial[] = [];
  const behind = new Map<string, string>();
  let started = 0;
  const lane = async (): Promise<void> => {
    while (started < count && !signal.aborted) {
      started++;
      trials.push(await runTrial(zone, zoneClient, regionClients, behind));
      onProgress?.(trials.length);
    }
  };
  try {
    await Promise.all(Array.from({ length: LANES }, lane));
    return { trials, behind };
  } finally {
    await Promise.all([zoneClient, ...regionClients.values()].map((client) => client.close()));
  }
}

async function runTrial(
  zone: LocalZone,
  zoneClient: ApiClient,
  regionClients: ReadonlyMap<string, ApiClient>,
  behind: Map<string, string>,
): Promise<Trial> {
  const { key, keyId } = await makeKey(zoneClient, zone, { name: 'revocation trial' });
  /** Asks all regions that keep up, at once; one that fails has fallen behind. */
  const inRegions = async <T>(
    ask: (client: ApiClient) => Promise<T>,
  ): Promise<[region: string, answer: T][]> => {
    const asked = [...regionClients].map(async ([region, client]): Promise<[string, T][]> => {
      if (behind.has(region)) return [];
      try {
        return [[region, await ask(client)]];
      } catch (error) {
        behind.set(region, error instanceof Unanswered ? error.message : "doesn't answer");
        return [];
      }
    });
    return (await Promise.all(asked)).flat();
  };
  for (const [region, isWarm] of await inRegions((client) => warm(client, key)))
    if (!isWarm) behind.set(region, NOT_IN_TIME);
  const askedAtMs = performance.now();
  const deleted = await zoneClient.must('keys.deleteKey', { keyId });
  const answeredAtMs = performance.now();
  const refusals = await inRegions((client) => refusal(client, key, answeredAtMs));
  for (const [region, afterMs] of refusals) if (afterMs === null) behind.set(region, NOT_IN_TIME);
  return {
    deleteAnswerMs: answeredAtMs - askedAtMs,
    isConfirmed: deleted.headers['keyhearth-revocation'] === 'confirmed',
    refusedAfterMs: Object.fromEntries(refusals),
  };
}

/** Verifies until the key is valid, and once more: that one is answered from memory. False where it isn't in time. */
async function warm(client: ApiClient, key: string): Promise<boolean> {
  const deadlineMs = performance.now() + PATIENCE_MS;
  for (let valid = 0; valid < 2;) {
    if (performance.now() > deadlineMs) return false;
    if (await isValid(client, key)) valid++;
  }
  return true;
}

async function refusal(client: ApiClient, key: string, sinceMs: number): Promise<number | null> {
  for (let asked = 0; performance.now() - sinceMs < PATIENCE_MS; asked++) {
    if (!(await isValid(client, key))) return asked === 0 ? 0 : performance.now() - sinceMs;
  }
  return null;
}

async function isValid(client: ApiClient, key: string): Promise<boolean> {
  const { data } = await client.must('keys.verifyKey', { key });
  if (typeof data['valid'] !== 'boolean') throw new Error('keys.verifyKey answered without a verdict');
  return data['valid'];
}
