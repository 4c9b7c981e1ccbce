import type { KeyHash } from '../domain/brands.ts';
import type { Change } from '../domain/change.ts';
import type { SharedRef } from '../domain/records.ts';

/** What changed while one read was under way. */
export interface ChangesSince {
  /** The writer changed or the feed was distrusted: nothing that was read may be kept. */
  readonly everything: boolean;
  readonly hashes: ReadonlySet<KeyHash>;
  /** Keys as `sharedKey` makes them. */
  readonly shared: ReadonlySet<string>;
}

/** The map key of a shared object. */
export function sharedKey(ref: SharedRef): string {
  return `${ref.kind}:${ref.id}`;
}

/**
 * Remembers the changes that arrive while records are being read, so that a read whose snapshot may be older than a change is
 * discarded. Costs nothing while no read is under way.
 *
 * Why it suffices: feed and reads run on the same instance. A change that the feed delivered before the read began is in the
 * read's snapshot; one that it delivers after the read returned meets the stored record and drops it; only what arrives between
 * the two needs this log.
 */
export class ChangeLog {
  readonly #open = new Set<{ everything: boolean; hashes: Set<KeyHash>; shared: Set<string> }>();

  /** Call when a read begins; the returned function when it has returned, in the same turn in which its answer is stored. */
  begin(): () => ChangesSince {
    const since = { everything: false, hashes: new Set<KeyHash>(), shared: new Set<string>() };
    this.#open.add(since);
    return () => {
      this.#open.delete(since);
      return since;
    };
  }

  add(changes: readonly Change[]): void {
    for (const since of this.#open) {
      for (const change of changes) {
        if (change.hash !== null) since.hashes.add(change.hash);
        else since.shared.add(`${change.kind}:${change.id}`);
      }
    }
  }

  addEverything(): void {
    for (const since of this.#open) since.everything = true;
  }
}
