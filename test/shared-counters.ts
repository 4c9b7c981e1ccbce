import { exceeds, SlidingWindow } from '../service/domain/sliding-window.ts';
import {
  CounterUnreachable,
  type OthersCount,
  type Reservation,
  type Reserved,
  type SharedCounters,
  type WindowCount,
} from '../service/verify/ports.ts';

/** What one process meets. */
export interface SharedTrouble {
  /** Ms until what is asked arrives, and until its answer is back. */
  thereMs: number;
  backMs: number;
  /** `refused`: nothing arrives. `unanswered`: it is done, and its answer is lost. */
  fails: 'no' | 'refused' | 'unanswered';
  /** Counters that aren't answered for. */
  isSilent: (key: string) => boolean;
  /** Counters of which nothing can be asked, which is known at once. */
  isUnreachable: (key: string) => boolean;
  /** Given: what is asked arrives when it is over, as at a server that was stopped for a while. */
  stall: Promise<void> | null;
}

/** Counters that processes share, in memory: what a Valkey would hold. Slow, failing and forgetful as a test wants it. */
export class SharedMemory {
  readonly #nowMs: () => number;
  /** Units by counter and window, and then by process. */
  #counts = new Map<string, Map<string, number>>();
  #exact = new Map<string, SlidingWindow>();

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  forgetAll(): void {
    this.#counts.clear();
    this.#exact.clear();
  }

  /** Units in a counter that is kept here alone. */
  exactUnits(key: string): number {
    const nowMs = this.#nowMs();
    const window = this.#exact.get(key);
    window?.moveTo(nowMs);
    return window?.usedAt(nowMs) ?? 0;
  }

  tell(process: string, { key, startMs, durationMs, units, unitsBefore }: WindowCount): OthersCount {
    return {
      units: this.#tellOne(process, `${key}:${startMs}`, units),
      unitsBefore: this.#tellOne(process, `${key}:${startMs - durationMs}`, unitsBefore),
    };
  }

  reserve({ key, durationMs, cost, limit }: Reservation): Reserved {
    const nowMs = this.#nowMs();
    const window = this.#exact.get(key) ?? new SlidingWindow(durationMs, nowMs);
    this.#exact.set(key, window);
    window.moveTo(nowMs);
    const taken = !exceeds(window.usedAt(nowMs), cost, limit);
    if (taken) window.take(cost);
    return { taken, used: window.usedAt(nowMs), startMs: window.startMs };
  }

  release({ key, cost }: Reservation, startMs: number): void {
    this.#exact.get(key)?.giveBackIn(startMs, cost);
  }

  #tellOne(process: string, name: string, units: number): number {
    const counts = this.#counts.get(name) ?? new Map<string, number>();
    this.#counts.set(name, counts);
    counts.set(process, units);
    let others = 0;
    for (const [other, counted] of counts) if (other !== process) others += counted;
    return others;
  }
}

/** One process's way to them. */
export class SharedClient implements SharedCounters {
  readonly trouble: SharedTrouble = {
    thereMs: 0,
    backMs: 0,
    fails: 'no',
    isSilent: () => false,
    isUnreachable: () => false,
    stall: null,
  };
  /** As `SharedCounters` has it. */
  partOf: (key: string) => string = () => '';
  /** Every exchange that was begun. */
  readonly told: (readonly WindowCount[])[] = [];
  readonly reserved: Reservation[] = [];
  readonly released: Reservation[] = [];
  readonly #memory: SharedMemory;
  readonly #process: string;

  constructor(memory: SharedMemory, process: string) {
    this.#memory = memory;
    this.#process = process;
  }

  async exchange(counts: readonly WindowCount[]): Promise<readonly (OthersCount | null)[]> {
    this.told.push(counts);
    return await this.#ask(() =>
      counts.map((count) =>
        this.trouble.isSilent(count.key) ? null : this.#memory.tell(this.#process, count),
      ),
    );
  }

  async reserve(reservation: Reservation): Promise<Reserved> {
    this.reserved.push(reservation);
    return await this.#ask(() => this.#memory.reserve(reservation), reservation.key);
  }

  async release(reservation: Reservation, startMs: number): Promise<void> {
    this.released.push(reservation);
    await this.#ask(() => this.#memory.release(reservation, startMs), reservation.key);
  }

  async #ask<T>(what: () => T, key = ''): Promise<T> {
    const { thereMs, backMs, fails, isUnreachable, stall } = this.trouble;
    if (isUnreachable(key)) throw new CounterUnreachable('no connection');
    if (stall !== null) await stall;
    if (thereMs > 0) await pause(thereMs);
    if (fails === 'refused') throw new Error('nobody answers');
    const answer = what();
    if (backMs > 0) await pause(backMs);
    if (fails === 'unanswered') throw new Error('the answer is lost');
    return answer;
  }
}

async function pause(ms: number): Promise<void> {
  await new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}
