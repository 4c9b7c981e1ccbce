import type {
  Clock,
  ExactRateLimiter,
  RateLimitAsk,
  RateLimitState,
  Reservation,
  SharedCounters,
} from '../verify/ports.ts';
import { sharedKey } from './count-exchange-key.ts';
import { Breaker } from './exact-rate-limiter-breaker.ts';
import type { MemoryRateLimiter } from './memory-rate-limiter.ts';

export interface SharedRateLimiterOptions {
  /** Null: there is no other task to count with, and exact asks are decided in memory. */
  readonly shared: Pick<SharedCounters, 'reserve' | 'release'> | null;
  readonly limiter: MemoryRateLimiter;
  readonly clock: Clock;
  /** How long an exact ask may wait for its answer. @default 100 */
  readonly budgetMs?: number;
  /** How long nobody waits after an ask had no answer. @default 1000 */
  readonly retryMs?: number;
}

/** One ask of a call, and what has become of it. */
interface Asked {
  readonly ask: RateLimitAsk;
  /** Null: decided in memory, or not at all. */
  readonly reservation: Reservation | null;
  outcome: 'open' | 'taken' | 'refused' | 'unavailable';
  /** What memory said; null: it wasn't asked for units. */
  exceededHere: boolean | null;
  /** Units, and start of the window, by the shared counter. */
  used: number;
  startMs: number;
  /** Of what it took. */
  released: number;
}

/** So many units that no limit refuses them. */
const NO_LIMIT = 1e15;

/**
 * Limits of which some are exact: those are reserved of the region's shared counters, all at once, the others are counted in memory first.
 * All or nothing: where one is exceeded, what was taken of the others is given back, and what was reserved is released.
 *
 * Where there is no answer within the budget, an ask is decided in memory, from what the last answer told, or is refused, as it says. For a
 * while afterwards nobody waits: one call at a time looks whether there is an answer again. What was counted in memory meanwhile is told
 * to the shared counter with the next ask, as far as it belongs to the present window. An answer that comes too late takes nothing: what it
 * reserved is released.
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
  readonly #breaker: Breaker;
  /** Counters whose units of this task's memory are being told. */
  readonly #telling = new Set<string>();

  constructor(options: SharedRateLimiterOptions) {
    this.#options = options;
    this.#budgetMs = options.budgetMs ?? 100;
    this.#breaker = new Breaker(options.retryMs ?? 1000);
  }

  /** False: exact asks are decided here or refused. */
  get isExact(): boolean {
    return this.#options.shared !== null && !this.#breaker.isOpen;
  }

  async take(
    workspaceId: string,
    asks: readonly RateLimitAsk[],
    nowMs: number,
  ): Promise<readonly RateLimitState[]> {
    const { limiter } = this.#options;
    const asked = asks.map((ask): Asked => ({
      ask,
      reservation: ask.exact === undefined ? null : reservationOf(workspaceId, ask),
      outcome: 'open',
      exceededHere: null,
      used: 0,
      startMs: 0,
      released: 0,
    }));
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
      // While nobody answers, it would only pile up: those units count until their window is over.
      if (ask.exact === undefined || cost === 0 || !this.isExact) continue;
      this.#options.limiter.unlearnUsed(workspaceId, ask, cost);
      const startMs = takenAtMs - (takenAtMs % ask.durationMs);
      void this.#release({ ...reservationOf(workspaceId, ask), cost }, startMs);
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
    const { shared, clock } = this.#options;
    const pass = shared === null ? null : this.#breaker.tryPass(clock.monotonicMs());
    if (pass === null) {
      for (const one of exact) one.outcome = 'unavailable';
      return;
    }
    await Promise.all(exact.map(async (one) => await this.#reserve(workspaceId, one, nowMs)));
    const isAnswered = exact.every(({ outcome }) => outcome !== 'unavailable');
    this.#breaker.end(pass, isAnswered, clock.monotonicMs());
  }

  /** Never fails, and never takes longer than the budget. */
  async #reserve(workspaceId: string, one: Asked, nowMs: number): Promise<void> {
    const { shared, limiter } = this.#options;
    const { ask, reservation } = one;
    if (shared === null || reservation === null) return;
    let isLate = false;
    const work = (async (): Promise<void> => {
      await this.#tellStandIns(workspaceId, ask, reservation);
      if (isLate) return;
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
      limiter.learnUsed(workspaceId, ask, { used, startMs }, nowMs);
    })();
    if (await isDoneWithin(this.#budgetMs, work, () => (isLate = true))) return;
    one.outcome = 'unavailable';
    this.counters.failures += 1;
  }

  /** Units that were counted here while there was no answer: without them, other tasks would let as many through again. */
  async #tellStandIns(workspaceId: string, ask: RateLimitAsk, reservation: Reservation): Promise<void> {
    const { shared, limiter, clock } = this.#options;
    const nowMs = clock.nowMs();
    const cost = limiter.standInUnits(workspaceId, ask, nowMs);
    if (shared === null || cost === 0 || this.#telling.has(reservation.key)) return;
    this.#telling.add(reservation.key);
    try {
      await shared.reserve({ ...reservation, limit: NO_LIMIT, cost });
      limiter.giveBackOne(workspaceId, { ...ask, cost }, nowMs);
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
  async #release(reservation: Reservation, startMs: number): Promise<void> {
    try {
      await this.#options.shared?.release(reservation, startMs);
    } catch {
      this.counters.failures += 1;
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

/** Units that count in a shared counter after a call, which may have asked it more than once. */
function usedOf(key: string, asked: readonly Asked[]): number {
  let used = 0;
  let released = 0;
  for (const one of asked) {
    if (one.reservation?.key !== key) continue;
    used = Math.max(used, one.used);
    released += one.released;
  }
  return Math.max(0, used - released);
}

function asksOf(asked: readonly Asked[]): readonly RateLimitAsk[] {
  return asked.map(({ ask }) => ask);
}

function reservationOf(workspaceId: string, { counter, limit, durationMs, cost }: RateLimitAsk): Reservation {
  return { key: sharedKey(workspaceId, counter, durationMs), limit, durationMs, cost };
}

/** False: it failed, or it wasn't done in time; its outcome is let go then. */
async function isDoneWithin(ms: number, work: Promise<void>, onLate: () => void): Promise<boolean> {
  const { promise: end, resolve } = Promise.withResolvers<boolean>();
  const timer = setTimeout(() => {
    onLate();
    resolve(false);
  }, ms);
  work.then(
    () => resolve(true),
    () => resolve(false),
  );
  const isDone = await end;
  clearTimeout(timer);
  return isDone;
}
