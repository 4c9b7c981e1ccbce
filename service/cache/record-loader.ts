import type { KeyHash } from '../domain/brands.ts';
import type { SnapshotFloor } from '../domain/feed.ts';
import type { HotKey, HotNamespace, HotRootKey } from '../domain/hot-records.ts';
import { Problem } from '../domain/problem.ts';
import type { RecordReads } from '../domain/records.ts';
import type { RecordSource } from '../verify/ports.ts';
import type { ChangeLog, ChangesSince } from './change-log.ts';

/** The records under a hash, as they were taken over; a hash belongs to one record, or to nobody. */
export interface Found {
  readonly key: HotKey | null;
  readonly rootKey: HotRootKey | null;
  readonly namespace: HotNamespace | null;
}

/** Takes over one read record; null: it can't be kept because of what changed meanwhile. */
export type Accept = (hash: KeyHash, reads: RecordReads, since: ChangesSince) => Found | null;

export interface RecordLoaderOptions {
  readonly source: RecordSource;
  readonly changes: ChangeLog;
  readonly accept: Accept;
  /** What a read that begins now must show at least. */
  readonly floor: () => SnapshotFloor;
  /** Reads under way at a time; misses beyond wait and share the next one. */
  readonly concurrency: number;
  /** Records asked for in one statement. */
  readonly batchSize: number;
  /** Misses that may wait; one more is refused with 503, so that a flood of made-up keys can't grow the heap. */
  readonly maxWaiting: number;
}

interface Wanted {
  readonly hash: KeyHash;
  attempts: number;
  readonly promise: Promise<Found>;
  readonly resolve: (found: Found) => void;
  readonly reject: (error: unknown) => void;
}

/** A read that keeps being overtaken by changes is given up after so many tries. */
const MAX_ATTEMPTS = 8;

/**
 * Reads missing records: one read per hash however many ask (coalesced), many hashes per statement (batched), a bounded number
 * of statements at a time. A read overtaken by a change is thrown away and repeated.
 */
export class RecordLoader {
  readonly counters = { reads: 0, records: 0, discarded: 0, failed: 0, refused: 0 };
  readonly #options: RecordLoaderOptions;
  readonly #wanted = new Map<KeyHash, Wanted>();
  #queue: Wanted[] = [];
  #running = 0;

  constructor(options: RecordLoaderOptions) {
    this.#options = options;
  }

  /** Resolves with what has been taken over, or with its absence. Fails as the source fails. */
  async load(hash: KeyHash): Promise<Found> {
    let wanted = this.#wanted.get(hash);
    if (wanted === undefined) {
      if (this.#wanted.size >= this.#options.maxWaiting) {
        this.counters.refused += 1;
        throw new Problem('database_unavailable', 'Too many keys are being looked up at this moment.', {
          retryAfterS: 1,
        });
      }
      const { promise, resolve, reject } = Promise.withResolvers<Found>();
      wanted = { hash, attempts: 0, promise, resolve, reject };
      this.#wanted.set(hash, wanted);
      this.#queue.push(wanted);
      // In a microtask, so that misses of one turn share a statement.
      queueMicrotask(() => this.#pump());
    }
    return wanted.promise;
  }

  #pump(): void {
    while (this.#running < this.#options.concurrency && this.#queue.length > 0) {
      const batch = this.#queue.slice(0, this.#options.batchSize);
      this.#queue = this.#queue.slice(batch.length);
      this.#running += 1;
      void this.#read(batch).finally(() => {
        this.#running -= 1;
        this.#pump();
      });
    }
  }

  /** Never rejects: a failure goes to whoever waits. */
  async #read(batch: readonly Wanted[]): Promise<void> {
    this.counters.reads += 1;
    this.counters.records += batch.length;
    const end = this.#options.changes.begin();
    try {
      const { source, floor } = this.#options;
      const reads = await source.readRecords(
        batch.map((wanted) => wanted.hash),
        floor(),
      );
      const since = end();
      for (const wanted of batch) this.#settle(wanted, reads, since);
    } catch (error) {
      end();
      this.counters.failed += 1;
      for (const wanted of batch) {
        this.#wanted.delete(wanted.hash);
        wanted.reject(error);
      }
    }
  }

  #settle(wanted: Wanted, reads: RecordReads, since: ChangesSince): void {
    const found = this.#options.accept(wanted.hash, reads, since);
    if (found !== null) {
      this.#wanted.delete(wanted.hash);
      wanted.resolve(found);
      return;
    }
    this.counters.discarded += 1;
    wanted.attempts += 1;
    if (wanted.attempts < MAX_ATTEMPTS) {
      this.#queue.push(wanted);
      return;
    }
    this.#wanted.delete(wanted.hash);
    wanted.reject(
      new Problem('database_unavailable', 'The key kept changing while it was read.', { retryAfterS: 1 }),
    );
  }
}
