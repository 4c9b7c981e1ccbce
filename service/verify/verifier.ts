import { LRUCache } from 'lru-cache';
import { decide, isVisible, type VerdictCode } from '../domain/decide.ts';
import type { HotKey } from '../domain/hot-records.ts';
import { parsePermissionQuery, type PermissionQuery } from '../domain/permission-query.ts';
import type { Principal } from '../domain/principal.ts';
import type { Revision } from '../domain/revision.ts';
import type { Need, RecordFinder } from './finder.ts';
import type { Clock, Records } from './ports.ts';

export interface VerifyRequest {
  /** The presented key's text. */
  readonly key: string;
  /** Text of a permission query, if any. */
  readonly permissions: string | undefined;
  /** Asked only where the key's API has IP rules. */
  readonly clientAddress: () => string;
}

export interface Verdict {
  readonly code: VerdictCode;
  /** Null with NOT_FOUND. */
  readonly key: HotKey | null;
  /** How far behind home the view was, in ms, where that is more than the zone allows and the task serves on; else null. */
  readonly staleMs: number | null;
  /** The record hasn't been read again since another region became home. */
  readonly unverified: boolean;
}

/** Parsed queries kept; callers use a handful. */
const QUERIES_MAX = 1000;

/** The use case of `keys.verifyKey`. Synchronous, without I/O, for a key that is held in memory. */
export class Verifier {
  readonly counters = new Map<VerdictCode, number>();
  readonly #finder: RecordFinder;
  readonly #records: Records;
  readonly #clock: Clock;
  readonly #queries = new LRUCache<string, PermissionQuery>({ max: QUERIES_MAX });

  constructor(options: { finder: RecordFinder; records: Records; clock: Clock }) {
    this.#finder = options.finder;
    this.#records = options.records;
    this.#clock = options.clock;
  }

  verify(principal: Principal, request: VerifyRequest, need: Need = 'any'): Verdict | Promise<Verdict> {
    const found = this.#finder.findKey(request.key, need);
    if (found instanceof Promise) return found.then((key) => this.#conclude(key, principal, request));
    return this.#conclude(found, principal, request);
  }

  /** As home's database has the key at this moment, which must show the revision. */
  async confirm(principal: Principal, request: VerifyRequest, revision: Revision): Promise<Verdict> {
    const key = await this.#finder.confirmKey(request.key, revision);
    return this.#conclude(key, principal, request);
  }

  #conclude(key: HotKey | null, principal: Principal, request: VerifyRequest): Verdict {
    if (key === null || !isVisible(key, principal)) return this.#verdict('NOT_FOUND', null);
    const query = request.permissions === undefined ? null : this.#query(request.permissions);
    const code = decide(key, {
      principal,
      query,
      clientAddress: request.clientAddress,
      nowMs: this.#clock.nowMs(),
    });
    return this.#verdict(code, key);
  }

  #verdict(code: VerdictCode, key: HotKey | null): Verdict {
    this.counters.set(code, (this.counters.get(code) ?? 0) + 1);
    return {
      code,
      key,
      staleMs: this.#finder.isStale ? this.#finder.stalenessMs : null,
      unverified: key !== null && !this.#records.isVerified(key),
    };
  }

  #query(text: string): PermissionQuery {
    let query = this.#queries.get(text);
    if (query === undefined) {
      query = parsePermissionQuery(text);
      this.#queries.set(text, query);
    }
    return query;
  }
}
