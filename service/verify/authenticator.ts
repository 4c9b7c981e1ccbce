import type { HotRootKey } from '../domain/hot-records.ts';
import { Problem } from '../domain/problem.ts';
import type { Principal } from '../domain/principal.ts';
import type { Revision } from '../domain/revision.ts';
import type { Need, RecordFinder } from './finder.ts';
import type { Clock } from './ports.ts';

/** Turns a root key's text into who is calling. Synchronous for a root key that is held in memory. Refusals are thrown Problems. */
export class Authenticator {
  readonly #finder: RecordFinder;
  readonly #clock: Clock;

  constructor(options: { finder: RecordFinder; clock: Clock }) {
    this.#finder = options.finder;
    this.#clock = options.clock;
  }

  authenticate(rootKeyText: string, need: Need = 'any'): Principal | Promise<Principal> {
    const found = this.#finder.findRootKey(rootKeyText, need);
    if (found instanceof Promise) return found.then((record) => this.#conclude(record));
    return this.#conclude(found);
  }

  /** As home's database has it at this moment, which must show the revision. */
  async confirm(rootKeyText: string, revision: Revision): Promise<Principal> {
    return this.#conclude(await this.#finder.confirmRootKey(rootKeyText, revision));
  }

  #conclude(record: HotRootKey | null): Principal {
    if (record === null) throw unknown();
    const { row } = record;
    if (!row.enabled) throw new Problem('root_key_disabled', 'The root key is disabled.');
    if (row.expiresAtMs !== null && row.expiresAtMs <= this.#clock.nowMs()) {
      throw new Problem('root_key_expired', 'The root key has expired.');
    }
    for (const { object, kind } of record.dependencies) {
      if (kind !== 'workspace') continue;
      if (object === null) throw unknown();
      if (object.kind === 'workspace' && !object.enabled) {
        throw new Problem('workspace_disabled', 'The workspace of this root key is disabled.');
      }
    }
    return record.principal;
  }
}

function unknown(): Problem {
  return new Problem('root_key_not_found', 'No root key of this zone has this text.');
}
