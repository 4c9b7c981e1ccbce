import type { Peers } from '../peers/types.ts';
import { backoff, pause, within } from './loop.ts';
import type { Log } from './ports.ts';
import type { HomeLocator, JoinFloor, TaskReport, TaskStatus } from './types.ts';

export interface TaskReporterOptions {
  readonly taskId: string;
  /**
   * Where the task stands; null: nothing yet. Its epoch is the one in which everything that is held was verified: after an
   * epoch's end a task goes on reporting the former one until it has read all again.
   */
  readonly position: () => TaskReport | null;
  readonly home: HomeLocator;
  /** Used while home is here. */
  readonly status: TaskStatus;
  /** Used while it is elsewhere. */
  readonly peers: Pick<Peers, 'register' | 'report' | 'stopped'>;
  readonly log: Log;
  /** @default 1000 */
  readonly intervalMs?: number;
  /** At least so long between two reports, however often the feed brings rows. @default 10 */
  readonly gapMs?: number;
}

export interface TaskReporterCounters {
  reports: number;
  failures: number;
}

const SEND_TIMEOUT_MS = 2000;
const BACKOFF_MAX_MS = 2000;

/**
 * Tells home how far this task has applied the feed: regularly, and at once after `kick`. Owned by main, which calls `kick` when
 * the feed applied rows. `stop` says that the task has stopped, so that nobody waits for it.
 */
export class TaskReporter {
  readonly counters: TaskReporterCounters = { reports: 0, failures: 0 };
  readonly #options: TaskReporterOptions;
  readonly #intervalMs: number;
  readonly #gapMs: number;
  readonly #abort = new AbortController();
  #kicked = false;
  #wake = new AbortController();
  #loop: Promise<void> | null = null;

  constructor(options: TaskReporterOptions) {
    this.#options = options;
    this.#intervalMs = options.intervalMs ?? 1000;
    this.#gapMs = options.gapMs ?? 10;
  }

  start(): void {
    this.#loop ??= this.#run();
  }

  /** Reports soon instead of at the next regular time. */
  kick(): void {
    this.#kicked = true;
    this.#wake.abort();
  }

  /** Reports once, now. Fails as home does; false where there was nothing to report or no home to report to. */
  async report(): Promise<boolean> {
    const { position, home, status, peers } = this.#options;
    const report = position();
    const where = home.current();
    if (report === null || where.at === 'unknown') return false;
    if (where.at === 'here') await within(SEND_TIMEOUT_MS, 'the report', status.report(report));
    else await peers.report(where.region, report, AbortSignal.timeout(SEND_TIMEOUT_MS));
    this.counters.reports += 1;
    return true;
  }

  /**
   * The first report, before this task serves. Returns what it must have applied by then; null where there was nothing to report or
   * no home to report to. Fails as home does.
   */
  async register(): Promise<JoinFloor | null> {
    const { position, home, status, peers } = this.#options;
    const report = position();
    const where = home.current();
    if (report === null || where.at === 'unknown') return null;
    const signal = AbortSignal.timeout(SEND_TIMEOUT_MS);
    const told = where.at === 'here' ? status.register(report) : peers.register(where.region, report, signal);
    const floor = await within(SEND_TIMEOUT_MS, 'the first report', told);
    this.counters.reports += 1;
    return floor;
  }

  /** Ends the loop and tells home, which is tried once and bounded: a home that can't be told will call the task silent. */
  async stop(): Promise<void> {
    this.#abort.abort();
    this.#wake.abort();
    await this.#loop;
    const { taskId, home, status, peers, log } = this.#options;
    const where = home.current();
    if (where.at === 'unknown') return;
    try {
      const told = where.at === 'here' ? status.stopped(taskId) : peers.stopped(where.region, taskId);
      await within(SEND_TIMEOUT_MS, 'the last report', told);
    } catch (error) {
      log.warn({ err: error }, 'home could not be told that this task stops');
    }
  }

  async #run(): Promise<void> {
    const { signal } = this.#abort;
    let failures = 0;
    while (!signal.aborted) {
      this.#kicked = false;
      this.#wake = new AbortController();
      try {
        await this.report();
        failures = 0;
      } catch (error) {
        failures += 1;
        this.counters.failures += 1;
        this.#options.log.warn({ err: error }, 'home could not be told how far this task is');
      }
      if (failures > 0) {
        await pause(backoff(this.#intervalMs / 2, failures, BACKOFF_MAX_MS), signal);
        continue;
      }
      await pause(this.#gapMs, signal);
      if (!this.#kicked) await pause(this.#intervalMs, AbortSignal.any([signal, this.#wake.signal]));
    }
  }
}
