import type { ExactRateLimiter, RateLimitAsk, RateLimiter, RateLimitState } from '../service/verify/ports.ts';

/**
 * An exact limiter that answers a turn later, and counts beside the others in memory. While it isn't `available`, asks that deny then are
 * exceeded, and nothing is taken.
 */
export class FakeExactLimiter implements ExactRateLimiter {
  available = true;
  readonly asked: (readonly RateLimitAsk[])[] = [];
  readonly #limiter: RateLimiter;

  constructor(limiter: RateLimiter) {
    this.#limiter = limiter;
  }

  async take(
    workspaceId: string,
    asks: readonly RateLimitAsk[],
    nowMs: number,
  ): Promise<readonly RateLimitState[]> {
    this.asked.push(asks);
    await Promise.resolve();
    const isDenied = ({ exact }: RateLimitAsk): boolean => exact === 'deny' && !this.available;
    if (!asks.some(isDenied)) return this.#limiter.take(workspaceId, asks, nowMs);
    const looks = asks.map(({ counter, limit, durationMs }) => ({ counter, limit, durationMs, cost: 0 }));
    const states = this.#limiter.take(workspaceId, looks, nowMs);
    return asks.map((ask, index) => {
      const { exceeded = true, remaining = 0, resetMs = nowMs } = states[index] ?? {};
      return { exceeded: exceeded || isDenied(ask), remaining, resetMs };
    });
  }

  giveBack(workspaceId: string, asks: readonly RateLimitAsk[], takenAtMs: number): void {
    this.#limiter.giveBack(workspaceId, asks, takenAtMs);
  }
}
