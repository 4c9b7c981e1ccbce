import type { KeyHash } from '../domain/brands.ts';
import type { SnapshotFloor } from '../domain/feed.ts';
import { Problem } from '../domain/problem.ts';
import type { RecordReads, SharedObject, SharedRef } from '../domain/records.ts';
import type { RecordSource } from '../verify/ports.ts';

export interface FallbackSourceOptions {
  /** The instance that the feed runs on at this moment. */
  readonly own: () => RecordSource;
  /** False while that instance doesn't answer the feed: then it isn't asked first. */
  readonly ownAnswers: () => boolean;
  /** Home's database. The floor keeps it from being an earlier home's. */
  readonly home: RecordSource;
  /** Readers of other regions, for when home is lost as well. The floor makes them as good as the region's own. */
  readonly others: RecordSource;
  readonly onFallback: (error: unknown) => void;
}

/**
 * Reads from the region's own reader; where that is lost, from home, and where that is lost as well, from another region. Fails with
 * `database_unavailable` where nobody answers.
 */
export class FallbackSource implements RecordSource {
  readonly counters = { fallbacks: 0 };
  readonly #options: FallbackSourceOptions;

  constructor(options: FallbackSourceOptions) {
    this.#options = options;
  }

  async readRecords(hashes: readonly KeyHash[], floor?: SnapshotFloor): Promise<RecordReads> {
    return await this.#read(async (source) => await source.readRecords(hashes, floor));
  }

  async readShared(refs: readonly SharedRef[], floor?: SnapshotFloor): Promise<readonly SharedObject[]> {
    return await this.#read(async (source) => await source.readShared(refs, floor));
  }

  async #read<T>(read: (source: RecordSource) => Promise<T>): Promise<T> {
    const { own, home, others, ownAnswers, onFallback } = this.#options;
    const sources = ownAnswers() ? [own(), home, others] : [home, others, own()];
    const failures: unknown[] = [];
    for (const source of sources) {
      try {
        return await read(source);
      } catch (error) {
        failures.push(error);
        onFallback(error);
        this.counters.fallbacks += 1;
      }
    }
    throw new Problem(
      'database_unavailable',
      'Neither this region’s reader nor home nor another region could be asked.',
      {
        retryAfterS: 1,
        cause: failures[0],
      },
    );
  }
}
