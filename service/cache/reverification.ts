import { setTimeout as delay } from 'node:timers/promises';
import type { KeyHash } from '../domain/brands.ts';
import type { HotCache } from './hot-cache.ts';

export interface ReverificationOptions {
  readonly cache: HotCache;
  /** Records asked for at a time. */
  readonly chunk: number;
  readonly log: {
    info(fields: object, message: string): void;
    warn(fields: object, message: string): void;
  };
}

const BACKOFF_MS = 1000;

/**
 * After another region became home: reads every held record again, the most recently used first, a bounded number at a time.
 * Owned by main; a further change of home while it runs is picked up by the same run.
 */
export class Reverification {
  readonly counters = { runs: 0, records: 0, failures: 0 };
  readonly #options: ReverificationOptions;
  readonly #abort = new AbortController();
  #running: Promise<void> | null = null;
  /** Home changed since the run last looked at what there is to read. */
  #again = false;

  constructor(options: ReverificationOptions) {
    this.#options = options;
  }

  /** Call when the epoch changed. */
  begin(): void {
    this.#again = true;
    this.#running ??= this.#run().finally(() => (this.#running = null));
  }

  get running(): boolean {
    return this.#running !== null;
  }

  async stop(): Promise<void> {
    this.#abort.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { cache, log } = this.#options;
    this.counters.runs += 1;
    const beganAtMs = performance.now();
    let count = 0;
    while (this.#again && !this.#abort.signal.aborted) {
      this.#again = false;
      for (let hashes = cache.unverified(); hashes.length > 0; hashes = cache.unverified()) {
        count = Math.max(count, hashes.length);
        await this.#pass(hashes);
        if (this.#abort.signal.aborted) return;
      }
    }
    const tookMs = Math.round(performance.now() - beganAtMs);
    if (count > 0) log.info({ records: count, tookMs }, 'every record was read again');
  }

  /** Once through; ends at the first failure, after a pause, so that the next pass begins with the most recently used again. */
  async #pass(hashes: readonly KeyHash[]): Promise<void> {
    const { cache, chunk, log } = this.#options;
    const { signal } = this.#abort;
    for (let at = 0; at < hashes.length && !signal.aborted; at += chunk) {
      const part = hashes.slice(at, at + chunk);
      const beganAtMs = performance.now();
      const results = await Promise.allSettled(part.map(async (hash) => await cache.loader.load(hash)));
      const failure = results.find((result) => result.status === 'rejected');
      this.counters.records += part.length;
      if (failure !== undefined) {
        this.counters.failures += 1;
        log.warn({ err: failure.reason }, 'records could not be read again; trying once more');
        await pause(BACKOFF_MS, signal);
        return;
      }
      // As long a pause as the work took: verifications go on meanwhile, and each of them may have waited for this chunk.
      await pause(performance.now() - beganAtMs, signal);
    }
  }
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  // Ends early when the task stops; the caller looks at the signal itself.
  await delay(ms, undefined, { signal }).catch(() => {});
}
