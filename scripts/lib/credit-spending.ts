import { setTimeout as delay } from 'node:timers/promises';
import type { LocalZone } from '../local/local-file.ts';
import { ApiClient } from './api-client.ts';
import type { MadeKey } from './made-keys.ts';
import { type Outcome, outcomeOf } from './spend-outcome.ts';

export interface SpendingOptions {
  readonly zone: LocalZone;
  readonly keys: readonly MadeKey[];
  /** Over all tasks of all regions; each task gets at least one. */
  readonly connections: number;
  /** Verifications a second, at most. */
  readonly rate: number;
  /** Aborting ends it after the verifications that are under way. */
  readonly signal: AbortSignal;
}

/** Before the next one, where nothing came of the last: a task that is down is away for a moment. */
const RETRY_MS = 200;
const TIMEOUT_MS = 10_000;

/** Verifies keys at every task at once, and counts what was answered. Each verification asks for one credit. */
export class Spending {
  readonly outcomes: Record<Outcome, number> = {
    admitted: 0,
    exceeded: 0,
    notTaken: 0,
    unreached: 0,
    unknown: 0,
  };
  /** By key: how many of its verifications were answered as valid. */
  readonly admittedOf = new Map<string, number>();
  readonly #options: SpendingOptions;
  readonly #lanes: readonly { readonly task: string; readonly client: ApiClient }[];
  #nextAtMs = 0;

  constructor(options: SpendingOptions) {
    this.#options = options;
    const { zone, connections } = options;
    const tasks = Object.values(zone.regions).flatMap((region) => region.tasks.map(({ url }) => url));
    const lanes = Math.max(connections, tasks.length);
    this.#lanes = Array.from({ length: lanes }, (_, at) => {
      const task = tasks[at % tasks.length] ?? zone.url;
      const client = new ApiClient(task, { rootKey: zone.rootKey, connections: 1, timeoutMs: TIMEOUT_MS });
      return { task, client };
    });
  }

  /** Asks every task for every key until each has said that its credits are used up. Returns how many were admitted. */
  async exhaust(): Promise<number> {
    const before = this.outcomes.admitted;
    const pending = new Map(this.#lanes.map(({ task }) => [task, new Set(this.#options.keys)]));
    await Promise.all(
      this.#lanes.map(({ task, client }, at) => this.#drain(client, pending.get(task) ?? new Set(), at)),
    );
    return this.outcomes.admitted - before;
  }

  async #drain(client: ApiClient, pending: Set<MadeKey>, start: number): Promise<void> {
    const { signal } = this.#options;
    for (let at = start; pending.size > 0 && !signal.aborted; at += 1) {
      const key = [...pending][at % pending.size];
      if (key === undefined) return;
      await this.#turn();
      const outcome = await this.#spend(client, key);
      if (outcome === 'exceeded') pending.delete(key);
      else if (outcome !== 'admitted') await delay(RETRY_MS);
    }
  }

  /** Waits until the rate allows one more. */
  async #turn(): Promise<void> {
    const nowMs = performance.now();
    this.#nextAtMs = Math.max(this.#nextAtMs + 1_000 / this.#options.rate, nowMs);
    if (this.#nextAtMs > nowMs + 1) await delay(this.#nextAtMs - nowMs);
  }

  async #spend(client: ApiClient, { key, keyId }: MadeKey): Promise<Outcome> {
    const outcome = await client.post('keys.verifyKey', { key }).then(outcomeOf, outcomeOf);
    this.outcomes[outcome] += 1;
    if (outcome === 'admitted') this.admittedOf.set(keyId, (this.admittedOf.get(keyId) ?? 0) + 1);
    return outcome;
  }

  async close(): Promise<void> {
    await Promise.all(this.#lanes.map(({ client }) => client.close()));
  }
}
