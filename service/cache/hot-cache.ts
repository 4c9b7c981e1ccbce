import type { LRUCache } from 'lru-cache';
import type { KeyHash } from '../domain/brands.ts';
import type { Change } from '../domain/change.ts';
import type { SnapshotFloor } from '../domain/feed.ts';
import { CONFIRMED, HotKey, HotNamespace, HotRootKey } from '../domain/hot-records.ts';
import type { RecordRead, RecordReads, SharedObject } from '../domain/records.ts';
import type { SharedEntry } from '../domain/shared-entry.ts';
import type { Clock, FeedListener, Peek, Records, RecordSource } from '../verify/ports.ts';
import { ChangeLog, type ChangesSince } from './change-log.ts';
import { type HotRecord, HotTables, type HotTablesOptions } from './hot-tables.ts';
import { RecordLoader, type Found } from './record-loader.ts';
import { SharedLoader } from './shared-loader.ts';
import { SharedObjects } from './shared-objects.ts';

export interface HotCacheOptions extends Omit<HotTablesOptions, 'onLeave' | 'onEvict'> {
  readonly source: RecordSource;
  /** What a read that begins now must show at least: all that the feed has applied. */
  readonly floor: () => SnapshotFloor;
  readonly clock: Clock;
  /** A record older than this is read again in the background; a backstop, the feed is the mechanism. */
  readonly maxAgeMs: number;
  readonly loadConcurrency: number;
  readonly loadBatchSize: number;
  readonly maxWaitingLoads: number;
  /** Told of background reads that failed; what they concerned stays as it was. */
  readonly onBackgroundError: (error: unknown) => void;
}

/**
 * The records that a task holds in memory. `peek…` never waits and never allocates; `load…` reads what is missing. Kept right by
 * the change feed, whose listener it is: a change drops one record or makes one shared object stale, another epoch makes
 * everything unverified.
 */
export class HotCache implements FeedListener, Records {
  readonly counters = { hits: 0, misses: 0, evicted: 0 };
  readonly loader: RecordLoader;
  readonly #rootLoader: RecordLoader;
  readonly #options: HotCacheOptions;
  readonly #changes = new ChangeLog();
  readonly #shared = new SharedObjects();
  readonly #sharedLoader: SharedLoader;
  readonly #tables: HotTables;
  #epochGeneration = 0;

  constructor(options: HotCacheOptions) {
    this.#options = options;
    this.#tables = new HotTables({
      ...options,
      onLeave: (record) => this.#shared.release(record.dependencies),
      onEvict: () => (this.counters.evicted += 1),
    });
    const loading = {
      source: options.source,
      changes: this.#changes,
      accept: (hash: KeyHash, reads: RecordReads, since: ChangesSince) => this.#accept(hash, reads, since),
      floor: options.floor,
      concurrency: options.loadConcurrency,
      batchSize: options.loadBatchSize,
      maxWaiting: options.maxWaitingLoads,
    };
    this.loader = new RecordLoader(loading);
    // Root keys come from whoever calls, authenticated or not: made-up ones may not use up what keys need.
    this.#rootLoader = new RecordLoader({ ...loading, concurrency: 1 });
    this.#sharedLoader = new SharedLoader({
      source: options.source,
      changes: this.#changes,
      shared: this.#shared,
      floor: options.floor,
      epochGeneration: () => this.#epochGeneration,
    });
  }

  get sizes(): HotTables['sizes'] & { readonly shared: number } {
    const sizes = this.#tables.sizes;
    return { ...sizes, bytes: sizes.bytes + this.#shared.bytes, shared: this.#shared.size };
  }

  /** `nowMs` is monotonic. */
  peekKey(hash: KeyHash, nowMs: number): Peek<HotKey> {
    return this.#peek(this.#tables.keys, hash, nowMs);
  }

  peekRootKey(hash: KeyHash, nowMs: number): Peek<HotRootKey> {
    return this.#peek(this.#tables.rootKeys, hash, nowMs);
  }

  peekNamespace(hash: KeyHash, nowMs: number): Peek<HotNamespace> {
    return this.#peek(this.#tables.namespaces, hash, nowMs);
  }

  /** True while the record was read under the present writer. Unverified ones are for whoever may serve them. */
  isVerified(record: HotRecord): boolean {
    return record.epochGeneration === this.#epochGeneration || record.epochGeneration === CONFIRMED;
  }

  /** Reads the record, or what it waits for, and peeks again. */
  async loadKey(hash: KeyHash): Promise<HotKey | null> {
    return await this.#load(this.#tables.keys, hash, async () => (await this.loader.load(hash)).key);
  }

  async loadRootKey(hash: KeyHash): Promise<HotRootKey | null> {
    const load = async () => (await this.#rootLoader.load(hash)).rootKey;
    return await this.#load(this.#tables.rootKeys, hash, load);
  }

  async loadNamespace(hash: KeyHash): Promise<HotNamespace | null> {
    return await this.#load(
      this.#tables.namespaces,
      hash,
      async () => (await this.loader.load(hash)).namespace,
    );
  }

  /** Takes in a page read in bulk, before the task is ready. What changed while it was read is left out: it is read when asked for. */
  async warm<Page extends { readonly reads: RecordReads }>(read: () => Promise<Page>): Promise<Page> {
    const end = this.#changes.begin();
    try {
      const page = await read();
      const since = end();
      const { keys, rootKeys } = page.reads;
      for (const hash of [...keys.keys(), ...rootKeys.keys()]) this.#accept(hash, page.reads, since);
      return page;
    } finally {
      end();
    }
  }

  get hasRoom(): boolean {
    const { keys, bytes } = this.sizes;
    return keys < this.#options.maxKeys && bytes < this.#options.maxBytes * 0.95;
  }

  /** Hashes of records that the present writer hasn't vouched for, most recently used first. */
  unverified(): KeyHash[] {
    const hashes: KeyHash[] = [];
    for (const [hash, record] of this.#tables.records()) if (!this.isVerified(record)) hashes.push(hash);
    return hashes;
  }

  onChanges(changes: readonly Change[]): void {
    this.#changes.add(changes);
    for (const change of changes) {
      if (change.kind === 'probe') continue;
      if (change.kind === 'key' || change.kind === 'rootKey' || change.kind === 'namespace') {
        if (change.hash !== null) this.#tables.drop(change.hash);
        continue;
      }
      const entry = this.#shared.markStale({ kind: change.kind, id: change.id });
      if (entry !== undefined) this.#loadShared([entry]).catch(this.#options.onBackgroundError);
    }
  }

  onEpoch(): void {
    this.#changes.addEverything();
    this.#epochGeneration += 1;
    this.#tables.absent.clear();
  }

  onDistrust(): void {
    this.#changes.addEverything();
    this.#tables.clear();
  }

  #peek<R extends HotRecord>(records: LRUCache<KeyHash, R>, hash: KeyHash, nowMs: number): Peek<R> {
    const record = records.get(hash);
    if (record === undefined) {
      // A hash that belongs to a record of another kind belongs to none of this kind.
      if (this.#tables.absent.get(hash) === true || this.#tables.holds(hash)) return null;
      this.counters.misses += 1;
      return undefined;
    }
    if (!record.check(this.#shared.generation)) {
      this.counters.misses += 1;
      return undefined;
    }
    this.counters.hits += 1;
    if (nowMs - record.readAtMs > this.#options.maxAgeMs) this.#ageOut(record);
    return record;
  }

  #ageOut(record: HotRecord): void {
    // Tried again after a tenth of the age, however the read ends; until then the record serves on.
    record.readAtMs += this.#options.maxAgeMs / 10;
    this.loader.load(record.row.hash).catch(this.#options.onBackgroundError);
  }

  /** Reads the record unless it is held, verified, and waits for nothing. */
  async #load<R extends HotRecord>(
    records: LRUCache<KeyHash, R>,
    hash: KeyHash,
    load: () => Promise<R | null>,
  ): Promise<R | null> {
    for (let held = records.get(hash); held !== undefined; held = records.get(hash)) {
      if (held.check(this.#shared.generation)) {
        if (this.isVerified(held)) return held;
        break;
      }
      await this.#loadShared(held.dependencies.filter((entry) => !entry.fresh));
    }
    if (this.#tables.absent.get(hash) === true) return null;
    return await load();
  }

  async #loadShared(entries: readonly SharedEntry[]): Promise<void> {
    await this.#sharedLoader.load(entries);
    this.#makeRoom();
  }

  /**
   * Lets go of the least recently used keys until what is left has room together with what it refers to. Called wherever shared objects
   * may have come or grown.
   */
  #makeRoom(): void {
    const { keys } = this.#tables;
    while (keys.size > 0 && keys.calculatedSize + this.#shared.bytes > this.#options.maxBytes) keys.pop();
  }

  #accept(hash: KeyHash, reads: RecordReads, since: ChangesSince): Found | null {
    if (since.everything || since.hashes.has(hash)) return null;
    const key = reads.keys.get(hash);
    const rootKey = reads.rootKeys.get(hash);
    const namespace = reads.namespaces.get(hash);
    for (const read of [key, rootKey, namespace])
      if (read?.shared.some((object) => overtaken(object, since))) return null;
    const { keys, rootKeys, namespaces, absent } = this.#tables;
    if (key === undefined) keys.delete(hash);
    if (rootKey === undefined) rootKeys.delete(hash);
    if (namespace === undefined) namespaces.delete(hash);
    if (key === undefined && rootKey === undefined && namespace === undefined) absent.set(hash, true);
    return {
      key: key === undefined ? null : this.#store(keys, HotKey, key),
      rootKey: rootKey === undefined ? null : this.#store(rootKeys, HotRootKey, rootKey),
      namespace: namespace === undefined ? null : this.#store(namespaces, HotNamespace, namespace),
    };
  }

  #store<Row extends HotRecord['row'], R extends HotRecord & { row: Row; replace: Replace<Row> }>(
    records: LRUCache<KeyHash, R>,
    make: new (row: Row, dependencies: readonly SharedEntry[], generation: number, readAtMs: number) => R,
    { row, shared }: RecordRead<Row>,
  ): R {
    const dependencies = shared.map((object) => this.#shared.adopt(object, this.#epochGeneration));
    this.#shared.retain(dependencies);
    const held = records.peek(row.hash);
    const readAtMs = this.#options.clock.monotonicMs();
    if (held !== undefined) {
      const before = held.dependencies;
      held.replace(row, dependencies, this.#epochGeneration, readAtMs);
      held.checkedGeneration = this.#shared.generation;
      this.#shared.release(before);
      this.#makeRoom();
      return held;
    }
    const record = new make(row, dependencies, this.#epochGeneration, readAtMs);
    record.checkedGeneration = this.#shared.generation;
    // One that alone is larger than all the space isn't held; it serves whoever asked for it.
    if (bytesOf(dependencies) < this.#options.maxBytes) records.set(row.hash, record);
    if (!records.has(row.hash)) this.#shared.release(dependencies);
    this.#makeRoom();
    return record;
  }
}

type Replace<Row> = (
  row: Row,
  dependencies: readonly SharedEntry[],
  epochGeneration: number,
  readAtMs: number,
) => void;

function bytesOf(entries: readonly SharedEntry[]): number {
  return entries.reduce((sum, entry) => sum + entry.bytes, 0);
}

function overtaken(object: SharedObject, since: ChangesSince): boolean {
  return since.shared.has(`${object.kind}:${object.id}`);
}
