import type { SnapshotFloor } from '../domain/feed.ts';
import { Problem } from '../domain/problem.ts';
import type { SharedEntry } from '../domain/shared-entry.ts';
import type { RecordSource } from '../verify/ports.ts';
import { sharedKey, type ChangeLog } from './change-log.ts';
import type { SharedObjects } from './shared-objects.ts';

export interface SharedLoaderOptions {
  readonly source: RecordSource;
  readonly changes: ChangeLog;
  readonly shared: SharedObjects;
  /** What a read that begins now must show at least. */
  readonly floor: () => SnapshotFloor;
  /** Of the writer's epoch, at this moment. */
  readonly epochGeneration: () => number;
}

const MAX_ATTEMPTS = 8;

/** Reads stale shared objects again, all that are asked for in one turn in one statement. */
export class SharedLoader {
  readonly #options: SharedLoaderOptions;
  #next: { readonly entries: Set<SharedEntry>; readonly done: Promise<void> } | null = null;

  constructor(options: SharedLoaderOptions) {
    this.#options = options;
  }

  /** Resolves when all entries are fresh. Fails as the source fails. */
  async load(entries: readonly SharedEntry[]): Promise<void> {
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt += 1) {
      const stale = entries.filter((entry) => !entry.fresh);
      if (stale.length === 0) return;
      await this.#join(stale);
    }
    if (entries.every((entry) => entry.fresh)) return;
    throw new Problem('database_unavailable', 'What the key refers to kept changing while it was read.', {
      retryAfterS: 1,
    });
  }

  #join(entries: readonly SharedEntry[]): Promise<void> {
    this.#next ??= { entries: new Set(), done: Promise.resolve().then(() => this.#readNext()) };
    for (const entry of entries) this.#next.entries.add(entry);
    return this.#next.done;
  }

  async #readNext(): Promise<void> {
    const entries = [...(this.#next?.entries ?? [])];
    this.#next = null;
    const { source, changes, shared, epochGeneration, floor } = this.#options;
    const end = changes.begin();
    try {
      const objects = await source.readShared(entries, floor());
      const since = end();
      if (since.everything) return;
      const byKey = new Map(objects.map((object) => [sharedKey(object), object]));
      for (const entry of entries) {
        const key = sharedKey(entry);
        if (!since.shared.has(key)) shared.refresh(entry, byKey.get(key) ?? null, epochGeneration());
      }
    } catch (error) {
      end();
      throw error;
    }
  }
}
