import type { Clock } from '../service/verify/ports.ts';

/** A clock that moves when it is told to. */
export class FakeClock implements Clock {
  #wallMs = Date.UTC(2026, 0, 1);
  #monotonicMs = 1000;

  nowMs(): number {
    return this.#wallMs;
  }

  monotonicMs(): number {
    return this.#monotonicMs;
  }

  advance(ms: number): void {
    this.#wallMs += ms;
    this.#monotonicMs += ms;
  }
}
