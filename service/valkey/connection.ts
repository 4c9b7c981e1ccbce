import { setTimeout as delay } from 'node:timers/promises';
import { type Clock, CounterUnreachable } from '../verify/ports.ts';
import type { ValkeyAccess } from './access.ts';
import { ValkeyCluster, type ValkeyNode } from './cluster.ts';
import { inTime } from './in-time.ts';
import type { Log } from './types.ts';

export interface ValkeyConnectionOptions {
  readonly access: ValkeyAccess;
  readonly clock: Clock;
  readonly log: Log;
  /** From 0 to below 1. @default Math.random */
  readonly random?: () => number;
  /** Between two checks of the nodes. @default 1000 */
  readonly checkMs?: number;
}

/** How the connection is, for metrics. */
export interface ValkeyState {
  /** Primaries of the cluster, as it was last found. */
  readonly nodes: number;
  /** Those that answer; 0: every command fails. */
  readonly nodesUp: number;
}

const CHECK_MS = 1000;
const BACKOFF_MS = 100;
const BACKOFF_MAX_MS = 5000;
/**
 * ElastiCache ends connections that were let in by a token after 12 hours. Connections that get new ones at half of it have twelve tries;
 * the cluster's nodes are found anew on the way.
 */
const RENEW_MS = 6 * 3_600_000;
/** What is under way on connections that were replaced may still be answered for so long; nobody waits longer. */
const RETIRE_MS = 1500;
const LOG_INTERVAL_MS = 60_000;
const CLOSE_TIMEOUT_MS = 1000;

/**
 * The region's Valkey, as far as it can be reached. Owned by main, which starts and closes it. Connects in the background and for ever
 * again, with a growing pause; nothing ever waits for a connection. Where a node doesn't answer, a whole new set of connections is
 * made beside the present one, and replaces it where it reaches no fewer nodes: which node has which slots is so asked anew as well, at
 * the address that was given or, where that doesn't answer, at the nodes that do.
 */
export class ValkeyConnection {
  readonly #options: Required<ValkeyConnectionOptions>;
  readonly #abort = new AbortController();
  #wake = new AbortController();
  #current: ValkeyCluster | null = null;
  /** On its way to take over. */
  #next: ValkeyCluster | null = null;
  #madeAtMs = 0;
  #renewMs = RENEW_MS;
  readonly #retired = new Set<ValkeyCluster>();
  #loop: Promise<void> | null = null;
  #tries = 0;
  #toldAtMs = Number.NEGATIVE_INFINITY;
  #isTold = false;

  constructor(options: ValkeyConnectionOptions) {
    this.#options = { random: Math.random, checkMs: CHECK_MS, ...options };
  }

  /** Returns at once. */
  start(): void {
    this.#loop ??= this.#run();
  }

  get state(): ValkeyState {
    return { nodes: this.#current?.nodes ?? 0, nodesUp: this.#current?.nodesUp ?? 0 };
  }

  /** How often connections to the whole cluster were begun. */
  get tries(): number {
    return this.#tries;
  }

  /**
   * Sends a command to the node that has the key with that tag. Fails at once, with `CounterUnreachable`, where it isn't connected. Not bounded in time: who asks
   * waits as long as it wants to.
   */
  send(tag: string, key: string, args: readonly string[]): Promise<unknown> {
    if (this.#current === null) return Promise.reject(new CounterUnreachable('not connected to Valkey'));
    return this.#current.send(tag, key, args);
  }

  /** The address of the node that has the key with that tag; empty: not known. */
  nodeOf(tag: string): string {
    return this.#current?.nodeOf(tag) ?? '';
  }

  /** Ends everything within a second. */
  async close(): Promise<void> {
    this.#abort.abort();
    this.#wake.abort();
    for (const cluster of [this.#current, this.#next, ...this.#retired]) cluster?.destroy();
    this.#current = null;
    this.#retired.clear();
    await inTime(CLOSE_TIMEOUT_MS, this.#loop ?? Promise.resolve()).catch(() => {});
  }

  async #run(): Promise<void> {
    const { signal } = this.#abort;
    const { checkMs, random } = this.#options;
    let failures = 0;
    while (!signal.aborted) {
      this.#wake = new AbortController();
      await this.#current?.check();
      if (this.#needsNew()) await this.#renew();
      if (signal.aborted) break;
      const isWhole = this.#current !== null && this.#current.nodesUp === this.#current.nodes;
      failures = isWhole ? 0 : failures + 1;
      if (isWhole) await this.#pause(checkMs);
      else {
        // Half of it by chance: all tasks of a region lose the same node in the same moment.
        const pauseMs = Math.min(BACKOFF_MAX_MS, BACKOFF_MS * 2 ** Math.min(failures, 10));
        await this.#pause(pauseMs * (0.5 + random() / 2), false);
      }
    }
  }

  #needsNew(): boolean {
    const current = this.#current;
    if (current === null || current.nodesUp < current.nodes) return true;
    return this.#options.clock.monotonicMs() - this.#madeAtMs >= this.#renewMs;
  }

  /** Never fails. */
  async #renew(): Promise<void> {
    const { clock, random } = this.#options;
    this.#tries += 1;
    const madeAtMs = clock.monotonicMs();
    const before = this.#current;
    const next = await this.#connected(before?.living ?? []);
    if (next === null) return;
    if (this.#abort.signal.aborted || (before !== null && before.nodesUp > next.nodesUp)) {
      next.destroy();
      return;
    }
    this.#current = next;
    this.#madeAtMs = madeAtMs;
    this.#renewMs = RENEW_MS * (0.9 + random() / 10);
    this.#tell(next, next.lastError);
    if (before !== null) this.#retire(before);
  }

  /** Found at the address that was given, or else at one of these nodes; null: nobody answered, which was told. */
  async #connected(others: readonly ValkeyNode[]): Promise<ValkeyCluster | null> {
    let reason: unknown = null;
    for (const roots of others.length === 0 ? [[]] : [[], others]) {
      if (this.#abort.signal.aborted) return null;
      const next = new ValkeyCluster(this.#options.access, () => this.#wake.abort(), roots);
      this.#next = next;
      try {
        await next.connect();
        return next;
      } catch (error) {
        next.destroy();
        reason = error;
      } finally {
        this.#next = null;
      }
    }
    this.#tell(this.#current, reason);
    return null;
  }

  #retire(cluster: ValkeyCluster): void {
    this.#retired.add(cluster);
    setTimeout(() => {
      this.#retired.delete(cluster);
      cluster.destroy();
    }, RETIRE_MS).unref();
  }

  /** A change at once, trouble that lasts once a minute. Only the reason's text is logged: the objects hold what was sent. */
  #tell(cluster: ValkeyCluster | null, reason: unknown): void {
    if (this.#abort.signal.aborted) return;
    const { clock, log } = this.#options;
    const { nodes, nodesUp } = cluster ?? { nodes: 0, nodesUp: 0 };
    const isWhole = cluster !== null && nodesUp === nodes;
    if (isWhole) {
      if (!this.#isTold) log.info({ nodes }, 'connected to Valkey');
      this.#isTold = true;
      this.#toldAtMs = Number.NEGATIVE_INFINITY;
      return;
    }
    this.#isTold = false;
    const nowMs = clock.monotonicMs();
    if (nowMs - this.#toldAtMs < LOG_INTERVAL_MS) return;
    this.#toldAtMs = nowMs;
    const text = reason instanceof Error ? reason.message : String(reason);
    log.warn(
      { nodes, nodesUp, reason: text },
      'Valkey does not answer: this task counts rate limits by itself until it does',
    );
  }

  /** A connection that breaks ends the pause, where it may. */
  async #pause(ms: number, mayWake = true): Promise<void> {
    const signal = mayWake ? AbortSignal.any([this.#abort.signal, this.#wake.signal]) : this.#abort.signal;
    await delay(ms, undefined, { signal, ref: false }).catch(() => {});
  }
}
