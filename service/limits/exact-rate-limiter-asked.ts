import type { RateLimitAsk, Reservation } from '../verify/ports.ts';
import { sharedKey } from './count-exchange-key.ts';

/** One ask of a call, and what has become of it. */
export interface Asked {
  readonly ask: RateLimitAsk;
  /** Null: decided in memory, or not at all. */
  readonly reservation: Reservation | null;
  outcome: 'open' | 'taken' | 'refused' | 'unavailable';
  /** For an answer that didn't come in time. */
  waitedInVain: boolean;
  /** What memory said; null: it wasn't asked for units. */
  exceededHere: boolean | null;
  /** Units, and start of the window, by the shared counter. */
  used: number;
  startMs: number;
  /** Of what it took. */
  released: number;
}

/** Not asked yet. */
export function newAsked(workspaceId: string, ask: RateLimitAsk): Asked {
  return {
    ask,
    reservation: ask.exact === undefined ? null : reservationOf(workspaceId, ask),
    outcome: 'open',
    waitedInVain: false,
    exceededHere: null,
    used: 0,
    startMs: 0,
    released: 0,
  };
}

/** Units that count in a shared counter after a call, which may have asked it more than once. */
export function usedOf(key: string, asked: readonly Asked[]): number {
  let used = 0;
  let released = 0;
  for (const one of asked) {
    if (one.reservation?.key !== key) continue;
    used = Math.max(used, one.used);
    released += one.released;
  }
  return Math.max(0, used - released);
}

export function asksOf(asked: readonly Asked[]): readonly RateLimitAsk[] {
  return asked.map(({ ask }) => ask);
}

export function reservationOf(
  workspaceId: string,
  { counter, limit, durationMs, cost }: RateLimitAsk,
): Reservation {
  return { key: sharedKey(workspaceId, counter, durationMs), limit, durationMs, cost };
}
