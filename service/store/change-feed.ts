import { setTimeout as delay } from 'node:timers/promises';
import type { FeedMark, FeedPoll, Heartbeat } from '../domain/feed.ts';
import { compareEpochs, type Epoch, type Revision } from '../domain/revision.ts';
import type { Clock, FeedListener, RecordSource } from '../verify/ports.ts';
import { FeedPosition } from './feed-position.ts';

/** One database instance of the region, as the feed needs it. */
export interface FeedReader {
  /** For logs and metrics; never with credentials. */
  readonly name: string;
  /**
   * The feed's one statement: the heartbeat and every visible row of its epoch with a transaction id from `from.xid` on (from
   * the heartbeat's own watermark on, where `from` is null or its epoch is another). Null: there is no heartbeat yet.
   */
  poll(from: { readonly epoch: Epoch; readonly xid: bigint } | null): Promise<FeedPoll | null>;
  /** Whether the revision's rows are there, whatever epoch it belongs to; false also where they were pruned. */
  contains(revision: Revision): Promise<boolean>;
  /** Records of the same instance: feed and refills move together, or a refill could be older than the feed. */
  readonly records: RecordSource;
}

export interface ChangeFeedOptions {
  /** In order of preference; at least one. */
  readonly readers: readonly FeedReader[];
  readonly listener: FeedListener;
  readonly clock: Clock;
  readonly pollMs: number;
  /** After so long without an answer of the present reader, another one is tried. */
  readonly switchAfterMs: number;
  readonly log: {
    info(fields: object, message: string): void;
    warn(fields: object, message: string): void;
    error(fields: object, message: string): void;
  };
}

export interface FeedCounters {
  polls: number;
  failedPolls: number;
  appliedChanges: number;
  epochChanges: number;
  /** Times that the feed could not vouch for what it delivered. More than 0 is an alarm. */
  distrusts: number;
  readerSwitches: number;
}

const BACKOFF_MAX_MS = 1000;

/**
 * Tails the change feed on one reader of the region and tells the listener. Owned by main: `start` returns after the first
 * answered poll (so that nothing is read into memory before the feed runs) and `stop` ends the loop.
 */
export class ChangeFeed {
  readonly counters: FeedCounters = {
    polls: 0,
    failedPolls: 0,
    appliedChanges: 0,
    epochChanges: 0,
    distrusts: 0,
    readerSwitches: 0,
  };
  readonly #options: ChangeFeedOptions;
  readonly #position = new FeedPosition();
  readonly #abort = new AbortController();
  #reader: FeedReader;
  #heartbeat: Heartbeat | null = null;
  /** Staleness at `#seenAtMs`, and that moment on the monotonic clock. */
  #stalenessThenMs = Number.POSITIVE_INFINITY;
  #seenAtMs = 0;
  #answeredAtMs: number;
  #behind = false;
  #loop: Promise<void> | null = null;
  #wake: (() => void) | null = null;
  #waiters = new Set<() => void>();
  #appliedListeners = new Set<() => void>();

  constructor(options: ChangeFeedOptions) {
    const [first] = options.readers;
    if (first === undefined) throw new Error('the change feed needs at least one reader');
    this.#options = options;
    this.#reader = first;
    this.#answeredAtMs = options.clock.monotonicMs();
  }

  /** The instance that the feed runs on; refills read there. */
  get reader(): FeedReader {
    return this.#reader;
  }

  /** The last heartbeat seen. */
  get heartbeat(): Heartbeat | null {
    return this.#heartbeat;
  }

  get epoch(): Epoch | null {
    return this.#position.epoch;
  }

  get watermark(): bigint | null {
    return this.#position.watermark;
  }

  /** What a refill must show at least. Null before the first poll. */
  get mark(): FeedMark | null {
    return this.#position.mark;
  }

  get appliedXids(): readonly bigint[] {
    return this.#position.appliedXids;
  }

  /** False while the present reader doesn't answer, or shows less than was applied. */
  get answering(): boolean {
    if (this.#behind) return false;
    return (
      this.#options.clock.monotonicMs() - this.#answeredAtMs <
      this.#options.switchAfterMs + this.#options.pollMs
    );
  }

  /** How far this task's view is behind the home database, in ms; never under 0. Infinite before the first poll. */
  stalenessMs(): number {
    const elapsed = this.#options.clock.monotonicMs() - this.#seenAtMs;
    return this.#stalenessThenMs + Math.max(0, elapsed);
  }

  hasApplied(revision: Revision): boolean {
    return this.#position.hasApplied(revision);
  }

  /** Calls back after each poll that applied rows or moved to another epoch. */
  onApplied(callback: () => void): void {
    this.#appliedListeners.add(callback);
  }

  /**
   * Waits until the revision is applied here. False: not within the time, or it belongs to an epoch that has ended and the
   * present history doesn't show it (lost in a failover, or pruned since).
   */
  async waitFor(revision: Revision, timeoutMs: number): Promise<boolean> {
    const deadline = this.#options.clock.monotonicMs() + timeoutMs;
    while (!this.hasApplied(revision)) {
      const epoch = this.#position.epoch;
      if (epoch !== null && compareEpochs(revision.epoch, epoch) < 0) return await this.#inHistory(revision);
      const remainingMs = deadline - this.#options.clock.monotonicMs();
      if (remainingMs <= 0 || this.#abort.signal.aborted) return false;
      await this.#nextPoll(remainingMs);
    }
    return true;
  }

  async #inHistory(revision: Revision): Promise<boolean> {
    try {
      return await this.#reader.contains(revision);
    } catch (error) {
      this.#options.log.warn(
        { err: error, reader: this.#reader.name },
        'an earlier revision could not be looked up',
      );
      return false;
    }
  }

  /** Resolves after a poll that began after this call, or after `timeoutMs`. */
  async refresh(timeoutMs: number): Promise<void> {
    // The next one to end may be under way already.
    await this.#nextPoll(timeoutMs / 2);
    await this.#nextPoll(timeoutMs / 2);
  }

  /** Starts the loop and waits for the first answer of a reader. */
  async start(): Promise<'answered' | 'stopped'> {
    if (this.#loop !== null) throw new Error('the change feed was started twice');
    this.#loop = this.#run();
    while (this.#position.epoch === null) {
      if (this.#abort.signal.aborted) return 'stopped';
      await this.#nextPoll(BACKOFF_MAX_MS);
    }
    return 'answered';
  }

  async stop(): Promise<void> {
    this.#abort.abort();
    this.#wake?.();
    await this.#loop;
  }

  /** Resolves after the next poll; asks for it soon rather than at the regular time. */
  async #nextPoll(timeoutMs: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        this.#waiters.delete(done);
        resolve();
      };
      const timer = setTimeout(done, timeoutMs);
      this.#waiters.add(done);
      this.#wake?.();
    });
  }

  async #run(): Promise<void> {
    const { signal } = this.#abort;
    let failures = 0;
    while (!signal.aborted) {
      const answered = await this.#pollOnce();
      failures = answered ? 0 : failures + 1;
      const waiters = [...this.#waiters];
      for (const resolve of waiters) resolve();
      await this.#pause(failures, signal);
    }
    for (const resolve of this.#waiters) resolve();
  }

  /** Until the next regular poll; shorter while somebody waits for a revision, longer while polls fail. */
  async #pause(failures: number, signal: AbortSignal): Promise<void> {
    const { pollMs } = this.#options;
    // Somebody waits: look again as soon as a commit can have travelled, without spinning on the database.
    const soonMs = Math.min(5, pollMs);
    const pauseMs = failures === 0 ? pollMs : Math.min(BACKOFF_MAX_MS, pollMs * 2 ** (failures - 1));
    const waker = new AbortController();
    const woken =
      failures === 0 ? new Promise<void>((resolve) => (this.#wake = resolve)) : new Promise<void>(() => {});
    const pause = delay(pauseMs, undefined, { signal: AbortSignal.any([signal, waker.signal]) }).catch(
      ignoreAbort,
    );
    await Promise.race([pause, woken]);
    this.#wake = null;
    waker.abort();
    if (this.#waiters.size > 0 && failures === 0)
      await delay(soonMs, undefined, { signal }).catch(ignoreAbort);
  }

  async #pollOnce(): Promise<boolean> {
    const { clock, log } = this.#options;
    this.counters.polls += 1;
    const askedAtMs = clock.monotonicMs();
    try {
      const poll = await this.#reader.poll(this.#from());
      if (poll === null) return false;
      if (this.#apply(poll, askedAtMs)) return true;
    } catch (error) {
      const silentMs = Math.round(clock.monotonicMs() - this.#answeredAtMs);
      log.warn({ err: error, reader: this.#reader.name, silentMs }, 'the feed got no answer');
    }
    this.counters.failedPolls += 1;
    if (clock.monotonicMs() - this.#answeredAtMs < this.#options.switchAfterMs) return false;
    return await this.#tryOtherReaders();
  }

  #from(): { epoch: Epoch; xid: bigint } | null {
    const { epoch, watermark } = this.#position;
    return epoch === null || watermark === null ? null : { epoch, xid: watermark };
  }

  /** Moves feed and refills together to the first reader that shows all that was applied here. */
  async #tryOtherReaders(): Promise<boolean> {
    const { readers, clock, log } = this.#options;
    for (const reader of readers) {
      if (reader === this.#reader || this.#abort.signal.aborted) continue;
      const askedAtMs = clock.monotonicMs();
      try {
        const poll = await reader.poll(this.#from());
        if (poll === null || !this.#position.canContinueOn(poll)) continue;
        log.warn({ from: this.#reader.name, to: reader.name }, 'the feed and refills move to another reader');
        this.counters.readerSwitches += 1;
        this.#reader = reader;
        return this.#apply(poll, askedAtMs);
      } catch (error) {
        log.warn({ err: error, reader: reader.name }, 'this reader does not answer either');
      }
    }
    return false;
  }

  /** False: the reader shows less than was applied, and the poll is not used. */
  #apply(poll: FeedPoll, askedAtMs: number): boolean {
    const { listener, log } = this.#options;
    const first = this.#position.epoch === null;
    const step = this.#position.apply(poll);
    this.#behind = step.kind === 'behind';
    if (step.kind === 'behind') {
      log.warn({ reader: this.#reader.name, reason: step.reason }, 'the reader is behind: it is not used');
      return false;
    }
    this.#heartbeat = poll.heartbeat;
    // A reader's clock that is behind home's must not make a lost feed look fresh for as long.
    this.#stalenessThenMs = Math.max(0, poll.readerClockMs - poll.heartbeat.beatAtMs);
    this.#seenAtMs = askedAtMs;
    this.#answeredAtMs = this.#options.clock.monotonicMs();
    if (step.kind === 'changes') {
      if (step.changes.length === 0) return true;
      this.counters.appliedChanges += step.changes.length;
      listener.onChanges(step.changes);
    } else if (step.kind === 'epoch') {
      if (!first) {
        this.counters.epochChanges += 1;
        log.warn(
          { epoch: step.epoch, home: poll.heartbeat.region },
          'another writer: every record is read again',
        );
      }
      listener.onEpoch(step.epoch);
      // What memory holds is only unverified from here on; these rows are known to have changed it.
      if (step.changes.length > 0) listener.onChanges(step.changes);
    } else {
      this.counters.distrusts += 1;
      log.error(
        { reason: step.reason },
        'the feed cannot vouch for its delivery: everything held is dropped',
      );
      listener.onDistrust(step.reason);
    }
    for (const callback of this.#appliedListeners) callback();
    return true;
  }
}

function ignoreAbort(error: unknown): void {
  if (!(error instanceof Error) || error.name !== 'AbortError') throw error;
}
