import type { KeyHash } from '../domain/brands.ts';
import { counterName } from '../domain/counter-name.ts';
import { namespaceHash } from '../domain/held-under.ts';
import type { HotNamespace } from '../domain/hot-records.ts';
import type { Principal } from '../domain/principal.ts';
import { Problem } from '../domain/problem.ts';
import type { Revision } from '../domain/revision.ts';
import { mayRoot } from '../domain/root-permissions.ts';
import type { Need, RecordFinder } from './finder.ts';
import type { Clock, Freshness, RateLimitAsk, RateLimiter, RateLimitState, Records } from './ports.ts';

/** One thing to count: who or what, in which namespace, and the limit where no override says otherwise. */
export interface LimitInput {
  /** Name of the namespace. */
  readonly namespace: string;
  readonly identifier: string;
  readonly limit: number;
  /** Length of the window in ms. */
  readonly duration: number;
  /** Units to take; 0 only looks. @default 1 */
  readonly cost?: number;
}

export interface LimitOutcome {
  /** The limit that was applied: the override's, where there is one. */
  readonly limit: number;
  readonly remaining: number;
  /** Epoch ms. */
  readonly resetMs: number;
  /** Whether there was room for it. Its units are taken where all of the call's have passed. */
  readonly passed: boolean;
  /** Null: no override applies. */
  readonly overrideId: string | null;
}

export interface LimitAnswer {
  /** One for each input, in their order. */
  readonly outcomes: readonly LimitOutcome[];
  /** As in a verdict. */
  readonly staleMs: number | null;
  readonly unverified: boolean;
}

/** Makes a namespace at home, on behalf of whoever calls. Resolves with the revision that shows it; fails with a Problem. */
export type MakeNamespace = (name: string) => Promise<Revision>;

export interface NamespaceLimitsOptions {
  readonly finder: RecordFinder;
  readonly records: Pick<Records, 'isVerified'>;
  readonly freshness: Pick<Freshness, 'waitFor'>;
  readonly limiter: RateLimiter;
  readonly clock: Clock;
}

/** What a counter is asked, and why. */
interface NamespaceAsk extends RateLimitAsk {
  readonly overrideId: string | null;
}

/** How long a call that makes a namespace waits until this task shows it, before home is asked. */
const MADE_WAIT_MS = 1000;

/**
 * The use cases of `ratelimit.limit` and `multiLimit`, decided in this task. Synchronous, without I/O, where the namespaces are held in
 * memory. Every namespace is looked at, and may be used, before anything is counted: a refusal counts nothing. All limits of a call are
 * taken together, or, where one of them has no room, none is.
 */
export class NamespaceLimits {
  /** Limits, one by one: what had room, also where another one of its call had none. */
  readonly counters = { passed: 0, refused: 0 };
  readonly #options: NamespaceLimitsOptions;
  /** Namespaces that are being made, by what they are held under. */
  readonly #making = new Map<KeyHash, Promise<Revision>>();

  constructor(options: NamespaceLimitsOptions) {
    this.#options = options;
  }

  /** Throws Problem: `insufficient_permissions`, `ratelimit_namespace_gone`, and what finding and making a namespace may fail with. */
  limit(
    principal: Principal,
    inputs: readonly LimitInput[],
    make: MakeNamespace,
    need: Need = 'any',
  ): LimitAnswer | Promise<LimitAnswer> {
    const found = inputs.map(({ namespace }) => {
      const hash = namespaceHash(principal.workspaceId, namespace);
      const held = this.#options.finder.findNamespace(hash, need);
      if (!(held instanceof Promise) && held !== null) return held;
      return this.#findOrMake(held, { principal, hash, make: () => make(namespace) });
    });
    if (areHeld(found)) return this.#count(principal, inputs, found);
    const all = Promise.all(found.map(async (one) => await one));
    return all.then((namespaces) => this.#count(principal, inputs, namespaces));
  }

  async #findOrMake(
    held: null | Promise<HotNamespace | null>,
    wanted: { principal: Principal; hash: KeyHash; make: () => Promise<Revision> },
  ): Promise<HotNamespace> {
    const { principal, hash, make } = wanted;
    const { finder, freshness } = this.#options;
    const found = await held;
    if (found !== null) return found;
    // Who may not use what would be made has no reason to make it.
    demand(mayRoot(principal, 'ratelimit.*.limit'), '"ratelimit.*.limit"');
    demand(mayRoot(principal, 'ratelimit.*.create_namespace'), '"ratelimit.*.create_namespace"');
    const revision = await this.#makeOnce(hash, make);
    const isHere = await freshness.waitFor(revision, MADE_WAIT_MS);
    const made = isHere ? await finder.findNamespace(hash) : await finder.confirmNamespace(hash, revision);
    if (made !== null) return made;
    throw new Problem(
      'revision_not_reached',
      'The namespace was made, and this region doesn’t show it yet.',
      {
        retryAfterS: 1,
      },
    );
  }

  async #makeOnce(hash: KeyHash, make: () => Promise<Revision>): Promise<Revision> {
    let making = this.#making.get(hash);
    if (making === undefined) {
      making = make().finally(() => this.#making.delete(hash));
      this.#making.set(hash, making);
    }
    return await making;
  }

  #count(
    principal: Principal,
    inputs: readonly LimitInput[],
    namespaces: readonly HotNamespace[],
  ): LimitAnswer {
    for (const { row } of namespaces) {
      const { namespaceId } = row;
      demand(
        mayRoot(principal, 'ratelimit.*.limit', namespaceId),
        `"ratelimit.*.limit", or "ratelimit.${namespaceId}.limit" for this namespace`,
      );
      if (row.deleted) {
        throw new Problem('ratelimit_namespace_gone', 'The namespace was deleted; use another one.');
      }
    }
    const { clock, finder, records } = this.#options;
    const nowMs = clock.nowMs();
    const asks = namespaces.flatMap((namespace, index) => {
      const input = inputs[index];
      return input === undefined ? [] : askOf(namespace, input);
    });
    const states = this.#options.limiter.take(principal.workspaceId, asks, nowMs);
    return {
      outcomes: asks.map((ask, index) => this.#outcome(ask, states[index])),
      staleMs: finder.isStale ? finder.stalenessMs : null,
      unverified: namespaces.some((namespace) => !records.isVerified(namespace)),
    };
  }

  #outcome({ limit, overrideId }: NamespaceAsk, state: RateLimitState | undefined): LimitOutcome {
    const { exceeded = true, remaining = 0, resetMs = 0 } = state ?? {};
    if (exceeded) this.counters.refused += 1;
    else this.counters.passed += 1;
    return { limit, remaining, resetMs, passed: !exceeded, overrideId };
  }
}

/** An override takes the place of the limit and the duration that the caller gives. */
function askOf(namespace: HotNamespace, input: LimitInput): NamespaceAsk {
  const { identifier, cost = 1 } = input;
  const override = namespace.overrideOf(identifier);
  return {
    counter: counterName(namespace.row.namespaceId, identifier),
    limit: override?.limit ?? input.limit,
    durationMs: override?.durationMs ?? input.duration,
    cost,
    overrideId: override?.id ?? null,
  };
}

function areHeld(found: readonly (HotNamespace | Promise<HotNamespace>)[]): found is readonly HotNamespace[] {
  return found.every((one) => !(one instanceof Promise));
}

function demand(permitted: boolean, permission: string): void {
  if (permitted) return;
  throw new Problem('insufficient_permissions', `The root key lacks the permission ${permission}.`);
}
