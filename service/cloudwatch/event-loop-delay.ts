import { monitorEventLoopDelay } from 'node:perf_hooks';

/** Node's histogram counts from one look to the next: this much is the pause itself, and no delay. */
const PAUSE_MS = 20;

/** How late this process does what is due: whatever it measures, everything else waited as long. */
export class EventLoopDelay {
  readonly #histogram = monitorEventLoopDelay({ resolution: PAUSE_MS });

  start(): void {
    this.#histogram.enable();
  }

  stop(): void {
    this.#histogram.disable();
  }

  /** Of the time since it was last asked. */
  takeMsP99(): number {
    const msP99 = this.#histogram.percentile(99) / 1e6;
    this.#histogram.reset();
    return Math.max(0, Number((msP99 - PAUSE_MS).toFixed(2)));
  }
}
