import type { Place } from './values.ts';

/** A call that was answered. */
export interface LoggedCall extends Place {
  readonly service: string;
  readonly action: string;
  /** Of HTTP. */
  readonly status: number;
  /** AWS's code, where it was refused. */
  readonly code?: string;
}

const KEPT = 20_000;

/** The last calls, for tests and for a person who watches. */
export class RequestLog {
  readonly #calls: LoggedCall[] = [];
  readonly #unknown: string[] = [];
  readonly #watch: ((call: LoggedCall) => void) | undefined;

  constructor(watch?: (call: LoggedCall) => void) {
    this.#watch = watch;
  }

  add(call: LoggedCall): void {
    this.#calls.push(call);
    if (this.#calls.length > KEPT) this.#calls.shift();
    this.#watch?.(call);
  }

  addUnknown(name: string): void {
    this.#unknown.push(name);
  }

  /** Oldest first. */
  get calls(): readonly LoggedCall[] {
    return this.#calls;
  }

  /** `service:Action` of each call that nothing here answers for. */
  get unknownCalls(): readonly string[] {
    return this.#unknown;
  }
}
