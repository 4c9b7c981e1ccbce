import type { Clock } from '../verify/ports.ts';
import type { CountExchangeOptions } from './count-exchange-options.ts';

/** What comes and goes all the time is said once in this time. */
const AGAIN_MS = 60_000;

/** Says in the log that counts are not exchanged, and that they are again: the second only after the first. */
export class ExchangeNews {
  readonly #clock: Pick<Clock, 'monotonicMs'>;
  readonly #log: CountExchangeOptions['log'];
  #saidMs = Number.NEGATIVE_INFINITY;
  #isSaid = false;

  constructor({ clock, log }: Pick<CountExchangeOptions, 'clock' | 'log'>) {
    this.#clock = clock;
    this.#log = log;
  }

  onFailed(error: unknown): void {
    const nowMs = this.#clock.monotonicMs();
    if (nowMs - this.#saidMs < AGAIN_MS) return;
    this.#saidMs = nowMs;
    this.#isSaid = true;
    this.#log.warn({ err: error }, 'counts of rate limits are not exchanged: each task counts alone');
  }

  onRecovered(): void {
    if (this.#isSaid) this.#log.info('counts of rate limits are exchanged again');
    this.#isSaid = false;
  }
}
