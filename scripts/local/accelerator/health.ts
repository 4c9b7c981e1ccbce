import { request } from 'node:http';

export interface HealthOptions {
  /** Path of a GET that answers 2xx while its task may be sent connections. */
  readonly path: string;
  /** Pause between two checks of the same target. */
  readonly intervalMs: number;
  /** So many failed checks in a row make a target unhealthy; one good one makes it healthy again. */
  readonly misses: number;
  /** A check without an answer after so long has failed. @default 1000 */
  readonly timeoutMs?: number;
}

export interface HealthTarget {
  readonly name: string;
  readonly host: string;
  readonly port: number;
}

export interface HealthChecksOptions {
  readonly targets: readonly HealthTarget[];
  readonly health: HealthOptions;
  readonly onChange: (name: string, isHealthy: boolean) => void;
}

const DEFAULT_TIMEOUT_MS = 1000;

/**
 * Checks each target over and over on connections of its own. A target counts as unhealthy until its first good check. Owned by
 * whoever made it: `start` resolves after one check of each, `stop` ends them all.
 */
export class HealthChecks {
  readonly #options: HealthChecksOptions;
  readonly #healthy = new Set<string>();
  readonly #missed = new Map<string, number>();
  readonly #probes = new Set<AbortController>();
  #isStopped = false;
  readonly #timers = new Set<NodeJS.Timeout>();

  constructor(options: HealthChecksOptions) {
    this.#options = options;
  }

  async start(): Promise<void> {
    await Promise.all(this.#options.targets.map((target) => this.#check(target)));
  }

  stop(): void {
    this.#isStopped = true;
    for (const running of this.#probes) running.abort();
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
  }

  isHealthy(name: string): boolean {
    return this.#healthy.has(name);
  }

  async #check(target: HealthTarget): Promise<void> {
    const { path, timeoutMs = DEFAULT_TIMEOUT_MS, intervalMs } = this.#options.health;
    const running = new AbortController();
    this.#probes.add(running);
    const tooLate = setTimeout(() => running.abort(), timeoutMs);
    const isGood = await probe(target, path, running.signal);
    clearTimeout(tooLate);
    this.#probes.delete(running);
    if (this.#isStopped) return;
    this.#note(target.name, isGood);
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      // `#check` never rejects: a failed probe is its result.
      void this.#check(target);
    }, intervalMs);
    this.#timers.add(timer);
  }

  #note(name: string, isGood: boolean): void {
    const missed = isGood ? 0 : (this.#missed.get(name) ?? 0) + 1;
    this.#missed.set(name, missed);
    const wasHealthy = this.#healthy.has(name);
    if (isGood && !wasHealthy) {
      this.#healthy.add(name);
      this.#options.onChange(name, true);
    } else if (wasHealthy && missed >= this.#options.health.misses) {
      this.#healthy.delete(name);
      this.#options.onChange(name, false);
    }
  }
}

/** One GET; true for 2xx. Any failure, and an answer that comes too late, is false. */
function probe(target: HealthTarget, path: string, signal: AbortSignal): Promise<boolean> {
  return new Promise((resolve) => {
    const { host, port } = target;
    const check = request(
      { host, port, path, agent: false, signal, headers: { connection: 'close' } },
      (answer) => {
        const status = answer.statusCode ?? 0;
        answer.on('error', () => resolve(false));
        answer.on('end', () => resolve(status >= 200 && status < 300));
        answer.resume();
      },
    );
    check.on('error', () => resolve(false));
    check.end();
  });
}
