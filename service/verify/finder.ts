import type { KeyHash } from '../domain/brands.ts';
import { CONFIRMED, HotKey, HotRootKey } from '../domain/hot-records.ts';
import { hashKey } from '../domain/key-text.ts';
import { Problem } from '../domain/problem.ts';
import type { RecordRead, RecordReads } from '../domain/records.ts';
import type { Revision } from '../domain/revision.ts';
import { SharedEntry } from '../domain/shared-entry.ts';
import type { KeyTextGuard } from './key-text-guard.ts';
import type { Clock, Freshness, Peek, Records, RecordSource } from './ports.ts';

/**
 * What a task does when its view is older than allowed: `serve` goes on from memory and flags it, `confirm` asks home each time,
 * `refuse` answers 503.
 */
export type StalenessMode = 'serve' | 'confirm' | 'refuse';

/** `verified`: a record of an earlier writer won't do, whatever the mode. */
export type Need = 'any' | 'verified';

export interface FinderOptions {
  readonly records: Records;
  readonly freshness: Freshness;
  readonly guard: KeyTextGuard;
  /** Home's database, asked directly; fails with Problem `no_home` where it can't be reached. */
  readonly home: RecordSource;
  readonly clock: Clock;
  readonly maxStalenessMs: number;
  readonly mode: StalenessMode;
}

/** What kind of record, and how to get at it. */
interface Kind<R> {
  readonly peek: (hash: KeyHash, nowMs: number) => Peek<R>;
  readonly load: (hash: KeyHash) => Promise<R | null>;
  readonly fromHome: (reads: RecordReads, hash: KeyHash, readAtMs: number) => R | null;
}

/**
 * Finds the record to decide by, under the zone's staleness rule. With a hot record and a current view the answer is synchronous;
 * everything else returns a promise.
 */
export class RecordFinder {
  readonly counters = { servedStale: 0, servedUnverified: 0, confirmed: 0, refusedStale: 0 };
  readonly #options: FinderOptions;
  readonly #keys: Kind<HotKey>;
  readonly #rootKeys: Kind<HotRootKey>;

  constructor(options: FinderOptions) {
    const { records } = options;
    this.#options = options;
    this.#keys = {
      peek: (hash, nowMs) => records.peekKey(hash, nowMs),
      load: async (hash) => await records.loadKey(hash),
      fromHome: (reads, hash, readAtMs) => transient(HotKey, reads.keys.get(hash), readAtMs),
    };
    this.#rootKeys = {
      peek: (hash, nowMs) => records.peekRootKey(hash, nowMs),
      load: async (hash) => await records.loadRootKey(hash),
      fromHome: (reads, hash, readAtMs) => transient(HotRootKey, reads.rootKeys.get(hash), readAtMs),
    };
  }

  /** True while answers come from a view that is older than allowed (mode `serve`). */
  get isStale(): boolean {
    return this.#options.freshness.stalenessMs() > this.#options.maxStalenessMs;
  }

  get stalenessMs(): number {
    return this.#options.freshness.stalenessMs();
  }

  findKey(text: string, need: Need = 'any'): HotKey | null | Promise<HotKey | null> {
    return this.#find(this.#keys, text, need);
  }

  findRootKey(text: string, need: Need = 'any'): HotRootKey | null | Promise<HotRootKey | null> {
    return this.#find(this.#rootKeys, text, need);
  }

  /**
   * The record as home's database has it at this moment, which must show the revision; what is held in memory is left alone.
   */
  async confirmKey(text: string, revision: Revision): Promise<HotKey | null> {
    return await this.#confirm(this.#keys, text, revision);
  }

  async confirmRootKey(text: string, revision: Revision): Promise<HotRootKey | null> {
    return await this.#confirm(this.#rootKeys, text, revision);
  }

  #find<R extends HotKey | HotRootKey>(
    kind: Kind<R>,
    text: string,
    need: Need,
  ): R | null | Promise<R | null> {
    const { mode, records, clock, guard } = this.#options;
    if (this.isStale) {
      if (mode === 'confirm') return this.#confirm(kind, text, null);
      if (mode === 'refuse') return this.#refuse();
      this.counters.servedStale += 1;
    }
    const hash = hashKey(text);
    const found = kind.peek(hash, clock.monotonicMs());
    // The marker is read on a miss only: what is held in memory was admitted before.
    if (found === undefined) return guard.admits(text) ? kind.load(hash) : null;
    if (found === null || records.isVerified(found)) return found;
    if (mode !== 'serve' || need === 'verified') return kind.load(hash);
    this.counters.servedUnverified += 1;
    return found;
  }

  async #confirm<R>(kind: Kind<R>, text: string, revision: Revision | null): Promise<R | null> {
    const { guard, home, freshness, clock } = this.#options;
    if (!guard.admits(text)) return null;
    this.counters.confirmed += 1;
    const hash = hashKey(text);
    const reads = await home.readRecords([hash], { mark: freshness.mark, revision });
    return kind.fromHome(reads, hash, clock.monotonicMs());
  }

  async #refuse(): Promise<never> {
    this.counters.refusedStale += 1;
    const { maxStalenessMs } = this.#options;
    throw new Problem(
      'too_stale',
      `This region's view is ${Math.round(this.stalenessMs)} ms behind its home, more than the ${maxStalenessMs} ms that the zone allows.`,
      { retryAfterS: 1 },
    );
  }
}

/** A record made for one answer and held nowhere. */
function transient<Row, R>(
  make: new (row: Row, dependencies: readonly SharedEntry[], epochGeneration: number, readAtMs: number) => R,
  read: RecordRead<Row> | undefined,
  readAtMs: number,
): R | null {
  if (read === undefined) return null;
  const entries = read.shared.map((object) => new SharedEntry(object.kind, object.id, object, CONFIRMED));
  return new make(read.row, entries, CONFIRMED, readAtMs);
}
