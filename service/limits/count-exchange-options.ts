import type { Logger } from 'pino';
import type { Clock, SharedCounters } from '../verify/ports.ts';
import type { MemoryRateLimiter } from './memory-rate-limiter.ts';

export interface CountExchangeOptions {
  /** Null: there is nobody to exchange with, and this task counts alone. */
  readonly shared: Pick<SharedCounters, 'exchange'> | null;
  readonly limiters: readonly MemoryRateLimiter[];
  readonly clock: Clock;
  readonly log: Pick<Logger, 'info' | 'warn'>;
  /** A counter is told once in this time at most. @default 100 */
  readonly periodMs?: number;
  /** Counters told in one call, at most. @default 500 */
  readonly batchSize?: number;
}
