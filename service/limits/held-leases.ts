import { LRUCache } from 'lru-cache';
import type { CreditsObject } from '../domain/records.ts';
import type { Clock, Settlement } from '../verify/ports.ts';
import { AccountLeases, type Lease } from './account-leases.ts';
import type { LeaseCounters, LeaseNumbers } from './credit-leases-options.ts';

/** Why a lease is given up before it is used up: home wants it, or may; or it isn't needed here. */
type Why = 'recalled' | 'returned';

export interface HeldLeasesOptions {
  readonly clock: Clock;
  readonly numbers: LeaseNumbers;
  readonly counters: LeaseCounters;
  /** Where what became of leases is told; since when home could have known it, in monotonic ms. */
  readonly tell: (settlement: Settlement, sinceMs: number) => void;
}

/** What a task holds and remembers, by account: bounded, the least recently used is given up. */
export class HeldLeases {
  readonly #options: HeldLeasesOptions;
  readonly #accounts: LRUCache<string, AccountLeases>;
  #lookedMs: number;

  constructor(options: HeldLeasesOptions) {
    this.#options = options;
    this.#lookedMs = options.clock.monotonicMs();
    this.#accounts = new LRUCache({
      max: options.numbers.maxAccounts,
      dispose: (held, _id, reason) => {
        if (reason === 'evict') this.#giveUp(held, 'returned');
      },
    });
  }

  /** Accounts of which something is held or remembered. */
  get size(): number {
    return this.#accounts.size;
  }

  get leases(): number {
    return this.#sum((held) => held.leases.length);
  }

  get credits(): number {
    return this.#sum((held) => held.left);
  }

  /** Since when something was spent that nobody was told of, in monotonic ms, at the earliest; null: nothing was. */
  get untoldMs(): number | null {
    let sinceMs: number | null = null;
    for (const held of this.#accounts.values()) {
      for (const lease of held.leases) {
        if (lease.left !== lease.leftBefore) {
          sinceMs = Math.min(sinceMs ?? Number.POSITIVE_INFINITY, this.#sinceMs(lease));
        }
      }
    }
    return sinceMs;
  }

  /** Counts as a use. */
  get(accountId: string): AccountLeases | undefined {
    return this.#accounts.get(accountId);
  }

  peek(accountId: string): AccountLeases | undefined {
    return this.#accounts.peek(accountId);
  }

  /** As `get`, made where there is none, or only of an earlier generation: whoever has the record knows of a change before the feed. */
  of(account: CreditsObject): AccountLeases {
    const held = this.#accounts.get(account.id);
    if (held !== undefined && held.generation >= account.generation) return held;
    if (held !== undefined) this.drop(account.id, 'recalled');
    const { numbers, clock } = this.#options;
    const made = new AccountLeases(account, numbers, clock.monotonicMs());
    this.#accounts.set(account.id, made);
    return made;
  }

  /** Nothing is remembered of the account, and home gets back what was held. */
  drop(accountId: string, why: Why): void {
    const held = this.#accounts.peek(accountId);
    if (held === undefined) return;
    this.#accounts.delete(accountId);
    this.#giveUp(held, why);
  }

  dropAll(why: Why): void {
    const all = [...this.#accounts.values()];
    this.#accounts.clear();
    for (const held of all) this.#giveUp(held, why);
  }

  recall(draws: readonly Pick<Settlement, 'id' | 'accountId'>[]): void {
    for (const { id: recalled, accountId } of draws) {
      const held = this.#accounts.peek(accountId);
      if (held !== undefined) this.giveUpOf(held, 'recalled', ({ id }) => id === recalled);
    }
  }

  giveUpOf(held: AccountLeases, why: Why, which: (lease: Lease) => boolean = isAny): void {
    for (const lease of held.takeOut(which)) this.giveUp(lease, why);
  }

  giveUp(lease: Lease, why: Why): void {
    this.#options.counters[why] += 1;
    this.#options.tell(lease.settlement(true), this.#sinceMs(lease));
  }

  /** Tells of leases that are used up. */
  endUsedUp(held: AccountLeases): void {
    for (const lease of held.takeOut(isUsedUp)) {
      this.#options.tell(lease.settlement(true), this.#sinceMs(lease));
    }
  }

  /** Tells what was spent since the last look, and gives back what isn't used. */
  look(): void {
    const { numbers, tell, clock } = this.#options;
    const looksMax = numbers.idleAfterMs / numbers.reportEveryMs;
    for (const held of this.#accounts.values()) {
      for (const lease of held.leases) {
        if (lease.left === lease.leftBefore) {
          lease.idleLooks += 1;
          continue;
        }
        tell(lease.settlement(false), this.#sinceMs(lease));
        lease.leftBefore = lease.left;
        lease.idleLooks = 0;
      }
      this.giveUpOf(held, 'returned', ({ idleLooks }) => idleLooks >= looksMax);
    }
    this.#lookedMs = clock.monotonicMs();
  }

  #giveUp(held: AccountLeases, why: Why): void {
    held.dropped = true;
    this.giveUpOf(held, why);
    held.wakeNext();
  }

  /** What home doesn't know of a lease was spent after this. */
  #sinceMs(lease: Lease): number {
    return Math.max(lease.grantedMs, this.#lookedMs);
  }

  #sum(of: (held: AccountLeases) => number): number {
    let sum = 0;
    for (const held of this.#accounts.values()) sum += of(held);
    return sum;
  }
}

function isUsedUp(lease: Lease): boolean {
  return lease.left === 0;
}

function isAny(): boolean {
  return true;
}
