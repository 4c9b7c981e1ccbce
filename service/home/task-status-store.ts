import { formatRevision, type Epoch, type Revision } from '../domain/revision.ts';
import { Problem } from '../domain/problem.ts';
import type { Database } from './ports.ts';
import { isEnough, regionState, type KnownTask } from './region-progress.ts';
import { hasRevision, isOfEndedEpoch, readTasks, writeReport, writeStopped } from './task-rows.ts';
import type { RegionProgress, TaskReport, TaskStatus } from './types.ts';

export interface TaskStatusStoreOptions {
  readonly database: Database;
  /** The epoch in which this task is at home; null: it isn't, and every call is refused with `no_home`. */
  readonly epoch: () => Epoch | null;
  readonly ownRegion: string;
  /** All regions of the zone. */
  readonly regions: readonly string[];
  /** Monotonic ms. */
  readonly monotonicMs: () => number;
  /** A task that hasn't reported for so long is silent. @default 3000 */
  readonly silentAfterMs?: number;
  /** How often whoever waits looks for reports that other tasks of this region took. @default 25 */
  readonly pollMs?: number;
}

export interface TaskStatusCounters {
  reports: number;
  waits: number;
  timedOutWaits: number;
}

/** When this task first heard of a revision, and when it saw each region apply it. */
interface Trace {
  readonly sinceMs: number;
  readonly appliedAfterMs: Map<string, number>;
}

const TRACES_MAX = 2000;

/** `TaskStatus` in the home's database, where every task of the home region finds what the others were told. */
export class TaskStatusStore implements TaskStatus {
  readonly counters: TaskStatusCounters = { reports: 0, waits: 0, timedOutWaits: 0 };
  readonly #options: TaskStatusStoreOptions;
  readonly #silentAfterMs: number;
  readonly #pollMs: number;
  readonly #traces = new Map<string, Trace>();
  readonly #waiters = new Set<() => void>();
  #reading: Promise<readonly KnownTask[]> | null = null;

  constructor(options: TaskStatusStoreOptions) {
    this.#options = options;
    this.#silentAfterMs = options.silentAfterMs ?? 3000;
    this.#pollMs = options.pollMs ?? 25;
  }

  async report(report: TaskReport): Promise<void> {
    this.#requireHome();
    await writeReport(this.#options.database, report);
    this.counters.reports += 1;
    this.#wakeAll();
  }

  async stopped(taskId: string): Promise<void> {
    this.#requireHome();
    await writeStopped(this.#options.database, taskId);
    this.#wakeAll();
  }

  async progress(revision: Revision): Promise<readonly RegionProgress[]> {
    const present = this.#requireHome();
    const trace = this.#trace(revision);
    const { database, regions } = this.#options;
    const survived = isOfEndedEpoch(revision, present) && (await hasRevision(database, revision));
    const tasks = await this.#readTasks();
    const afterMs = this.#options.monotonicMs() - trace.sinceMs;
    return regions.map((region): RegionProgress => {
      const ofRegion = tasks.filter((task) => task.report.region === region);
      const found = regionState(ofRegion, { revision, survived, knownForMs: afterMs }, this.#silentAfterMs);
      if (found.state === 'unknown') return { region, ...found };
      if (found.state === 'pending') return { region, state: 'pending' };
      const appliedAfterMs = trace.appliedAfterMs.get(region) ?? afterMs;
      trace.appliedAfterMs.set(region, appliedAfterMs);
      return { region, state: 'applied', afterMs: Math.round(appliedAfterMs) };
    });
  }

  async wait(
    revision: Revision,
    until: 'all' | 'another',
    timeoutMs: number,
  ): Promise<readonly RegionProgress[]> {
    const { monotonicMs, ownRegion } = this.#options;
    this.counters.waits += 1;
    this.#trace(revision);
    const deadline = monotonicMs() + timeoutMs;
    for (;;) {
      // A report that comes while we read wakes us too: what we read may be from before it.
      const woken = this.#nextWake();
      const progress = await this.#tryProgress(revision);
      const remainingMs = deadline - monotonicMs();
      if (isEnough(progress, until, ownRegion) || remainingMs <= 0) {
        woken.cancel();
        if (remainingMs <= 0) this.counters.timedOutWaits += 1;
        return progress;
      }
      await woken.orAfter(Math.min(this.#pollMs, remainingMs));
    }
  }

  /** A wait outlives a moment without the database: that a write was applied doesn't depend on our seeing it. */
  async #tryProgress(revision: Revision): Promise<readonly RegionProgress[]> {
    try {
      return await this.progress(revision);
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      const reason = 'the home database does not answer';
      return this.#options.regions.map((region) => ({ region, state: 'unknown', reason }));
    }
  }

  /** All who ask while a read waits to be sent share it; one that is under way may be older than what they ask for. */
  async #readTasks(): Promise<readonly KnownTask[]> {
    this.#reading ??= Promise.resolve().then(async () => {
      this.#reading = null;
      return await readTasks(this.#options.database);
    });
    return await this.#reading;
  }

  #trace(revision: Revision): Trace {
    const key = formatRevision(revision);
    const known = this.#traces.get(key);
    if (known !== undefined) return known;
    const trace: Trace = { sinceMs: this.#options.monotonicMs(), appliedAfterMs: new Map() };
    this.#traces.set(key, trace);
    const [oldest] = this.#traces.keys();
    if (this.#traces.size > TRACES_MAX && oldest !== undefined) this.#traces.delete(oldest);
    return trace;
  }

  #requireHome(): Epoch {
    const epoch = this.#options.epoch();
    if (epoch === null) {
      throw new Problem('no_home', 'This region is not the home of the zone.', { retryAfterS: 1 });
    }
    return epoch;
  }

  #wakeAll(): void {
    for (const wake of this.#waiters) wake();
  }

  #nextWake(): { orAfter(ms: number): Promise<void>; cancel(): void } {
    let wake = (): void => {};
    const woken = new Promise<void>((resolve) => (wake = resolve));
    this.#waiters.add(wake);
    const cancel = (): void => void this.#waiters.delete(wake);
    return {
      cancel,
      async orAfter(ms) {
        const timer = setTimeout(wake, ms);
        await woken;
        clearTimeout(timer);
        cancel();
      },
    };
  }
}
