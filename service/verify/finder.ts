import type { KeyHash } from '../domain/brands.ts';
import { importedHashOf } from '../domain/held-under.ts';
import { CONFIRMED, HotKey, HotNamespace, HotRootKey } from '../domain/hot-records.ts';
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

/** A key's text as it was presented, and who presented it. */
export interface Presented {
  readonly text: string;
  /** The caller's: keys of other workspaces are as good as unknown. */
  readonly workspaceId: string;
  /** What an imported key may have been brought along with. */
  readonly migrationId?: string | undefined;
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
 *
 * A key that this zone made is held under the SHA-256 of its text, an imported one under a hash that its workspace is part of. Which
 * of the two a text is can't always be told, and that a key exists in another workspace may not be told at all. So a text that
 * isn't simply found is looked up in every way that it may be held in, and what is missing of that is read together: a key of
 * another workspace costs what an unknown one costs.
 */
export class RecordFinder {
  readonly counters = { servedStale: 0, servedUnverified: 0, confirmed: 0, refusedStale: 0 };
  readonly #options: FinderOptions;
  readonly #keys: Kind<HotKey>;
  readonly #rootKeys: Kind<HotRootKey>;
  readonly #namespaces: Kind<HotNamespace>;

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
    this.#namespaces = {
      peek: (hash, nowMs) => records.peekNamespace(hash, nowMs),
      load: async (hash) => await records.loadNamespace(hash),
      fromHome: (reads, hash, readAtMs) => transient(HotNamespace, reads.namespaces.get(hash), readAtMs),
    };
  }

  /** True while answers come from a view that is older than allowed (mode `serve`). */
  get isStale(): boolean {
    return this.#options.freshness.stalenessMs() > this.#options.maxStalenessMs;
  }

  get stalenessMs(): number {
    return this.#options.freshness.stalenessMs();
  }

  /** A key of the caller's own workspace. Throws Problem `wrong_zone` for the text of a key of another zone. */
  findKey(presented: Presented, need: Need = 'any'): HotKey | null | Promise<HotKey | null> {
    const elsewhere = this.#whileStale();
    if (elsewhere === 'refuse') return this.#refuse();
    // Looked at first, since a text without the marker could be made to have the hash that an imported key is held under.
    const marking = this.#options.guard.kindOf(presented.text);
    if (marking === 'malformed') return null;
    if (elsewhere === 'confirm') return this.#confirmKey(presented, marking === 'ours', null);
    if (marking === 'unmarked') return this.#findAmong([], presented, need);
    const hash = hashKey(presented.text);
    const found = this.#peek(this.#keys, hash, need);
    if (found !== null && found !== undefined && isOf(presented, found)) return found;
    return this.#findAmong([{ hash, found }], presented, need);
  }

  findRootKey(text: string, need: Need = 'any'): HotRootKey | null | Promise<HotRootKey | null> {
    const { guard } = this.#options;
    const elsewhere = this.#whileStale();
    if (elsewhere === 'refuse') return this.#refuse();
    if (elsewhere === 'confirm') return this.confirmRootKey(text, null);
    const hash = hashKey(text);
    const found = this.#peek(this.#rootKeys, hash, need);
    if (found !== undefined) return found;
    // The marker is read on a miss only: what is held in memory was admitted before.
    return guard.admits(text) ? this.#rootKeys.load(hash) : null;
  }

  findNamespace(hash: KeyHash, need: Need = 'any'): HotNamespace | null | Promise<HotNamespace | null> {
    const elsewhere = this.#whileStale();
    if (elsewhere === 'refuse') return this.#refuse();
    if (elsewhere === 'confirm') return this.confirmNamespace(hash, null);
    const found = this.#peek(this.#namespaces, hash, need);
    return found === undefined ? this.#namespaces.load(hash) : found;
  }

  /**
   * The record as home's database has it at this moment, which must show the revision; what is held in memory is left alone.
   */
  async confirmKey(presented: Presented, revision: Revision | null): Promise<HotKey | null> {
    const marking = this.#options.guard.kindOf(presented.text);
    return marking === 'malformed' ? null : await this.#confirmKey(presented, marking === 'ours', revision);
  }

  async confirmRootKey(text: string, revision: Revision | null): Promise<HotRootKey | null> {
    if (!this.#options.guard.admits(text)) return null;
    const [found = null] = await this.#confirm(this.#rootKeys, [hashKey(text)], revision);
    return found;
  }

  async confirmNamespace(hash: KeyHash, revision: Revision | null): Promise<HotNamespace | null> {
    const [found = null] = await this.#confirm(this.#namespaces, [hash], revision);
    return found;
  }

  /** What to do instead of looking in memory; `here`: nothing. */
  #whileStale(): 'here' | 'confirm' | 'refuse' {
    if (!this.isStale) return 'here';
    const { mode } = this.#options;
    if (mode !== 'serve') return mode;
    this.counters.servedStale += 1;
    return 'here';
  }

  /** Undefined: it has to be loaded. */
  #peek<R extends HotKey | HotRootKey | HotNamespace>(kind: Kind<R>, hash: KeyHash, need: Need): Peek<R> {
    const { mode, records, clock } = this.#options;
    const found = kind.peek(hash, clock.monotonicMs());
    if (found === undefined || found === null || records.isVerified(found)) return found;
    if (mode !== 'serve' || need === 'verified') return undefined;
    this.counters.servedUnverified += 1;
    return found;
  }

  /** Looks in every further way; `looked` is what has been looked at. What comes first wins, so nothing is passed over unread. */
  #findAmong(
    looked: readonly Looked[],
    presented: Presented,
    need: Need,
  ): HotKey | null | Promise<HotKey | null> {
    const all = [...looked];
    let complete = all.every(({ found }) => found !== undefined);
    for (const hash of importedHashesOf(presented)) {
      const found = this.#peek(this.#keys, hash, need);
      if (complete && found !== null && found !== undefined && isOf(presented, found)) return found;
      complete &&= found !== undefined;
      all.push({ hash, found });
    }
    return complete ? null : this.#loadMissing(all, presented);
  }

  async #loadMissing(looked: readonly Looked[], presented: Presented): Promise<HotKey | null> {
    // Begun in one turn, so that they share a statement.
    const all = await Promise.all(
      looked.map(async ({ hash, found }) => (found === undefined ? await this.#keys.load(hash) : found)),
    );
    return all.find((key) => key !== null && isOf(presented, key)) ?? null;
  }

  async #confirmKey(
    presented: Presented,
    isMarked: boolean,
    revision: Revision | null,
  ): Promise<HotKey | null> {
    const imported = importedHashesOf(presented);
    const hashes = isMarked ? [hashKey(presented.text), ...imported] : imported;
    const all = await this.#confirm(this.#keys, hashes, revision);
    return all.find((key) => key !== null && isOf(presented, key)) ?? null;
  }

  async #confirm<R>(
    kind: Kind<R>,
    hashes: readonly KeyHash[],
    revision: Revision | null,
  ): Promise<readonly (R | null)[]> {
    const { home, freshness, clock } = this.#options;
    this.counters.confirmed += 1;
    const reads = await home.readRecords(hashes, { mark: freshness.mark, revision });
    const readAtMs = clock.monotonicMs();
    return hashes.map((hash) => kind.fromHome(reads, hash, readAtMs));
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

/** One way in which a key may be held, and what memory says of it. */
interface Looked {
  readonly hash: KeyHash;
  readonly found: Peek<HotKey>;
}

/** What an imported key of this text would be held under: by its whole text, and by what the migration brought along. */
function importedHashesOf({ text, workspaceId, migrationId }: Presented): readonly KeyHash[] {
  const whole = importedHashOf(workspaceId, 'sha256', '', text);
  const prefixed =
    migrationId === undefined ? null : importedHashOf(workspaceId, 'prefixedApiKey', migrationId, text);
  return [whole, prefixed].filter((hash) => hash !== null);
}

function isOf({ workspaceId }: Presented, key: HotKey): boolean {
  return key.row.workspaceId === workspaceId;
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
