import { LRUCache } from 'lru-cache';
import { decide, isVisible, type VerdictCode } from '../domain/decide.ts';
import type { HotKey } from '../domain/hot-records.ts';
import { type AppliedLimit, limitsOf, type WantedLimit } from '../domain/key-limits.ts';
import { parsePermissionQuery, type PermissionQuery } from '../domain/permission-query.ts';
import type { Principal } from '../domain/principal.ts';
import { Problem } from '../domain/problem.ts';
import type { Revision } from '../domain/revision.ts';
import type { Need, RecordFinder } from './finder.ts';
import type {
  Clock,
  CreditSpender,
  ExactRateLimiter,
  RateLimiter,
  RateLimitState,
  Records,
  Spent,
} from './ports.ts';

export interface VerifyRequest {
  /** The presented key's text. */
  readonly key: string;
  /** Text of a permission query, if any. */
  readonly permissions: string | undefined;
  /** What an imported key may have been brought along with. */
  readonly migrationId?: string | undefined;
  /** Credits to take of a key that has a bounded number; 0 takes none. @default 1 */
  readonly cost?: number | undefined;
  /** Each name once; `limit` and `duration` together or neither. */
  readonly ratelimits?: readonly WantedLimit[] | undefined;
  /** Asked only where the key's API has IP rules. */
  readonly clientAddress: () => string;
}

export interface Verdict {
  readonly code: VerdictCode;
  /** Null with NOT_FOUND. */
  readonly key: HotKey | null;
  /** The limits that were looked at, and what each said. */
  readonly limits: readonly AppliedLimit[];
  readonly states: readonly RateLimitState[];
  /** What is left after this call, as far as it is known; null: unlimited, or NOT_FOUND. */
  readonly credits: number | null;
  /** How far behind home the view was, in ms, where that is more than the zone allows and the task serves on; else null. */
  readonly staleMs: number | null;
  /** The record hasn't been read again since another region became home. */
  readonly unverified: boolean;
}

export interface VerifierOptions {
  readonly finder: RecordFinder;
  readonly records: Pick<Records, 'isVerified'>;
  readonly limiter: RateLimiter;
  /** Asked where one of the limits is exact. */
  readonly exactLimiter: ExactRateLimiter;
  readonly credits: CreditSpender;
  readonly clock: Clock;
}

/** What a verification took of its limits, and who takes it back. */
interface Taken {
  readonly limits: readonly AppliedLimit[];
  readonly states: readonly RateLimitState[];
  readonly atMs: number;
  readonly by: Pick<RateLimiter, 'giveBack'>;
}

/** Parsed queries kept; callers use a handful. */
const QUERIES_MAX = 1000;
const DEFAULT_COST = 1;
const NO_LIMITS: readonly AppliedLimit[] = [];
const NO_STATES: readonly RateLimitState[] = [];

/**
 * The use case of `keys.verifyKey`. Synchronous, without I/O, for a key that is held in memory, of whose limits none is exact, and whose
 * credits needn't be asked for.
 */
export class Verifier {
  readonly counters = new Map<VerdictCode, number>();
  readonly #options: VerifierOptions;
  readonly #queries = new LRUCache<string, PermissionQuery>({ max: QUERIES_MAX });

  constructor(options: VerifierOptions) {
    this.#options = options;
  }

  verify(principal: Principal, request: VerifyRequest, need: Need = 'any'): Verdict | Promise<Verdict> {
    const { key: text, migrationId } = request;
    const found = this.#options.finder.findKey(
      { text, workspaceId: principal.workspaceId, migrationId },
      need,
    );
    if (found instanceof Promise) {
      return found.then(async (key) => await this.#conclude(key, principal, request));
    }
    return this.#conclude(found, principal, request);
  }

  /** As home's database has the key at this moment, which must show the revision. */
  async confirm(principal: Principal, request: VerifyRequest, revision: Revision): Promise<Verdict> {
    const { key: text, migrationId } = request;
    const presented = { text, workspaceId: principal.workspaceId, migrationId };
    return await this.#conclude(
      await this.#options.finder.confirmKey(presented, revision),
      principal,
      request,
    );
  }

  /** The order is part of the interface; what limits and credits say comes last, since only an admissible call spends. */
  #conclude(key: HotKey | null, principal: Principal, request: VerifyRequest): Verdict | Promise<Verdict> {
    if (key === null || !isVisible(key, principal)) return this.#verdict('NOT_FOUND', null);
    const query = request.permissions === undefined ? null : this.#query(request.permissions);
    const nowMs = this.#options.clock.nowMs();
    const code = decide(key, { principal, query, clientAddress: request.clientAddress, nowMs });
    if (code !== 'VALID') return this.#verdict(code, key);

    const limits = limitsOf(key.row, key.view.identity, key.autoLimits, request.ratelimits, unknownLimit);
    const { limiter, exactLimiter } = this.#options;
    const cost = request.cost ?? DEFAULT_COST;
    if (limits.some(isExact)) {
      return exactLimiter
        .take(principal.workspaceId, limits, nowMs)
        .then((states) => this.#spend(key, cost, { limits, states, atMs: nowMs, by: exactLimiter }));
    }
    const states = limits.length === 0 ? NO_STATES : limiter.take(principal.workspaceId, limits, nowMs);
    return this.#spend(key, cost, { limits, states, atMs: nowMs, by: limiter });
  }

  /** Whatever is not spent gives the limits back: a call that didn't pass uses up nothing. */
  #spend(key: HotKey, cost: number, taken: Taken): Verdict | Promise<Verdict> {
    const { limits, states } = taken;
    if (states.some(isExceeded)) return this.#verdict('RATE_LIMITED', key, limits, states);
    if (key.row.creditAccountId === null || cost === 0) return this.#verdict('VALID', key, limits, states);

    const { credits } = this.#options;
    const account = key.view.credits;
    const giveBack = (): void => taken.by.giveBack(key.row.workspaceId, limits, taken.atMs);
    const conclude = ({ spent, free }: Spent): Verdict => {
      if (spent) return this.#verdict('VALID', key, limits, states, free);
      giveBack();
      return this.#verdict('USAGE_EXCEEDED', key, limits, statesGivenBack(taken), free);
    };
    const failed = (error: unknown): never => {
      giveBack();
      throw error;
    };
    if (account === null) return failed(missingAccount());
    const outcome = credits.spend(account, cost);
    return outcome instanceof Promise ? outcome.then(conclude, failed) : conclude(outcome);
  }

  #verdict(
    code: VerdictCode,
    key: HotKey | null,
    limits: readonly AppliedLimit[] = NO_LIMITS,
    states: readonly RateLimitState[] = NO_STATES,
    free?: number,
  ): Verdict {
    this.counters.set(code, (this.counters.get(code) ?? 0) + 1);
    const { finder, records } = this.#options;
    return {
      code,
      key,
      limits,
      states,
      credits: free ?? this.#balanceOf(key),
      staleMs: finder.isStale ? finder.stalenessMs : null,
      unverified: key !== null && !records.isVerified(key),
    };
  }

  #balanceOf(key: HotKey | null): number | null {
    if (key === null || key.row.creditAccountId === null) return null;
    const account = key.view.credits;
    return account === null ? null : this.#options.credits.balanceOf(account);
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

function isExceeded(state: RateLimitState): boolean {
  return state.exceeded;
}

function isExact({ exact }: AppliedLimit): boolean {
  return exact !== undefined;
}

/** What the limits say once their units were given back: each counts for itself, and none was exceeded. */
function statesGivenBack({ limits, states }: Taken): readonly RateLimitState[] {
  return states.map((state, index) => ({
    ...state,
    remaining: state.remaining + (limits[index]?.cost ?? 0),
  }));
}

function unknownLimit(name: string): never {
  throw new Problem(
    'rate_limit_not_found',
    `Neither the key nor its identity has a rate limit named "${name}".`,
  );
}

/** The row of an account outlives the keys that refer to it; should it be missing all the same, nobody may spend of it. */
function missingAccount(): Problem {
  return new Problem(
    'credits_unavailable',
    'The account of this key’s credits could not be found; none were taken.',
    {
      retryAfterS: 1,
    },
  );
}
