import {
  type Clock,
  CounterUnreachable,
  type ExactRateLimiter,
  type RateLimitAsk,
  type RateLimitState,
  type Reservation,
  type SharedCounters,
} from '../verify/ports.ts';
import { type Asked, asksOf, newAsked, reservationOf, usedOf } from './exact-rate-limiter-asked.ts';
import { Breakers } from './exact-rate-limiter-breaker.ts';
import { WindowStarts } from './exact-rate-limiter-starts.ts';
import { outcomeWithin, pause } from './exact-rate-limiter-wait.ts';
import type { MemoryRateLimiter } from './memory-rate-limiter.ts';

export interface SharedRateLimiterOptions {
  /** Null: there is no other task to count with, and exact asks are decided in memory. */
  readonly shared: Pick<SharedCounters, 'reserve' | 'release' | 'partOf'> | null;
  readonly limiter: MemoryRateLimiter;
  readonly clock: Clock;
  /** How long an exact ask may wait for its answer. @default 100 */
  readonly budgetMs?: number;
  /** How long nobody waits for a part of the shared counters after an ask waited in vain. @default 1000 */
  readonly retryMs?: number;
}

/** So many units that no limit refuses them. */
const NO_LIMIT = 1e15;
const RETRY_MS = 1000;
/** How often a release that couldn't be sent is tried again. */
const RELEASE_RETRIES = 5;
/** An exact ask that had no answer says for so long that exact limits aren't. */
const LATELY_MS = 10_000;

/**
 * Limits of which some are exact: those are reserved of the region's shared counters, all at once, the others are counted in memory first.
 * All or nothing: where one is exceeded, what was taken of the others is given back, and what was reserved is released.
 *
 * Where there is no answer within the budget, an ask is decided in memory, from what the last answer told, or is refused, as it says. For a
 * while afterwards nobody waits for counters of the same part: one call at a time looks whether there is an answer again. An ask that can't
 * even be sent costs no wait, and others pass as before.
 *
 * What was counted in memory meanwhile is told to the shared counter just before the next ask, as far as it belongs to the present window,
 * and not again until it is known what became of it: a server that stalled does all that it was asked, late. An answer that comes too late
 * takes nothing: what it reserved is released. Where the connection ended without an answer, what was told is told again, and what was
 * reserved stays: both may count too much, never too little.
 */
export class SharedRateLimiter implements ExactRateLimiter {
  readonly counters = {
    /** Exact asks. */
    asked: 0,
    /** Exact asks that their limit refused. */
    refused: 0,
    decidedLocally: 0,
    /** Refused, because there was no answer. */
    denied: 0,
    /** Reservations released again, because another limit refused or they came too late. */
    compensations: 0,
    /** Asks, and releases, that had no answer in time. */
    failures: 0,
  };
  readonly #options: SharedRateLimiterOptions;
  readonly #budgetMs: number;
  readonly #breakers: Breakers;
  readonly #starts = new WindowStarts();
  /** Counters whose units of this task's memory were told, and of which it isn't known yet whether they arrived. */
  readonly #telling = new Set<string>();
  /** Monotonic ms of the last exact ask without an answer. */
  #unansweredAtMs = Number.NEGATIVE_INFINITY;

  constructor(options: SharedRateLimiterOptions) {
    this.#options = options;
    this.#budgetMs = options.budgetMs ?? 100;
    this.#breakers = new Breakers(options.retryMs ?? RETRY_MS);
  }

  /** False: there are no shared counters, or exact asks of the last 10 s were decided here or refused, as they had no answer. */
  get isExact(): boolean {
    const { shared, clock } = this.#options;
    return shared !== null && clock.monotonicMs() - this.#unansweredAtMs >= LATELY_MS;
  }

  async take(
    workspaceId: string,
    asks: readonly RateLimitAsk[],
    nowMs: number,
  ): Promise<readonly RateLimitState[]> {
    const { limiter } = this.#options;
    const asked = asks.map((ask) => newAsked(workspaceId, ask));
    const here = asked.filter(({ reservation }) => reservation === null);
    const exact = asked.filter(({ reservation }) => reservation !== null);
    this.counters.asked += exact.length;
    if (this.#takeHere(workspaceId, here, nowMs)) {
      await this.#reserveAll(workspaceId, exact, nowMs);
      if (!this.#isTaken(workspaceId, exact, nowMs)) {
        limiter.giveBack(workspaceId, asksOf(here), nowMs);
        this.#compensate(workspaceId, exact, nowMs);
      }
    }
    return this.#statesOf(workspaceId, asked, nowMs);
  }

  /** What was counted in memory is given back there, the rest is released in the background. */
  giveBack(workspaceId: string, asks: readonly RateLimitAsk[], takenAtMs: number): void {
    for (const ask of asks) {
      const given = this.#options.limiter.giveBackOne(workspaceId, ask, takenAtMs);
      const cost = ask.cost - given;
      if (ask.exact === undefined || cost === 0) continue;
      const reservation = { ...reservationOf(workspaceId, ask), cost };
      // While nobody answers, it would only pile up: those units count until their window is over.
      if (this.#breakers.isOpen(this.#partOf(reservation.key))) continue;
      this.#options.limiter.unlearnUsed(workspaceId, ask, cost);
      void this.#release(reservation, this.#starts.startOf(ask, takenAtMs), 0);
    }
  }

  /** Whether all exact asks of a call have their units; those without an answer are decided here. */
  #isTaken(workspaceId: string, exact: readonly Asked[], nowMs: number): boolean {
    const refused = exact.filter(({ outcome }) => outcome === 'refused').length;
    this.counters.refused += refused;
    const unanswered = exact.filter(({ outcome }) => outcome === 'unavailable');
    const denied = unanswered.filter((one) => this.#denies(one)).length;
    this.counters.denied += denied;
    if (refused + denied > 0) return false;
    if (unanswered.length === 0) return true;
    this.counters.decidedLocally += unanswered.length;
    return this.#takeHere(workspaceId, unanswered, nowMs);
  }

  /** A task that has no shared counters at all is taken to be the only one, whose memory is exact. */
  #denies({ ask, outcome }: Pick<Asked, 'ask' | 'outcome'>): boolean {
    return outcome === 'unavailable' && ask.exact === 'deny' && this.#options.shared !== null;
  }

  /** All of these in memory, or none. */
  #takeHere(workspaceId: string, asked: readonly Asked[], nowMs: number): boolean {
    const states = this.#options.limiter.take(workspaceId, asksOf(asked), nowMs);
    for (const [index, one] of asked.entries()) one.exceededHere = states[index]?.exceeded ?? null;
    return states.every(({ exceeded }) => !exceeded);
  }

  async #reserveAll(workspaceId: string, exact: readonly Asked[], nowMs: number): Promise<void> {
    const parts = Map.groupBy(exact, ({ reservation }) => this.#partOf(reservation?.key ?? ''));
    await Promise.all(
      [...parts].map(async ([part, asked]) => await this.#reservePart(workspaceId, part, asked, nowMs)),
    );
    const isAnswered = exact.every(({ outcome }) => outcome !== 'unavailable');
    if (!isAnswered) this.#unansweredAtMs = this.#options.clock.monotonicMs();
  }

  async #reservePart(
    workspaceId: string,
    part: string,
    asked: readonly Asked[],
    nowMs: number,
  ): Promise<void> {
    const { shared, clock } = this.#options;
    const pass = shared === null ? null : this.#breakers.tryPass(part, clock.monotonicMs());
    if (pass === null) {
      for (const one of asked) one.outcome = 'unavailable';
      return;
    }
    await Promise.all(asked.map(async (one) => await this.#reserve(workspaceId, one, nowMs)));
    const waitedInVain = asked.some((one) => one.waitedInVain);
    this.#breakers.end(part, pass, waitedInVain, clock.monotonicMs());
  }

  #partOf(key: string): string {
    return this.#options.shared?.partOf?.(key) ?? '';
  }

  /** Never fails, and never takes longer than the budget. */
  async #reserve(workspaceId: string, one: Asked, nowMs: number): Promise<void> {
    const { shared, limiter } = this.#options;
    const { ask, reservation } = one;
    if (shared === null || reservation === null) return;
    let isLate = false;
    const work = (async (): Promise<void> => {
      // Not waited for: it was asked before, so it is done before.
      void this.#tellStandIns(workspaceId, ask, reservation);
      const { taken, used, startMs } = await shared.reserve(reservation);
      if (isLate) {
        if (!taken || reservation.cost === 0) return;
        this.counters.compensations += 1;
        await this.#release(reservation, startMs);
        return;
      }
      one.outcome = taken ? 'taken' : 'refused';
      one.used = used;
      one.startMs = startMs;
      this.#starts.note(ask, startMs, nowMs);
      limiter.learnUsed(workspaceId, ask, { used, startMs }, nowMs);
    })();
    const outcome = await outcomeWithin(this.#budgetMs, work, () => (isLate = true));
    if (outcome === 'done') return;
    one.outcome = 'unavailable';
    one.waitedInVain = outcome === 'unanswered';
    this.counters.failures += 1;
  }

  /**
   * Units that were counted here while there was no answer: without them, other tasks would let as many through again. Never fails; it may
   * take as long as a connection lasts.
   */
  async #tellStandIns(workspaceId: string, ask: RateLimitAsk, reservation: Reservation): Promise<void> {
    const { shared, limiter, clock } = this.#options;
    const nowMs = clock.nowMs();
    const cost = limiter.standInUnits(workspaceId, ask, nowMs);
    if (shared === null || cost === 0 || this.#telling.has(reservation.key)) return;
    this.#telling.add(reservation.key);
    const told = { ...reservation, limit: NO_LIMIT, cost };
    try {
      const { startMs } = await shared.reserve(told);
      // What was given back here meanwhile, or counts no more, was told in vain.
      const left = cost - limiter.giveBackOne(workspaceId, { ...ask, cost }, nowMs);
      if (left > 0) await this.#release({ ...told, cost: left }, startMs);
    } catch {
      // It is told with a later ask.
    } finally {
      this.#telling.delete(reservation.key);
    }
  }

  #compensate(workspaceId: string, exact: readonly Asked[], nowMs: number): void {
    for (const one of exact) {
      const { reservation, outcome, startMs } = one;
      if (reservation === null || outcome !== 'taken' || reservation.cost === 0) continue;
      this.counters.compensations += 1;
      one.released = reservation.cost;
      void this.#release(reservation, startMs);
    }
    for (const { ask, reservation, outcome, startMs } of exact) {
      if (reservation === null || outcome !== 'taken') continue;
      const used = usedOf(reservation.key, exact);
      this.#options.limiter.learnUsed(workspaceId, ask, { used, startMs }, nowMs);
    }
  }

  /** Never fails: what can't be released counts until its window is over. */
  async #release(
    reservation: Reservation,
    startMs: number,
    retries: number = RELEASE_RETRIES,
  ): Promise<void> {
    try {
      await this.#options.shared?.release(reservation, startMs);
    } catch (error) {
      if (error instanceof CounterUnreachable && retries > 0) {
        // A late answer comes on a connection that was given up, before there is another.
        await pause(this.#options.retryMs ?? RETRY_MS);
        await this.#release(reservation, startMs, retries - 1);
      } else {
        this.counters.failures += 1;
      }
    }
  }

  /** After everything was taken, or given back. */
  #statesOf(workspaceId: string, asked: readonly Asked[], nowMs: number): readonly RateLimitState[] {
    const looks = asked.map(({ ask }) => ({ ...ask, cost: 0 }));
    const held = this.#options.limiter.take(workspaceId, looks, nowMs);
    return asked.map(({ ask, reservation, outcome, exceededHere, startMs }, index) => {
      const { remaining = 0, resetMs = nowMs } = held[index] ?? {};
      if (reservation !== null && (outcome === 'taken' || outcome === 'refused')) {
        const left = Math.max(0, ask.limit - usedOf(reservation.key, asked));
        return { exceeded: outcome === 'refused', remaining: left, resetMs: startMs + ask.durationMs };
      }
      if (this.#denies({ ask, outcome })) return { exceeded: true, remaining: 0, resetMs };
      // Not asked for units, because another limit refused: what is known says whether it would have.
      const exceeded = exceededHere ?? (ask.limit === 0 || ask.cost > remaining);
      return { exceeded, remaining, resetMs };
    });
  }
}
