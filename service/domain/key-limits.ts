import { counterName } from './counter-name.ts';
import type { IdentityObject, KeyRow, OnUnavailable, RateLimitRule, StoredRateLimit } from './records.ts';

/** What a verification's request says of a limit. `limit` and `duration` come together; the border has seen to it. */
export interface WantedLimit {
  readonly name: string;
  /** Units to take. @default 1 */
  readonly cost?: number;
  readonly limit?: number;
  /** Length of the window in ms. */
  readonly duration?: number;
}

/** One limit that a verification asks, and what its answer says of it. */
export class AppliedLimit implements RateLimitRule {
  /** Empty: the request brought the limit along. */
  readonly id: string;
  readonly name: string;
  readonly limit: number;
  readonly durationMs: number;
  readonly autoApply: boolean;
  /** What is counted together: of a stored limit its id, which the keys of an identity share. */
  readonly counter: string;
  readonly cost: number;
  readonly exact?: OnUnavailable;
  /** What the answer says of it whatever is left, as JSON text; made at the first use. */
  answerHead: string | null = null;

  constructor(stored: StoredRateLimit, counter: string, cost: number) {
    this.id = stored.id;
    this.name = stored.name;
    this.limit = stored.limit;
    this.durationMs = stored.durationMs;
    this.autoApply = stored.autoApply;
    this.counter = counter;
    this.cost = cost;
    if (stored.exact !== undefined) this.exact = stored.exact;
  }
}

const DEFAULT_COST = 1;

type LimitedKey = Pick<KeyRow, 'keyId' | 'ratelimits'>;

/** The limits that every verification of the key asks. A limit of the key hides the one of that name of its identity. */
export function autoLimitsOf(key: LimitedKey, identity: IdentityObject | null): readonly AppliedLimit[] {
  const shared = identity === null ? NO_LIMITS : identityLimits(identity);
  if (key.ratelimits.length === 0) return shared;
  return [
    ...appliedAlways(key.ratelimits),
    ...shared.filter(({ name }) => !key.ratelimits.some(isNamed(name))),
  ];
}

const NO_LIMITS: readonly AppliedLimit[] = [];
const IDENTITY_LIMITS = new WeakMap<IdentityObject, readonly AppliedLimit[]>();

/** Made once for all keys of an identity, however many there are. */
function identityLimits(identity: IdentityObject): readonly AppliedLimit[] {
  let limits = IDENTITY_LIMITS.get(identity);
  if (limits === undefined) {
    limits = appliedAlways(identity.ratelimits);
    IDENTITY_LIMITS.set(identity, limits);
  }
  return limits;
}

function appliedAlways(ratelimits: readonly StoredRateLimit[]): readonly AppliedLimit[] {
  return ratelimits
    .filter(({ autoApply }) => autoApply)
    .map((stored) => new AppliedLimit(stored, stored.id, DEFAULT_COST));
}

/**
 * The limits of one verification: those that are asked always, with what the request says of them, and those that it names. A name
 * that neither the key nor its identity has is given to `unknown`, which throws. Each name stands in `wanted` once.
 */
export function limitsOf(
  key: LimitedKey,
  identity: IdentityObject | null,
  auto: readonly AppliedLimit[],
  wanted: readonly WantedLimit[] | undefined,
  unknown: (name: string, index: number) => never,
): readonly AppliedLimit[] {
  if (wanted === undefined || wanted.length === 0) return auto;
  const named = wanted.map((one, index) => {
    const { name, cost = DEFAULT_COST, limit, duration } = one;
    if (limit !== undefined && duration !== undefined) {
      const brought = { id: '', name, limit, durationMs: duration, autoApply: false };
      return new AppliedLimit(brought, counterName(`key:${key.keyId}`, name), cost);
    }
    const stored = key.ratelimits.find(isNamed(name)) ?? identity?.ratelimits.find(isNamed(name));
    return stored === undefined ? unknown(name, index) : new AppliedLimit(stored, stored.id, cost);
  });
  return [...auto.filter(({ name }) => !named.some(isNamed(name))), ...named];
}

function isNamed(wanted: string): (one: { readonly name: string }) => boolean {
  return ({ name }) => name === wanted;
}
