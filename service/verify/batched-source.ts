import type { KeyHash } from '../domain/brands.ts';
import type { SnapshotFloor } from '../domain/feed.ts';
import { Problem } from '../domain/problem.ts';
import type { RecordReads, SharedObject, SharedRef } from '../domain/records.ts';
import type { RecordSource } from './ports.ts';

export interface BatchedSourceOptions {
  readonly source: RecordSource;
  /** Reads per call, at most. */
  readonly batchSize: number;
  /** Calls under way at a time; who comes meanwhile shares the next one. */
  readonly concurrency: number;
  /** Reads that may wait; one more is refused. */
  readonly maxWaiting: number;
}

interface Waiting {
  readonly hashes: readonly KeyHash[];
  readonly resolve: (reads: RecordReads) => void;
  readonly reject: (error: unknown) => void;
}

/** Hashes of a read that shares a call: as many ways as there are to hold one key. What reads more has been put together already. */
const SHARED_HASHES_MAX = 3;

/**
 * Makes few calls of many reads, for a source that is far away and that everybody turns to at the same time. A read never joins a
 * call that was sent before it came: its answer is as fresh as if it had been sent alone. Reads that name a revision go by themselves.
 */
export class BatchedSource implements RecordSource {
  readonly #options: BatchedSourceOptions;
  #waiting: Waiting[] = [];
  #floor: SnapshotFloor | undefined;
  #running = 0;

  constructor(options: BatchedSourceOptions) {
    this.#options = options;
  }

  async readRecords(hashes: readonly KeyHash[], floor?: SnapshotFloor): Promise<RecordReads> {
    const alone = hashes.length > SHARED_HASHES_MAX || (floor?.revision ?? null) !== null;
    if (alone) return await this.#options.source.readRecords(hashes, floor);
    if (this.#waiting.length >= this.#options.maxWaiting) {
      throw new Problem('no_home', 'Too many answers are being confirmed at home at this moment.', {
        retryAfterS: 1,
      });
    }
    return await new Promise((resolve, reject) => {
      this.#waiting.push({ hashes, resolve, reject });
      // The feed only moves on: the last mark covers those before it.
      this.#floor = floor;
      queueMicrotask(() => this.#pump());
    });
  }

  async readShared(refs: readonly SharedRef[], floor?: SnapshotFloor): Promise<readonly SharedObject[]> {
    return await this.#options.source.readShared(refs, floor);
  }

  #pump(): void {
    const { batchSize, concurrency } = this.#options;
    while (this.#running < concurrency && this.#waiting.length > 0) {
      const batch = this.#waiting.slice(0, batchSize);
      this.#waiting = this.#waiting.slice(batch.length);
      this.#running += 1;
      void this.#read(batch).finally(() => {
        this.#running -= 1;
        this.#pump();
      });
    }
  }

  /** Never rejects: a failure goes to whoever waits. */
  async #read(batch: readonly Waiting[]): Promise<void> {
    try {
      const hashes = [...new Set(batch.flatMap((one) => one.hashes))];
      const reads = await this.#options.source.readRecords(hashes, this.#floor);
      for (const one of batch) one.resolve(reads);
    } catch (error) {
      for (const one of batch) one.reject(error);
    }
  }
}
