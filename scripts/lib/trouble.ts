import { setTimeout as delay } from 'node:timers/promises';
import { control } from '../local/control-client.ts';
import type { RegionStatus } from '../local/zone-platform.ts';
import { endProcesses, identify } from './processes.ts';
import { waitFor } from './wait.ts';

export interface TroubleOptions {
  /** Where the platform's control is. */
  readonly controlFile: string;
  readonly zone: string;
  /** Kill tasks at random. The platform starts them again. */
  readonly kill: boolean;
  /** Pause the replication of regions at random. */
  readonly pause: boolean;
}

const KILL_PAUSE_MS = { least: 800, most: 2_000 } as const;
const CALM_MS = { least: 500, most: 1_500 } as const;
const PAUSED_MS = { least: 1_000, most: 3_000 } as const;
const REPAIR_TIMEOUT_MS = 60_000;

/** Breaks the running platform, a little at a time, until it is told to stop, and leaves it whole. */
export class Trouble {
  kills = 0;
  pauses = 0;
  readonly #options: TroubleOptions;
  readonly #end = new AbortController();
  #running: Promise<readonly PromiseSettledResult<unknown>[]> = Promise.resolve([]);

  constructor(options: TroubleOptions) {
    this.#options = options;
  }

  start(): void {
    const { kill, pause } = this.#options;
    // What fails is told by `stop`; until then nobody listens.
    this.#running = Promise.allSettled([kill && this.#killTasks(), pause && this.#pauseReplication()]);
  }

  /** Returns once everything runs again. Fails where it doesn't, and with what failed meanwhile. */
  async stop(): Promise<void> {
    this.#end.abort();
    const results = await this.#running;
    await waitFor(async () => (await this.#status()).every(isWhole), {
      what: 'every task to be ready again',
      timeoutMs: REPAIR_TIMEOUT_MS,
      intervalMs: 200,
    });
    for (const result of results) if (result.status === 'rejected') throw result.reason;
  }

  async #killTasks(): Promise<void> {
    while (await this.#wait(KILL_PAUSE_MS)) {
      const running = (await this.#status()).flatMap(({ tasks }) =>
        tasks.flatMap(({ pid, ready }) => (pid !== null && ready ? [pid] : [])),
      );
      const victim = identify(oneOf(running) ?? -1);
      if (victim === undefined) continue;
      await endProcesses([victim], 'SIGKILL', 5_000);
      this.kills += 1;
    }
  }

  async #pauseReplication(): Promise<void> {
    const { controlFile, zone } = this.#options;
    while (await this.#wait(CALM_MS)) {
      const region = oneOf((await this.#status()).filter(({ role }) => role === 'replica'))?.region;
      if (region === undefined) return;
      await control(controlFile, { name: 'pause-replication', region, zone });
      this.pauses += 1;
      await this.#wait(PAUSED_MS);
      await control(controlFile, { name: 'resume-replication', region, zone });
    }
  }

  async #status(): Promise<readonly RegionStatus[]> {
    const { controlFile, zone } = this.#options;
    return (await control(controlFile, { name: 'status', zone })).regions ?? [];
  }

  /** For a random time; false where it is over. */
  async #wait({ least, most }: { readonly least: number; readonly most: number }): Promise<boolean> {
    const { signal } = this.#end;
    await delay(least + Math.random() * (most - least), undefined, { signal }).catch(() => undefined);
    return !signal.aborted;
  }
}

function oneOf<T>(list: readonly T[]): T | undefined {
  return list[Math.floor(Math.random() * list.length)];
}

function isWhole({ tasks, postgres }: RegionStatus): boolean {
  return tasks.every(({ ready }) => ready) && !postgres.replayPaused;
}
