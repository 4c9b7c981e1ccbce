import { Problem } from '../domain/problem.ts';
import type { Look } from './credit-ledger-rows.ts';

export interface RecallWaitsOptions {
  /** What could be had of accounts at this moment; those that are gone are left out. */
  readonly look: (accountIds: readonly string[]) => Promise<ReadonlyMap<string, Look>>;
  /** Between looks, in ms. @default 50 */
  readonly pollMs?: number;
  /** Of one account that wait at most. @default 200 */
  readonly maxWaiting?: number;
}

interface Waiter {
  readonly cost: number;
  readonly wake: () => void;
}

/**
 * Those who wait until tasks return what was asked back of them. However many wait, of however many accounts, one look at the database at
 * a time is made for all of them, since what is returned may be returned to another task of the home. Nobody who waits has a connection.
 */
export class RecallWaits {
  readonly #look: RecallWaitsOptions['look'];
  readonly #pollMs: number;
  readonly #maxWaiting: number;
  readonly #accounts = new Map<string, Set<Waiter>>();
  #timer: NodeJS.Timeout | null = null;
  #looking = false;

  constructor({ look, pollMs = 50, maxWaiting = 200 }: RecallWaitsOptions) {
    this.#look = look;
    this.#pollMs = pollMs;
    this.#maxWaiting = maxWaiting;
  }

  /**
   * True once so much is free, or no lease is out any more; false after `timeoutMs`. Fails with Problem `credits_unavailable` where too
   * many wait already.
   */
  async wait(accountId: string, cost: number, timeoutMs: number): Promise<boolean> {
    if (timeoutMs <= 0) return false;
    const waiters = this.#accounts.get(accountId) ?? new Set();
    if (waiters.size >= this.#maxWaiting) throw tooMany();
    this.#accounts.set(accountId, waiters);
    const come = await new Promise<boolean>((resolve) => {
      const waiter = {
        cost,
        wake: () => {
          end();
          resolve(true);
        },
      };
      const timer = setTimeout(() => {
        end();
        resolve(false);
      }, timeoutMs);
      const end = (): void => {
        clearTimeout(timer);
        waiters.delete(waiter);
        if (waiters.size === 0) this.#accounts.delete(accountId);
      };
      waiters.add(waiter);
      this.#schedule(this.#pollMs);
    });
    return come;
  }

  /** Somebody waits for no more than that: whoever comes now would have to wait as well. */
  isShortOf(accountId: string, cost: number): boolean {
    for (const waiter of this.#accounts.get(accountId) ?? []) if (waiter.cost <= cost) return true;
    return false;
  }

  isWaitedFor(accountId: string): boolean {
    return this.#accounts.has(accountId);
  }

  /** Something was returned: looks at once. */
  kick(): void {
    if (this.#accounts.size > 0) this.#schedule(0);
  }

  #schedule(afterMs: number): void {
    if (this.#looking || (this.#timer !== null && afterMs > 0)) return;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#round(), afterMs);
  }

  async #round(): Promise<void> {
    this.#timer = null;
    this.#looking = true;
    try {
      const ids = [...this.#accounts.keys()];
      const seen = ids.length === 0 ? new Map<string, Look>() : await this.#look(ids);
      for (const id of ids) {
        const { free, live } = seen.get(id) ?? { free: 0, live: 0 };
        for (const waiter of this.#accounts.get(id) ?? []) {
          if (live === 0 || waiter.cost <= free) waiter.wake();
        }
      }
    } catch {
      // The database is away; who waits hears of it when the time is over.
    } finally {
      this.#looking = false;
      if (this.#accounts.size > 0) this.#schedule(this.#pollMs);
    }
  }
}

function tooMany(): Problem {
  return new Problem(
    'credits_unavailable',
    'Too many calls wait for credits of this account to be returned: no credits were taken.',
    { retryAfterS: 1 },
  );
}
