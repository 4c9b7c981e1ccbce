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
  readonly onFallback: (error: unknown) => void;
}

/** Reads from the region's own reader, and from home where that is lost. Fails with `database_unavailable` where both are. */
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
    const { own, home, ownAnswers, onFallback } = this.#options;
    const [first, second] = ownAnswers() ? [own(), home] : [home, own()];
    try {
      return await read(first);
    } catch (error) {
      onFallback(error);
      this.counters.fallbacks += 1;
    }
    try {
      return await read(second);
    } catch (error) {
      throw new Problem('database_unavailable', 'Neither this region’s reader nor home could be asked.', {
        retryAfterS: 1,
        cause: error,
      });
    }
  }
}
