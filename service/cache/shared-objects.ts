import type { SharedObject, SharedRef } from '../domain/records.ts';
import { SharedEntry } from '../domain/shared-entry.ts';
import { sharedKey } from './change-log.ts';
import { sharedSizeOf } from './record-size.ts';

/** The shared objects that held records refer to, each once. An entry lives as long as a record refers to it. */
export class SharedObjects {
  readonly #entries = new Map<string, SharedEntry>();
  #generation = 0;
  #bytes = 0;

  /** Moves with every change of any entry: a record checked at this generation needs no second look. Starts at 0. */
  get generation(): number {
    return this.#generation;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** Estimated heap of all of them, as they are at this moment. */
  get bytes(): number {
    return this.#bytes;
  }

  /**
   * The entry for what a record read shows. An entry that is fresh under the present writer stays as it is: the feed keeps it
   * right. The caller has made sure that no change of it arrived since the read began.
   */
  adopt(object: SharedObject, epochGeneration: number): SharedEntry {
    const key = sharedKey(object);
    let entry = this.#entries.get(key);
    if (entry === undefined) {
      entry = new SharedEntry(object.kind, object.id, object, epochGeneration);
      entry.bytes = sharedSizeOf(object);
      this.#entries.set(key, entry);
    } else if (!entry.fresh || entry.epochGeneration !== epochGeneration) {
      this.refresh(entry, object, epochGeneration);
    }
    return entry;
  }

  /** Takes over what was read again; null: the object no longer exists. */
  refresh(entry: SharedEntry, object: SharedObject | null, epochGeneration: number): void {
    entry.object = object;
    entry.fresh = true;
    entry.epochGeneration = epochGeneration;
    this.#generation += 1;
    entry.changedGeneration = this.#generation;
    const bytes = sharedSizeOf(object);
    // An entry that was let go while it was being read counts no more.
    if (entry.references > 0) this.#bytes += bytes - entry.bytes;
    entry.bytes = bytes;
  }

  /** Returns the entry that became stale, or undefined where nothing refers to the object. */
  markStale(ref: SharedRef): SharedEntry | undefined {
    const entry = this.#entries.get(sharedKey(ref));
    if (entry === undefined) return undefined;
    entry.fresh = false;
    this.#generation += 1;
    return entry;
  }

  retain(entries: readonly SharedEntry[]): void {
    for (const entry of entries) {
      if (entry.references === 0) this.#bytes += entry.bytes;
      entry.references += 1;
    }
  }

  release(entries: readonly SharedEntry[]): void {
    for (const entry of entries) {
      entry.references -= 1;
      if (entry.references > 0) continue;
      this.#entries.delete(sharedKey(entry));
      this.#bytes -= entry.bytes;
    }
  }
}
