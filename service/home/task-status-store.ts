import { formatRevision, sameEpoch, type Epoch, type Revision } from '../domain/revision.ts';
import { Problem } from '../domain/problem.ts';
import type { Database } from './ports.ts';
import { isEnough, regionState, type KnownTask } from './region-progress.ts';
import { isRegionName } from './members.ts';
import { hasRevision, isOfEndedEpoch, readFloor, readTasks, writeReport, writeStopped } from './task-rows.ts';
import type { JoinFloor, RegionProgress, TaskReport, TaskStatus } from './types.ts';

export interface TaskStatusStoreOptions {
  readonly database: Database;
  /** The epoch in which this task is at home; null: it isn't, and every call is refused with `no_home`. */
  readonly epoch: () => Epoch | null;
  readonly ownRegion: string;
  /** Regions that are the zone's, whatever tasks have reported. */
  readonly regions: readonly string[];
  /** True: each region of which a task has reported, and that wasn't left for long since, is the zone's, too. @default false */
  readonly discovers?: boolean;
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
  /** Of a revision whose epoch has ended: the epoch in which it was looked for, and whether it is there. It stays so. */
  survived: { readonly present: Epoch; readonly found: Promise<boolean> } | null;
}

/** The next moment at which whoever waits looks again. */
interface Tick {
  readonly passed: Promise<void>;
  readonly pass: () => void;
}

/** Longer than a task that can reach home goes without trying to, after a failure. */
const SETTLE_MS = 5000;
const TRACES_MAX = 2000;
/** Whoever waits no longer than that, or not at all, still gets an answer. */
const SHORTEST_LOOK_MS = 250;

/** `TaskStatus` in the home's database, where every task of the home region finds what the others were told. */
export class TaskStatusStore implements TaskStatus {
  readonly counters: TaskStatusCounters = { reports: 0, waits: 0, timedOutWaits: 0 };
  readonly #options: TaskStatusStoreOptions;
  readonly #silentAfterMs: number;
  readonly #pollMs: number;
  readonly #traces = new Map<string, Trace>();
  #regions: readonly string[];
  #settledAtMs = Number.NEGATIVE_INFINITY;
  #tick: Tick | null = null;
  #reading: Promise<readonly KnownTask[]> | null = null;
  #nextReading: Promise<readonly KnownTask[]> | null = null;

  constructor(options: TaskStatusStoreOptions) {
    this.#options = options;
    this.#regions = options.regions;
    this.#silentAfterMs = options.silentAfterMs ?? 3000;
    this.#pollMs = options.pollMs ?? 25;
  }

  async report(report: TaskReport): Promise<void> {
    this.#requireHome();
    requireRegionName(report);
    await writeReport(this.#options.database, report);
    this.counters.reports += 1;
    this.#tick?.pass();
  }

  async register(report: TaskReport): Promise<JoinFloor> {
    const epoch = this.#requireHome();
    await this.report(report);
    const floor = { epoch, ...(await readFloor(this.#options.database)) };
    // Of a home that has moved meanwhile, the number would be one of another history.
    if (!sameEpoch(this.#requireHome(), epoch)) throw notHome();
    return floor;
  }

  async stopped(taskId: string): Promise<void> {
    this.#requireHome();
    await writeStopped(this.#options.database, taskId);
    this.#tick?.pass();
  }

  /**
   * Home has come here, or back: where regions come and go, nothing counts as applied for a moment, in which all tasks that run tell
   * of themselves. A failover may have lost what they had told before.
   */
  settle(): void {
    const { discovers = false, monotonicMs } = this.#options;
    if (discovers) this.#settledAtMs = monotonicMs() + SETTLE_MS;
  }

  async progress(revision: Revision): Promise<readonly RegionProgress[]> {
    const present = this.#requireHome();
    const trace = this.#trace(revision);
    const settled = this.#options.monotonicMs() >= this.#settledAtMs;
    const tasks = await this.#readTasks();
    const regions = this.#learnRegions(tasks);
    const survived = isOfEndedEpoch(revision, present) && (await this.#hasSurvived(revision, trace, present));
    const afterMs = this.#options.monotonicMs() - trace.sinceMs;
    return regions.map((region): RegionProgress => {
      const ofRegion = tasks.filter((task) => task.report.region === region);
      const found = regionState(ofRegion, { revision, survived, knownForMs: afterMs }, this.#silentAfterMs);
      if (found.state === 'unknown') return { region, ...found };
      if (found.state === 'pending') return { region, state: 'pending' };
      if (!settled) return { region, state: 'unknown', reason: 'home has only just come here' };
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
      // A report that comes while we read ends this tick too: what we read may be from before it.
      const tick = this.#nextTick();
      const progress = await this.#tryProgress(revision, deadline - monotonicMs());
      const remainingMs = deadline - monotonicMs();
      if (isEnough(progress, until, ownRegion)) return progress;
      if (remainingMs <= 0) {
        this.counters.timedOutWaits += 1;
        return progress;
      }
      await atMost(remainingMs, tick.passed);
    }
  }

  /**
   * A wait outlives a moment without the database, and isn't held up by one that hangs: that a write was applied doesn't depend on
   * our seeing it.
   */
  async #tryProgress(revision: Revision, timeoutMs: number): Promise<readonly RegionProgress[]> {
    try {
      const progress = await atMost(Math.max(timeoutMs, SHORTEST_LOOK_MS), this.progress(revision));
      if (progress !== undefined) return progress;
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
    }
    const reason = 'the home database does not answer';
    return this.#regions.map((region) => ({ region, state: 'unknown', reason }));
  }

  /**
   * A region whose tasks have all stopped is the zone's for a while longer, as `unknown`: a task that only just starts there may not
   * have seen that they did (`member-rows.ts`). One whose tasks are silent is the zone's for as long as they are.
   */
  #learnRegions(tasks: readonly KnownTask[]): readonly string[] {
    const { regions, discovers = false } = this.#options;
    if (!discovers) return regions;
    const reported = tasks.map((task) => task.report.region).filter((region) => region !== '');
    this.#regions = [...new Set([...regions, ...reported.toSorted()])];
    return this.#regions;
  }

  /**
   * One read at a time. Whoever asks before it is sent shares it; one that is under way may be older than what is asked for, so the
   * next one is shared then. However many wait, the table is read once for all of them.
   */
  async #readTasks(): Promise<readonly KnownTask[]> {
    this.#nextReading ??= (this.#reading ?? Promise.resolve())
      .catch(() => {})
      .then(async () => {
        this.#nextReading = null;
        this.#reading = readTasks(this.#options.database).finally(() => {
          this.#reading = null;
        });
        return await this.#reading;
      });
    return await this.#nextReading;
  }

  /** Asked once for all who wait for the revision. */
  async #hasSurvived(revision: Revision, trace: Trace, present: Epoch): Promise<boolean> {
    if (trace.survived === null || !sameEpoch(trace.survived.present, present)) {
      trace.survived = { present, found: hasRevision(this.#options.database, revision) };
    }
    try {
      return await trace.survived.found;
    } catch (error) {
      trace.survived = null;
      throw error;
    }
  }

  #trace(revision: Revision): Trace {
    const key = formatRevision(revision);
    const known = this.#traces.get(key);
    if (known !== undefined) return known;
    const trace: Trace = { sinceMs: this.#options.monotonicMs(), appliedAfterMs: new Map(), survived: null };
    this.#traces.set(key, trace);
    const [oldest] = this.#traces.keys();
    if (this.#traces.size > TRACES_MAX && oldest !== undefined) this.#traces.delete(oldest);
    return trace;
  }

  #requireHome(): Epoch {
    const epoch = this.#options.epoch();
    if (epoch === null) throw notHome();
    return epoch;
  }

  /** Shared by all who wait: it passes after the poll's interval, or with the next report. */
  #nextTick(): Tick {
    if (this.#tick !== null) return this.#tick;
    const { promise, resolve } = Promise.withResolvers<void>();
    const pass = (): void => {
      clearTimeout(timer);
      this.#tick = null;
      resolve();
    };
    const timer = setTimeout(pass, this.#pollMs);
    this.#tick = { passed: promise, pass };
    return this.#tick;
  }
}

function notHome(): Problem {
  return new Problem('no_home', 'This region is not the home of the zone.', { retryAfterS: 1 });
}

/** What is written here becomes part of URLs in every region. */
function requireRegionName({ region }: TaskReport): void {
  if (isRegionName(region)) return;
  throw new Problem(
    'invalid_input',
    'A report names a region that can be none: its task has another version or is none.',
  );
}

/** Undefined where the work takes longer; it goes on, and its late outcome is let go. */
async function atMost<T>(ms: number, work: Promise<T>): Promise<T | undefined> {
  const { promise: over, resolve } = Promise.withResolvers<undefined>();
  const timer = setTimeout(() => resolve(undefined), ms);
  try {
    return await Promise.race([work, over]);
  } finally {
    clearTimeout(timer);
    work.catch(() => {});
  }
}
