import type { Principal } from '../domain/principal.ts';
import { Problem } from '../domain/problem.ts';
import type { Clock, RateLimiter } from './ports.ts';

/** The limit that a workspace has for all calls of its root keys together, whatever they call. Without one it costs nothing. */
export class WorkspaceLimit {
  readonly counters = { refused: 0 };
  readonly #limiter: RateLimiter;
  readonly #clock: Clock;

  constructor(options: { limiter: RateLimiter; clock: Clock }) {
    this.#limiter = options.limiter;
    this.#clock = options.clock;
  }

  /** Counts one call. Throws Problem `workspace_rate_limited`. */
  admit({ workspaceId, rateLimit }: Principal): void {
    if (rateLimit === undefined) return;
    const nowMs = this.#clock.nowMs();
    const ask = { ...rateLimit, counter: `workspace ${workspaceId}`, cost: 1 };
    const [state] = this.#limiter.take(workspaceId, [ask], nowMs);
    if (state?.exceeded !== true) return;
    this.counters.refused += 1;
    const resetS = Math.max(1, Math.ceil((state.resetMs - nowMs) / 1000));
    throw new Problem(
      'workspace_rate_limited',
      `The root keys of this workspace may make ${rateLimit.limit} calls in ${rateLimit.durationMs} ms, and have made them.`,
      {
        retryAfterS: resetS,
        headers: {
          'RateLimit-Limit': String(rateLimit.limit),
          'RateLimit-Remaining': String(state.remaining),
          'RateLimit-Reset': String(resetS),
        },
      },
    );
  }
}
