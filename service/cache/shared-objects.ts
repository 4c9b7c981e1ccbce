import type { SharedObject, SharedRef } from '../domain/records.ts';
import { SharedEntry } from '../domain/shared-entry.ts';
import { sharedKey } from './change-log.ts';

/** The shared objects that held records refer to, each once. An entry lives as long as a record refers to it. */
export class SharedObjects {
  readonly #entries = new Map<string, SharedEntry>();
  #generation = 0;

  /** Moves with every change of any entry: a record checked at this generation needs no second look. */
  get generation(): number {
    return this.#generation;
  }

  get size(): number {
    return this.#entries.size;
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
    for (const entry of entries) entry.references += 1;
  }

  release(entries: readonly SharedEntry[]): void {
    for (const entry of entries) {
      entry.references -= 1;
      if (entry.references === 0) this.#entries.delete(sharedKey(entry));
    }
  }
}
