import { setTimeout as delay } from 'node:timers/promises';
import type { LocalZone } from '../local/local-file.ts';
import { ApiClient } from './api-client.ts';
import { samplesOf } from './metrics-text.ts';

const INTERVAL_MS = 500;
const METRIC = 'keyhearth_credit_spends_total';

/**
 * How tasks spent credits, by their own counters: looked at again and again, for a task that is killed takes its counters with it. What it
 * counted after the last look is missing.
 */
export class SpendCounters {
  readonly #clients: readonly ApiClient[];
  readonly #last = new Map<string, number>();
  readonly #total = new Map<string, number>();
  readonly #end = new AbortController();
  #looking: Promise<void> = Promise.resolve();

  constructor({ regions, rootKey }: LocalZone) {
    const tasks = Object.values(regions).flatMap((region) => region.tasks);
    this.#clients = tasks.map(({ url }) => new ApiClient(url, { rootKey, connections: 1, timeoutMs: 2_000 }));
  }

  /** What was counted until now isn't ours. */
  async start(): Promise<void> {
    await this.#look();
    this.#total.clear();
    this.#looking = this.#lookAgain();
  }

  /** Credits' spends by outcome, since `start`. */
  async stop(): Promise<Readonly<Record<string, number>>> {
    if (!this.#end.signal.aborted) {
      this.#end.abort();
      await this.#looking;
      await this.#look();
      await Promise.all(this.#clients.map((client) => client.close()));
    }
    return Object.fromEntries(this.#total);
  }

  async #lookAgain(): Promise<void> {
    const { signal } = this.#end;
    while (!signal.aborted) {
      await this.#look();
      await delay(INTERVAL_MS, undefined, { signal }).catch(() => undefined);
    }
  }

  async #look(): Promise<void> {
    await Promise.all(
      this.#clients.map(async (client) => {
        for (const { labels, value } of samplesOf((await client.get('/metrics')) ?? '', METRIC)) {
          const outcome = labels['outcome'] ?? '';
          const name = `${client.url} ${outcome}`;
          const before = this.#last.get(name) ?? 0;
          // Less than before: another task is there now, and began at 0.
          const more = value < before ? value : value - before;
          this.#last.set(name, value);
          this.#total.set(outcome, (this.#total.get(outcome) ?? 0) + more);
        }
      }),
    );
  }
}

/** The share of spends that asked nobody, from 0 to 1; null where none was counted. */
export function localShare(outcomes: Readonly<Record<string, number>>): number | null {
  const spent = Object.entries(outcomes).filter(([outcome]) => outcome.startsWith('spent'));
  const all = spent.reduce((sum, [, count]) => sum + count, 0);
  return all === 0 ? null : (outcomes['spentLocally'] ?? 0) / all;
}
