import type { SharedCounters } from '../verify/ports.ts';
import { type Batch, CoolingBatches } from './count-exchange-cooling.ts';
import { WaitingWindows } from './count-exchange-due.ts';
import { countOf } from './count-exchange-key.ts';
import { HeldWindows } from './count-exchange-held.ts';
import { ExchangeNews } from './count-exchange-news.ts';
import type { CountExchangeOptions } from './count-exchange-options.ts';
import { ExchangeTimes } from './count-exchange-times.ts';
import { type CountedWindow, DUE } from './window-queue.ts';

/** Calls begun in one period, and under way at one time, at most. */
const CALLS_PER_PERIOD = 8;
const BACKOFF_MS_MAX = 1000;
/** Where one part of the shared counters doesn't answer, what is kept there is tried again after this time. */
const LOST_RETRY_MS = 1000;
/** Where nothing was answered for so long, all of the shared counters are gone, and not only the part that keeps what was told. */
const GONE_AFTER_MS = 1000;

/**
 * Exchanges what this task counts with the region's other tasks, through counters that they share. It tells its own numbers, as they
 * stand, and learns the sum of the others': nothing depends on how often, how late or in which order anything is told.
 *
 * What is asked is told: at once where the counter was quiet, and once in a period at most. Calls begin an eighth of a period apart, so that
 * what is asked meanwhile goes together. Without an answer everything stays due, and one call after another is tried, less and less
 * often, while the task counts by itself. After it, and once a minute, everything that is held is told again, a batch at a time, because what
 * the others knew may be gone.
 */
export class CountExchange {
  readonly counters = {
    exchanges: 0,
    failures: 0,
    /** Counts that were told with an answer; without one, in an answer that covers others. */
    told: 0,
    unanswered: 0,
  };
  readonly #options: CountExchangeOptions;
  readonly #periodMs: number;
  readonly #batchSize: number;
  readonly #due: WaitingWindows;
  readonly #underWay = new Set<Batch>();
  readonly #answers = new Set<Promise<void>>();
  readonly #cooling: CoolingBatches;
  readonly #held: HeldWindows;
  readonly #times: ExchangeTimes;
  readonly #news: ExchangeNews;
  #heldUnderWay = false;
  #lostUnderWay = false;
  #isRunning = false;
  /** Failures in a row; 0: the last one was answered. */
  #failures = 0;
  #isProbing = false;
  #nextMs = 0;
  #nextHeldMs = 0;
  #nextLostMs = 0;
  /** When the first was told since the last answer; null: there was an answer after it. */
  #unansweredMs: number | null = null;
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
    this.#news = new ExchangeNews(options);
    this.#times = new ExchangeTimes(options.clock);
    this.#cooling = new CoolingBatches(this.#periodMs, this.#due);
  }

  /** False: this task counts alone, wholly or for some counters. */
  get isShared(): boolean {
    return this.#isRunning && this.#failures === 0 && this.#due.lostSize === 0 && !this.#lostUnderWay;
  }

  /** Of exchanges that were answered, in ms: one without an answer doesn't say how long one takes. The maximum is of the last 30 to 60 s. */
  get lastExchangeMs(): number {
    return this.#times.lastMs;
  }

  get maxExchangeMs(): number {
    return this.#times.maxMs;
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
    this.#held.startLater(this.#options.clock.monotonicMs());
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
      if (nowMs >= this.#held.nextRoundMs) this.#held.startOver(nowMs);
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
    return Math.max(Math.min(wakeMs, Math.max(this.#nextMs, this.#held.nextRoundMs)), nowMs);
  }

  #tellReady(): void {
    const sinceMs = this.#due.oldestMs;
    this.#tell(this.#due.take(this.#batchSize), sinceMs);
  }

  #tellLost(nowMs: number): void {
    this.#nextLostMs = nowMs + LOST_RETRY_MS;
    const sinceMs = this.#due.oldestMs;
    const windows = this.#due.takeLost(this.#batchSize);
    this.#lostUnderWay = true;
    this.#tell(windows, sinceMs, (isFailed) => {
      this.#lostUnderWay = false;
      this.#onEnd(isFailed);
      const lost = windows.filter(({ due }) => due === DUE.lost).length;
      if (isFailed || lost === windows.length) return;
      // A part of them is back. What is still lost waits behind the rest, which follows at once.
      this.#nextLostMs = 0;
      if (lost > 0) return;
      this.#due.findLost();
      this.#held.startOver(this.#options.clock.monotonicMs());
    });
  }

  #tellHeld(nowMs: number): void {
    this.#nextHeldMs = nowMs + this.#periodMs / 2;
    const windows = this.#held.take(this.#batchSize, this.#options.clock.nowMs());
    if (windows.length === 0) return;
    this.#heldUnderWay = true;
    this.#tell(windows, null, (isFailed) => {
      this.#heldUnderWay = false;
      this.#onEnd(isFailed);
    });
  }

  /** While there is no answer, one call at a time looks whether there is one again. */
  #probe(): void {
    if (this.#due.readySize === 0) this.#due.findLost();
    if (this.#due.readySize === 0) return;
    this.#isProbing = true;
    const sinceMs = this.#due.oldestMs;
    this.#tell(this.#due.take(this.#batchSize), sinceMs, (isFailed) => {
      this.#isProbing = false;
      if (isFailed) this.#onFailed();
      else this.#onRecovered();
    });
  }

  #tell(
    windows: readonly CountedWindow[],
    sinceMs: number | null,
    onEnd: (isFailed: boolean) => void = (isFailed) => this.#onEnd(isFailed),
  ): void {
    const sentMs = this.#options.clock.monotonicMs();
    this.#nextMs = sentMs + this.#periodMs / CALLS_PER_PERIOD;
    const counts = windows.map(countOf);
    const answer = this.#exchange({ windows, counts, sinceMs: sinceMs ?? sentMs, sentMs }, onEnd);
    this.#answers.add(answer);
    void answer.finally(() => this.#answers.delete(answer));
  }

  /** Never fails. */
  async #exchange(batch: Batch, onEnd: (isFailed: boolean) => void): Promise<void> {
    this.#underWay.add(batch);
    this.counters.exchanges += 1;
    let isFailed = false;
    try {
      this.#learn(batch, (await this.#options.shared?.exchange(batch.counts)) ?? []);
      this.#cooling.add(batch);
    } catch (error) {
      isFailed = true;
      this.counters.failures += 1;
      if (this.#failures === 0) this.#news.onFailed(error);
      for (const window of batch.windows) this.#due.add(window, batch.sinceMs);
    }
    this.#underWay.delete(batch);
    onEnd(isFailed);
    this.#runSoon();
  }

  /** Fails where nothing is answered any more. */
  #learn(
    { windows, counts, sinceMs, sentMs }: Batch,
    answers: Awaited<ReturnType<SharedCounters['exchange']>>,
  ): void {
    const nowMs = this.#options.clock.monotonicMs();
    if (answers.some((answer) => answer !== null)) {
      this.#unansweredMs = null;
      this.#times.add(sentMs);
    } else {
      this.#unansweredMs ??= sentMs;
      if (this.#failures > 0 || sentMs - this.#unansweredMs >= GONE_AFTER_MS)
        throw new Error('none of the counts was answered');
      this.counters.failures += 1;
    }
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
      const isNothing = others.units === 0 && others.unitsBefore === 0;
      isForgotten ||= isNothing && known > 0 && window.othersKnown === 0;
    }
    // What this task had told may be gone too.
    if (isForgotten) this.#held.startOverAfterLoss(nowMs);
  }

  /** Of calls that were under way together, one failure counts: the others say nothing new. */
  #onEnd(isFailed: boolean): void {
    if (isFailed && this.#failures === 0) this.#onFailed();
  }

  #onFailed(): void {
    this.#failures += 1;
    const waitMs = Math.min(BACKOFF_MS_MAX, this.#periodMs * 2 ** Math.min(this.#failures - 1, 10));
    this.#nextMs = this.#options.clock.monotonicMs() + waitMs;
  }

  #onRecovered(): void {
    this.#failures = 0;
    this.#news.onRecovered();
    this.#due.findLost();
    this.#held.startOver(this.#options.clock.monotonicMs());
  }
}
