import { setTimeout as delay } from 'node:timers/promises';
import type { LocalRegion, LocalZone } from '../local/local-file.ts';
import { ApiClient } from './api-client.ts';
import { deleteKeys, makeKey } from './made-keys.ts';
import { type Sample, samplesOf } from './metrics-text.ts';
import { type Summary, summarize } from './percentiles.ts';
import { overshootBound } from './ratelimit-bound.ts';
import { UserError } from './user-error.ts';
import { waitFor } from './wait.ts';

export interface RateLimitTrialOptions {
  readonly zone: LocalZone;
  readonly region: LocalRegion;
  /** `exact`: the shared counter decides each; `shared`: each task decides, and they tell each other. */
  readonly kind: 'shared' | 'exact';
  readonly limit: number;
  readonly durationMs: number;
  /** How many units are asked for each that is allowed. */
  readonly times: number;
  readonly seconds: number;
  /** Aborting ends the asking; what was asked counts. */
  readonly signal: AbortSignal;
  /** After each second: how many. */
  readonly onProgress?: (seconds: number) => void;
}

/** What came of asking for more than a limit allows. */
export interface RateLimitTrial {
  readonly kind: 'shared' | 'exact';
  readonly tasks: number;
  readonly limit: number;
  readonly durationMs: number;
  readonly asked: number;
  readonly admitted: number;
  /** The limit, for every window in which something was asked. */
  readonly allowed: number;
  readonly windows: readonly { readonly resetMs: number; readonly admitted: number }[];
  /** Units above the limit in the window that had most. */
  readonly overshoot: number;
  readonly bound: number;
  /** The longest exchange between a task and the shared counters, ms; null where there are none. */
  readonly exchangeMs: number | null;
  /** Exchanges without an answer: where there were any, the tasks counted alone for a while, and may let through as much as that. */
  readonly failedExchanges: number;
  /** The tasks don't say how long exchanges took. */
  readonly isExchangeAssumed: boolean;
  readonly held: boolean;
  /** Verifications without a verdict. */
  readonly unanswered: number;
  /** Not sent, because too many were under way. */
  readonly heldBack: number;
  readonly answerMs: Summary;
}

const ASSUMED_EXCHANGE_MS = 100;
const CONNECTIONS = 32;
const UNDER_WAY_MAX = 512;
const LIMIT_NAME = 'measured';
/** Tasks tell the longest exchange of the last 30 s at least. */
const LOOK_EVERY_S = 10;
/** One machine runs the platform and the load. */
const PER_SECOND_MAX = 5_000;

/** Makes a key with a limit that applies to each verification, asks every task of a region alike, and deletes the key. */
export async function runRateLimitTrial(options: RateLimitTrialOptions): Promise<RateLimitTrial> {
  const { zone, region, kind, limit, durationMs } = options;
  const clientOf = (url: string, connections: number): ApiClient =>
    new ApiClient(url, { rootKey: zone.rootKey, connections, timeoutMs: 5_000 });
  const zoneClient = clientOf(zone.url, 1);
  const tasks = region.tasks.map(({ url }) => clientOf(url, CONNECTIONS));
  try {
    const exact = kind === 'exact' ? { exact: true, onUnavailable: 'deny' } : {};
    const rule = { name: LIMIT_NAME, limit, duration: durationMs, autoApply: true, ...exact };
    const made = await makeKey(zoneClient, zone, { name: 'rate limit trial', ratelimits: [rule] });
    try {
      const asking = new Asking(tasks, made.key);
      await asking.warm();
      const exchanges = new Exchanges(tasks);
      await exchanges.start();
      const onProgress = (seconds: number): void => {
        if (seconds % LOOK_EVERY_S === 0) void exchanges.look();
        options.onProgress?.(seconds);
      };
      await asking.run({ ...options, onProgress });
      await exchanges.look();
      return asking.result(options, exchanges, region.valkey !== null && region.valkey.pid !== null);
    } finally {
      await deleteKeys(zoneClient, [made]);
    }
  } finally {
    await Promise.all([zoneClient, ...tasks].map((client) => client.close()));
  }
}

/** Verifications a second; fails with `UserError` where it would be more than one machine should get. */
export function rateOf({
  limit,
  durationMs,
  times,
}: Pick<RateLimitTrialOptions, 'limit' | 'durationMs' | 'times'>): number {
  const rate = (limit * times * 1_000) / durationMs;
  if (rate > PER_SECOND_MAX) {
    throw new UserError(
      `That is ${Math.round(rate)} verifications a second, and at most ${PER_SECOND_MAX} are asked: lower --limit or --times, or raise --duration.`,
    );
  }
  return rate;
}

/** The verifications of one trial, and what was answered. */
class Asking {
  readonly #tasks: readonly ApiClient[];
  readonly #key: string;
  readonly #windows = new Map<number, number>();
  readonly #momentsMs: { asked: number[]; answered: number[] } = { asked: [], answered: [] };
  readonly #answerMs: number[] = [];
  readonly #underWay = new Set<Promise<void>>();
  #unanswered = 0;
  #heldBack = 0;

  constructor(tasks: readonly ApiClient[], key: string) {
    this.#tasks = tasks;
    this.#key = key;
  }

  /** Until every task knows the key. What that takes of the limit counts like everything else. */
  async warm(): Promise<void> {
    for (const task of this.#tasks) {
      await waitFor(async () => await this.#ask(task), {
        what: `${task.url} to know a key`,
        timeoutMs: 10_000,
      });
    }
    this.#unanswered = 0;
  }

  /** Asks at a fixed rate, whether or not answers come. */
  async run({ limit, durationMs, times, seconds, signal, onProgress }: RateLimitTrialOptions): Promise<void> {
    const rate = rateOf({ limit, durationMs, times });
    const beganMs = performance.now();
    let shownS = 0;
    for (let sent = 0; !signal.aborted;) {
      const passedMs = Math.min(performance.now() - beganMs, seconds * 1_000);
      for (const due = Math.floor((passedMs * rate) / 1_000); sent < due; sent += 1) this.#send(sent);
      if (passedMs >= seconds * 1_000) break;
      if (Math.floor(passedMs / 1_000) > shownS) {
        shownS = Math.floor(passedMs / 1_000);
        onProgress?.(shownS);
      }
      await delay(2);
    }
    await Promise.all(this.#underWay);
  }

  #send(number: number): void {
    const task = this.#tasks[number % this.#tasks.length];
    if (task === undefined) throw new Error('a region without tasks');
    if (this.#underWay.size >= UNDER_WAY_MAX) {
      this.#heldBack += 1;
      return;
    }
    const asked = this.#ask(task).then(() => void this.#underWay.delete(asked));
    this.#underWay.add(asked);
  }

  /** False where there was no verdict. */
  async #ask(task: ApiClient): Promise<boolean> {
    const askedAtMs = performance.now();
    this.#momentsMs.asked.push(askedAtMs);
    const answer = await task.post('keys.verifyKey', { key: this.#key }).catch(() => undefined);
    const answeredAtMs = performance.now();
    this.#momentsMs.answered.push(answeredAtMs);
    const resetMs = resetOf(answer?.data);
    if (resetMs === undefined) {
      this.#unanswered += 1;
      return false;
    }
    this.#answerMs.push(answeredAtMs - askedAtMs);
    const admitted = answer?.data['valid'] === true ? 1 : 0;
    this.#windows.set(resetMs, (this.#windows.get(resetMs) ?? 0) + admitted);
    return true;
  }

  result(
    { kind, limit, durationMs }: RateLimitTrialOptions,
    { longestMs, failed }: Exchanges,
    hasCounters: boolean,
  ): RateLimitTrial {
    const exchangeMs = hasCounters ? (longestMs ?? ASSUMED_EXCHANGE_MS) : null;
    const isShared = hasCounters && failed === 0;
    const tasks = this.#tasks.length;
    // Answers that were held up came at once, as did then what they answered: the worse of the two is taken.
    const bounds = Object.values(this.#momentsMs).map((askedAtMs) =>
      overshootBound({ tasks, limit, askedAtMs, exchangeMs: isShared ? exchangeMs : null }),
    );
    const bound = kind === 'exact' && hasCounters ? 0 : Math.max(...bounds);
    const windows = [...this.#windows]
      .toSorted(([one], [other]) => one - other)
      .map(([resetMs, admitted]) => ({ resetMs, admitted }));
    const overshoot = Math.max(0, ...windows.map(({ admitted }) => admitted - limit));
    return {
      kind,
      tasks,
      limit,
      durationMs,
      asked: this.#momentsMs.asked.length,
      admitted: windows.reduce((sum, { admitted }) => sum + admitted, 0),
      allowed: limit * windows.length,
      windows,
      overshoot,
      bound,
      exchangeMs,
      failedExchanges: failed,
      isExchangeAssumed: hasCounters && longestMs === undefined,
      held: overshoot <= bound,
      unanswered: this.#unanswered,
      heldBack: this.#heldBack,
      answerMs: summarize(this.#answerMs),
    };
  }
}

/** What tasks tell of their exchanges, looked at again and again, for they forget what is long past. */
class Exchanges {
  /** Of the run and of the minute before it at most; undefined: the tasks don't tell. */
  longestMs: number | undefined;
  /** Since `start`. */
  failed = 0;
  readonly #tasks: readonly ApiClient[];
  #failedBefore = 0;

  constructor(tasks: readonly ApiClient[]) {
    this.#tasks = tasks;
  }

  async start(): Promise<void> {
    this.#failedBefore = (await this.#told()).failed;
  }

  async look(): Promise<void> {
    const { failed, maxima } = await this.#told();
    this.failed = Math.max(0, failed - this.#failedBefore);
    if (maxima.length > 0) this.longestMs = Math.max(this.longestMs ?? 0, ...maxima);
  }

  async #told(): Promise<{ readonly failed: number; readonly maxima: readonly number[] }> {
    const texts = await Promise.all(this.#tasks.map((task) => task.get('/metrics')));
    const samples = (name: string): readonly Sample[] => texts.flatMap((text) => samplesOf(text ?? '', name));
    return {
      failed: samples('keyhearth_rate_limit_exchanges_total')
        .filter(({ labels }) => labels['outcome'] === 'failed')
        .reduce((sum, { value }) => sum + value, 0),
      maxima: samples('keyhearth_rate_limit_exchange_max_ms').map(({ value }) => value),
    };
  }
}

/** When the window ends of which the answer tells; undefined where it tells of none: no verdict, or the key isn't known yet. */
function resetOf(data: Readonly<Record<string, unknown>> | undefined): number | undefined {
  const list = data?.['ratelimits'];
  if (!Array.isArray(list)) return undefined;
  const [first]: readonly unknown[] = list;
  if (typeof first !== 'object' || first === null || !('reset' in first)) return undefined;
  return typeof first.reset === 'number' ? first.reset : undefined;
}
