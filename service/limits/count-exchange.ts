import type { Logger } from 'pino';
import type { Clock, SharedCounters } from '../verify/ports.ts';
import { type Batch, CoolingBatches } from './count-exchange-cooling.ts';
import { WaitingWindows } from './count-exchange-due.ts';
import { countOf } from './count-exchange-key.ts';
import { HeldWindows } from './count-exchange-held.ts';
import type { MemoryRateLimiter } from './memory-rate-limiter.ts';
import { type CountedWindow, DUE } from './window-queue.ts';

export interface CountExchangeOptions {
  /** Null: there is nobody to exchange with, and this task counts alone. */
  readonly shared: Pick<SharedCounters, 'exchange'> | null;
  readonly limiters: readonly MemoryRateLimiter[];
  readonly clock: Clock;
  readonly log: Pick<Logger, 'info' | 'warn'>;
  /** A counter is told once in this time at most. @default 100 */
  readonly periodMs?: number;
  /** Counters told in one call, at most. @default 500 */
  readonly batchSize?: number;
}

/** Calls begun in one period, and under way at one time, at most. */
const CALLS_PER_PERIOD = 8;
const BACKOFF_MS_MAX = 1000;
/** Where one part of the shared counters doesn't answer, what is kept there is tried again after this time. */
const LOST_RETRY_MS = 1000;
/** Where others' counts vanish, everything is told again, at most once in this time. */
const TELL_ALL_AGAIN_MS = 10_000;

/**
 * Exchanges what this task counts with the region's other tasks, through counters that they share. It tells its own numbers, as they
 * stand, and learns the sum of the others': nothing depends on how often, how late or in which order anything is told.
 *
 * What is asked is told: at once where the counter was quiet, and once in a period at most. Calls begin an eighth of a period apart, so that
 * what is asked meanwhile goes together. Without an answer everything stays due, and one call after another is tried, less and less
 * often, while the task counts by itself. After it everything that is held is told again, a batch at a time, because what the others knew may be
 * gone.
 */
export class CountExchange {
  readonly counters = {
    exchanges: 0,
    failures: 0,
    /** Counts that were told with an answer; without one, in an answer that covers others. */
    told: 0,
    unanswered: 0,
    /** Counts of which others had units. */
    learned: 0,
  };
  lastExchangeMs = 0;
  maxExchangeMs = 0;
  readonly #options: CountExchangeOptions;
  readonly #periodMs: number;
  readonly #batchSize: number;
  readonly #due: WaitingWindows;
  readonly #underWay = new Set<Batch>();
  readonly #answers = new Set<Promise<void>>();
  readonly #cooling: CoolingBatches;
  readonly #held: HeldWindows;
  #heldUnderWay = false;
  #isRunning = false;
  /** Failures in a row; 0: the last one was answered. */
  #failures = 0;
  #isProbing = false;
  #nextMs = 0;
  #nextHeldMs = 0;
  #nextLostMs = 0;
  #toldAllMs = Number.NEGATIVE_INFINITY;
  #soon: NodeJS.Immediate | null = null;
  #timer: NodeJS.Timeout | null = null;

  constructor(options: CountExchangeOptions) {
    this.#options = options;
    this.#periodMs = options.periodMs ?? 100;
    this.#batchSize = options.batchSize ?? 500;
    this.#held = new HeldWindows(options.limiters);
    this.#due = new WaitingWindows({
      monotonicMs: () => options.clock.monotonicMs(),
      onReady: () => this.#runSoon(),
    });
    this.#cooling = new CoolingBatches(this.#periodMs, this.#due);
  }

  /** False: this task counts alone, wholly or for some counters. */
  get isShared(): boolean {
    return this.#isRunning && this.#failures === 0 && this.#due.lostSize === 0;
  }

  /** Age in ms of the oldest ask that others may not know of yet; 0: they know of all. */
  get viewAgeMs(): number {
    let oldestMs = this.#due.oldestMs ?? Number.POSITIVE_INFINITY;
    for (const { sinceMs } of this.#underWay) oldestMs = Math.min(oldestMs, sinceMs);
    oldestMs = Math.min(oldestMs, this.#cooling.oldestAskedMs);
    return Math.max(0, this.#options.clock.monotonicMs() - Math.min(oldestMs, Number.MAX_VALUE));
  }

  /** Without shared counters it does nothing. */
  start(): void {
    const { shared, limiters } = this.#options;
    if (shared === null || this.#isRunning) return;
    this.#isRunning = true;
    for (const limiter of limiters) limiter.shareThrough(this.#due);
  }

  /** Tells what still waits, once, and ends. Takes as long as one call may take. Never fails. */
  async stop(): Promise<void> {
    if (!this.#isRunning) return;
    for (const limiter of this.#options.limiters) limiter.shareThrough(null);
    if (this.#failures === 0) {
      this.#cooling.end(Number.POSITIVE_INFINITY);
      for (let calls = 0; calls < CALLS_PER_PERIOD && this.#due.readySize > 0; calls += 1) this.#tellReady();
    }
    this.#isRunning = false;
    if (this.#soon !== null) clearImmediate(this.#soon);
    if (this.#timer !== null) clearTimeout(this.#timer);
    await Promise.all(this.#answers);
    this.#cooling.end(Number.POSITIVE_INFINITY);
    this.#due.clear();
  }

  #runSoon(): void {
    if (!this.#isRunning || this.#soon !== null) return;
    this.#soon = setImmediate(() => {
      this.#soon = null;
      this.#run();
    }).unref();
  }

  #runAt(atMs: number, nowMs: number): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    if (atMs === Number.POSITIVE_INFINITY) return;
    this.#timer = setTimeout(() => this.#run(), Math.max(1, Math.ceil(atMs - nowMs))).unref();
  }

  /** Begins the calls that may begin now, and sets the timer for the next. */
  #run(): void {
    if (!this.#isRunning) return;
    const nowMs = this.#options.clock.monotonicMs();
    this.#cooling.end(nowMs);
    const mayBegin = nowMs >= this.#nextMs;
    if (this.#failures > 0) {
      if (mayBegin && !this.#isProbing) this.#probe();
    } else if (mayBegin && this.#underWay.size < CALLS_PER_PERIOD) {
      if (this.#due.lostSize > 0 && nowMs >= this.#nextLostMs) this.#tellLost(nowMs);
      else if (this.#due.readySize > 0) this.#tellReady();
      else if (this.#mayTellHeld && nowMs >= this.#nextHeldMs) this.#tellHeld(nowMs);
    }
    this.#runAt(this.#wakeMs(nowMs), nowMs);
  }

  get #mayTellHeld(): boolean {
    return this.#held.isLeft && !this.#heldUnderWay;
  }

  /** When there is something to do next, unless something happens before. */
  #wakeMs(nowMs: number): number {
    let wakeMs = this.#cooling.nextEndMs;
    // An answer runs it again.
    if (this.#isProbing || this.#underWay.size >= CALLS_PER_PERIOD) return wakeMs;
    if (this.#due.readySize > 0 || (this.#failures > 0 && this.#due.lostSize > 0))
      wakeMs = Math.min(wakeMs, this.#nextMs);
    if (this.#failures > 0) return wakeMs;
    if (this.#due.lostSize > 0) wakeMs = Math.min(wakeMs, Math.max(this.#nextMs, this.#nextLostMs));
    if (this.#mayTellHeld) wakeMs = Math.min(wakeMs, Math.max(this.#nextMs, this.#nextHeldMs));
    return Math.max(wakeMs, nowMs);
  }

  #tellReady(): void {
    const sinceMs = this.#due.oldestMs;
    this.#tell(this.#due.take(this.#batchSize), sinceMs);
  }

  #tellLost(nowMs: number): void {
    this.#nextLostMs = nowMs + LOST_RETRY_MS;
    const sinceMs = this.#due.oldestMs;
    const windows = this.#due.takeLost(this.#batchSize);
    this.#tell(windows, sinceMs, (isAnswered) => {
      this.#onEnd(isAnswered);
      if (!isAnswered || windows.some(({ due }) => due === DUE.lost)) return;
      this.#due.findLost();
      this.#held.startOver();
    });
  }

  #tellHeld(nowMs: number): void {
    this.#nextHeldMs = nowMs + this.#periodMs / 2;
    const windows = this.#held.take(this.#batchSize, this.#options.clock.nowMs());
    if (windows.length === 0) return;
    this.#heldUnderWay = true;
    this.#tell(windows, null, (isAnswered) => {
      this.#heldUnderWay = false;
      this.#onEnd(isAnswered);
    });
  }

  /** While there is no answer, one call at a time looks whether there is one again. */
  #probe(): void {
    if (this.#due.readySize === 0) this.#due.findLost();
    if (this.#due.readySize === 0) return;
    this.#isProbing = true;
    const sinceMs = this.#due.oldestMs;
    this.#tell(this.#due.take(this.#batchSize), sinceMs, (isAnswered) => {
      this.#isProbing = false;
      if (isAnswered) this.#onRecovered();
      else this.#onFailed();
    });
  }

  #tell(
    windows: readonly CountedWindow[],
    sinceMs: number | null,
    onEnd: (isAnswered: boolean) => void = (isAnswered) => this.#onEnd(isAnswered),
  ): void {
    const sentMs = this.#options.clock.monotonicMs();
    this.#nextMs = sentMs + this.#periodMs / CALLS_PER_PERIOD;
    const counts = windows.map(countOf);
    const answer = this.#exchange({ windows, counts, sinceMs: sinceMs ?? sentMs, sentMs }, onEnd);
    this.#answers.add(answer);
    void answer.finally(() => this.#answers.delete(answer));
  }

  /** Never fails. */
  async #exchange(batch: Batch, onEnd: (isAnswered: boolean) => void): Promise<void> {
    const { shared, clock } = this.#options;
    this.#underWay.add(batch);
    this.counters.exchanges += 1;
    let isAnswered = false;
    try {
      this.#learn(batch, (await shared?.exchange(batch.counts)) ?? []);
      this.#cooling.add(batch);
      isAnswered = true;
    } catch (error) {
      this.counters.failures += 1;
      if (this.#failures === 0) {
        this.#options.log.warn(
          { err: error },
          'counts of rate limits are not exchanged: each task counts alone',
        );
      }
      for (const window of batch.windows) this.#due.add(window, batch.sinceMs);
    }
    this.#underWay.delete(batch);
    this.lastExchangeMs = clock.monotonicMs() - batch.sentMs;
    this.maxExchangeMs = Math.max(this.maxExchangeMs, this.lastExchangeMs);
    onEnd(isAnswered);
    this.#runSoon();
  }

  #learn(
    { windows, counts, sinceMs }: Batch,
    answers: Awaited<ReturnType<SharedCounters['exchange']>>,
  ): void {
    if (!answers.some((answer) => answer !== null)) throw new Error('none of the counts was answered');
    let isForgotten = false;
    for (const [index, window] of windows.entries()) {
      const others = answers[index] ?? null;
      const count = counts[index];
      if (others === null || count === undefined) {
        this.counters.unanswered += 1;
        this.#due.addLost(window, sinceMs);
        continue;
      }
      this.counters.told += 1;
      const known = window.othersKnown;
      window.learn(count.startMs, others);
      if (others.units > 0 || others.unitsBefore > 0) this.counters.learned += 1;
      else if (known > 0 && window.othersKnown === 0) isForgotten = true;
    }
    if (isForgotten) this.#tellAll();
  }

  /** Of calls that were under way together, one failure counts: the others say nothing new. */
  #onEnd(isAnswered: boolean): void {
    if (!isAnswered && this.#failures === 0) this.#onFailed();
  }

  #onFailed(): void {
    this.#failures += 1;
    const waitMs = Math.min(BACKOFF_MS_MAX, this.#periodMs * 2 ** Math.min(this.#failures - 1, 10));
    this.#nextMs = this.#options.clock.monotonicMs() + waitMs;
  }

  #onRecovered(): void {
    this.#failures = 0;
    this.#options.log.info('counts of rate limits are exchanged again');
    this.#due.findLost();
    this.#held.startOver();
  }

  /** What all others had counted is gone there, so what this task had told may be too. */
  #tellAll(): void {
    const nowMs = this.#options.clock.monotonicMs();
    if (nowMs - this.#toldAllMs < TELL_ALL_AGAIN_MS) return;
    this.#toldAllMs = nowMs;
    this.#held.startOver();
  }
}
