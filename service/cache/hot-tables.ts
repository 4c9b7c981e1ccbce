import { LRUCache } from 'lru-cache';
import type { KeyHash } from '../domain/brands.ts';
import type { HotKey, HotNamespace, HotRootKey } from '../domain/hot-records.ts';
import { namespaceSizeOf, sizeOf } from './record-size.ts';

export type HotRecord = HotKey | HotRootKey | HotNamespace;

export interface HotTablesOptions {
  /**
   * Bounds of the hot keys; the least recently used leave first. Bytes are an estimate of the heap that they take, together with what
   * they refer to.
   */
  readonly maxKeys: number;
  readonly maxBytes: number;
  readonly maxRootKeys: number;
  readonly maxNamespaces: number;
  /** Hashes known to be nobody's. They have a space of their own, so that made-up keys can't push real ones out. */
  readonly maxAbsent: number;
  /** A hash is known to be nobody's for so long. */
  readonly maxAgeMs: number;
  /** Told of each record that leaves, however it does. */
  readonly onLeave: (record: HotRecord) => void;
  /** Told of each key that left because there was no room. */
  readonly onEvict: () => void;
}

/** Beside the hot keys' bytes, what namespaces may take: this share of them, and room for the largest one in any case. */
const NAMESPACE_SHARE = 0.05;
const NAMESPACE_BYTES_MIN = 16 * 1024 * 1024;

/** Where each kind of record lies. A hash belongs to one record, or is known to be nobody's. */
export class HotTables {
  readonly keys: LRUCache<KeyHash, HotKey>;
  readonly rootKeys: LRUCache<KeyHash, HotRootKey>;
  readonly namespaces: LRUCache<KeyHash, HotNamespace>;
  readonly absent: LRUCache<KeyHash, true>;

  constructor({ onLeave, onEvict, ...options }: HotTablesOptions) {
    this.keys = new LRUCache<KeyHash, HotKey>({
      max: options.maxKeys,
      maxSize: options.maxBytes,
      sizeCalculation: sizeOf,
      dispose: (record, _hash, reason) => {
        onLeave(record);
        if (reason === 'evict') onEvict();
      },
    });
    this.rootKeys = new LRUCache<KeyHash, HotRootKey>({ max: options.maxRootKeys, dispose: onLeave });
    this.namespaces = new LRUCache<KeyHash, HotNamespace>({
      max: options.maxNamespaces,
      maxSize: Math.max(NAMESPACE_BYTES_MIN, Math.floor(options.maxBytes * NAMESPACE_SHARE)),
      sizeCalculation: namespaceSizeOf,
      dispose: onLeave,
    });
    this.absent = new LRUCache({ max: options.maxAbsent, ttl: options.maxAgeMs });
  }

  get sizes(): { keys: number; bytes: number; rootKeys: number; namespaces: number; absent: number } {
    return {
      keys: this.keys.size,
      bytes: this.keys.calculatedSize,
      rootKeys: this.rootKeys.size,
      namespaces: this.namespaces.size,
      absent: this.absent.size,
    };
  }

  /** True where a record of any kind lies under the hash. */
  holds(hash: KeyHash): boolean {
    return this.keys.has(hash) || this.rootKeys.has(hash) || this.namespaces.has(hash);
  }

  /** All records, root keys first, of each kind the most recently used first. */
  *records(): Generator<[KeyHash, HotRecord]> {
    yield* this.rootKeys.entries();
    yield* this.namespaces.entries();
    yield* this.keys.entries();
  }

  drop(hash: KeyHash): void {
    this.keys.delete(hash);
    this.rootKeys.delete(hash);
    this.namespaces.delete(hash);
    this.absent.delete(hash);
  }

  clear(): void {
    this.keys.clear();
    this.rootKeys.clear();
    this.namespaces.clear();
    this.absent.clear();
  }
}
