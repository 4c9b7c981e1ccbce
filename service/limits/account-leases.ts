import { LEASE_MIN } from '../domain/lease-size.ts';
import type { CreditsObject } from '../domain/records.ts';
import type { Epoch } from '../domain/revision.ts';
import type { Draw, Drawn, Settlement } from '../verify/ports.ts';
import type { LeaseNumbers } from './credit-leases-options.ts';

/** Credits that home gave this task to spend. */
export class Lease {
  /** Of the draw that brought it. */
  readonly id: string;
  readonly accountId: string;
  readonly generation: number;
  readonly epoch: Epoch;
  readonly size: number;
  /** What the draw itself took, besides the lease. */
  readonly #cost: number;
  readonly grantedMs: number;
  left: number;
  /** `left` when it was last looked at, and how many looks found it unchanged. */
  leftBefore: number;
  idleLooks = 0;

  constructor(draw: Pick<Draw, 'id' | 'accountId' | 'cost'>, drawn: Drawn, nowMs: number) {
    this.id = draw.id;
    this.accountId = draw.accountId;
    this.generation = drawn.generation;
    this.epoch = drawn.epoch;
    this.size = drawn.leased;
    this.#cost = drawn.spent ? draw.cost : 0;
    this.grantedMs = nowMs;
    this.left = drawn.leased;
    this.leftBefore = drawn.leased;
  }

  settlement(closed: boolean): Settlement {
    const { id, accountId, generation, epoch } = this;
    return { id, accountId, generation, epoch, spent: this.#cost + this.size - this.left, closed };
  }
}

/** Below this part of a lease the next one is fetched. */
const LOW_PART = 4;
/** How much what is wanted may rise, and fall, from one draw to the next. */
const RISE_MAX = 8;
const FALL_MAX = 4;

/**
 * What a task has of one account: its leases, and what home last said. It is given up as a whole when the account changes: whoever
 * still refers to it finds it `dropped`, and keeps nothing of what it brings.
 */
export class AccountLeases {
  readonly id: string;
  generation: number;
  dropped = false;
  /** Credits that nobody holds, as last known. */
  free: number;
  /** In this task's leases. */
  left = 0;
  /** With fewer than these left, the next lease is fetched. */
  low = 0;
  /** Home refused more than these, and nothing has changed since. */
  ceiling = Number.POSITIVE_INFINITY;
  /** Home gave no lease the last time it was asked for one: there are few left, and each call draws for itself. */
  near = false;
  /** Credits of the lease that is being drawn; 0: none is. */
  drawing = 0;
  /** Draws under way. */
  draws = 0;
  /** Calls that wait for a draw, in the order in which they came. */
  readonly waiting = new Set<() => void>();
  #leases: Lease[] = [];
  #wanted: number;
  /** Credits asked for since `#markMs`. */
  #asked = 0;
  #markMs: number;
  /** Answers remembered so far, and which of them `free` is of. */
  answers = 0;
  #freeOf = 0;

  constructor(account: CreditsObject, numbers: LeaseNumbers, nowMs: number) {
    this.id = account.id;
    this.generation = account.generation;
    this.free = account.free;
    this.#wanted = numbers.firstWanted;
    this.#markMs = nowMs;
  }

  get leases(): readonly Lease[] {
    return this.#leases;
  }

  /** All that this task could say is there. */
  get known(): number {
    return this.free + this.left;
  }

  /** Takes of what is left, which must suffice. True: a lease is used up. */
  take(cost: number): boolean {
    this.left -= cost;
    this.#asked += cost;
    const first = this.#leases[0];
    if (first !== undefined && first.left > cost) {
      first.left -= cost;
      return false;
    }
    let rest = cost;
    for (const lease of this.#leases) {
      const part = Math.min(lease.left, rest);
      lease.left -= part;
      rest -= part;
    }
    return true;
  }

  /** Takes out the leases for which it holds. */
  takeOut(which: (lease: Lease) => boolean): readonly Lease[] {
    const out = this.#leases.filter(which);
    if (out.length === 0) return out;
    this.#leases = this.#leases.filter((lease) => !out.includes(lease));
    // What goes back is nobody's again, as soon as home has it.
    for (const { left } of out) {
      this.left -= left;
      this.free += left;
    }
    return out;
  }

  put(lease: Lease): void {
    this.#leases.push(lease);
    this.left += lease.size;
    this.low = Math.floor(lease.size / LOW_PART);
  }

  /** Whether a call for so many has to wait for a draw that is under way. */
  mustWait(cost: number, maxDraws: number): boolean {
    if (!this.near && cost <= this.drawing) return true;
    return this.draws >= maxDraws;
  }

  /** A draw begins. Returns how many credits its lease should have; 0: none, because another draw asks for one or they aren't worth it. */
  begin(cost: number, nowMs: number, numbers: LeaseNumbers): number {
    this.draws += 1;
    this.#asked += cost;
    if (this.drawing > 0) return 0;
    this.#adapt(nowMs, numbers);
    if (this.#wanted < LEASE_MIN) return 0;
    this.drawing = this.#wanted;
    return this.#wanted;
  }

  end(wanted: number): void {
    this.draws -= 1;
    if (wanted > 0) this.drawing = 0;
  }

  /**
   * As many as are asked for while a lease is to last, and some at least; where a lease would be given back before it is used twice, none:
   * such calls cost home less if each draws for itself.
   */
  #adapt(nowMs: number, numbers: LeaseNumbers): void {
    const elapsedMs = nowMs - this.#markMs;
    if (this.answers > 0) {
      const perMs = this.#asked / Math.max(elapsedMs, 1);
      const least = perMs * numbers.idleAfterMs < LEASE_MIN ? 1 : numbers.leastWanted;
      const aim = Math.max(perMs * numbers.leaseLastsMs, least);
      const bounded = Math.min(Math.max(aim, this.#wanted / FALL_MAX), this.#wanted * RISE_MAX);
      this.#wanted = Math.max(1, Math.min(Math.ceil(bounded), numbers.maxWanted));
    }
    this.#asked = 0;
    this.#markMs = nowMs;
  }

  /** Whether another answer, of a later generation, came while this one was on its way. */
  isOutdated(drawn: Drawn, answersBefore: number): boolean {
    return drawn.generation < this.generation && this.answers > answersBefore;
  }

  /**
   * What home said, in answer to a draw that began when so many answers had been remembered. Answers may come out of order: of those that
   * were under way at the same time, the lowest is kept.
   */
  learn(draw: Pick<Draw, 'cost' | 'wanted'>, drawn: Drawn, answersBefore: number): void {
    this.answers += 1;
    if (drawn.generation !== this.generation) {
      this.generation = drawn.generation;
      this.free = drawn.free;
      this.ceiling = Number.POSITIVE_INFINITY;
    } else {
      this.free = answersBefore >= this.#freeOf ? drawn.free : Math.min(this.free, drawn.free);
    }
    this.#freeOf = this.answers;
    if (draw.wanted > 0) this.near = drawn.leased === 0;
    if (draw.cost > 0 && !drawn.spent) this.ceiling = Math.min(this.ceiling, drawn.free);
  }

  /** Whoever waited longest looks again, and wakes the next; all of them, where there is nothing left to wait for. */
  wakeNext(): void {
    for (const goOn of this.waiting) {
      this.waiting.delete(goOn);
      goOn();
      if (!this.dropped) return;
    }
  }
}
