import type { Clock } from '../service/verify/ports.ts';

interface Planned {
  readonly atMs: number;
  readonly order: number;
  readonly work: () => void;
}

/** Clock and timers in one, which move when they are told to: everything that was planned happens in its order, none of it waits. */
export class SimulatedTime implements Clock {
  #nowMs = 1000;
  #order = 0;
  readonly #planned = new Set<Planned>();

  nowMs(): number {
    return Date.UTC(2026, 0, 1) + this.#nowMs;
  }

  monotonicMs(): number {
    return this.#nowMs;
  }

  after(ms: number, work: () => void): () => void {
    this.#order += 1;
    const planned = { atMs: this.#nowMs + Math.max(0, ms), order: this.#order, work };
    this.#planned.add(planned);
    return () => this.#planned.delete(planned);
  }

  /** Resolves after so many ms. */
  async wait(ms: number): Promise<void> {
    await new Promise<void>((resolve) => {
      this.after(ms, resolve);
    });
  }

  /** Lets so many ms pass, and everything happen that follows from it. */
  async pass(ms: number, afterEach: () => void = () => {}): Promise<void> {
    const untilMs = this.#nowMs + ms;
    await settled();
    for (let next = this.#next(untilMs); next !== null; next = this.#next(untilMs)) {
      this.#planned.delete(next);
      this.#nowMs = next.atMs;
      next.work();
      await settled();
      afterEach();
    }
    this.#nowMs = untilMs;
  }

  #next(untilMs: number): Planned | null {
    let first: Planned | null = null;
    for (const planned of this.#planned) {
      if (planned.atMs > untilMs) continue;
      if (first === null || planned.atMs < first.atMs) first = planned;
    }
    return first;
  }
}

/** Once every promise that could go on has done so. */
async function settled(): Promise<void> {
  await new Promise<void>((resolve) => {
    setImmediate(resolve);
  });
}
