import { Problem } from '../domain/problem.ts';

export interface AccountTurnsOptions {
  /** Of one account under way at a time. @default 2: while one is committed, the next one is on its way. */
  readonly atOnce?: number;
  /** Of one account that wait at most. @default 200 */
  readonly maxWaiting?: number;
  /** How long one waits at most, in ms. @default 1000, half of what a task of another region waits for an answer */
  readonly maxWaitMs?: number;
  /** What is told where too many are before it, and nothing was done. @default that of spendings of one account */
  readonly refusal?: string;
}

interface Account {
  underWay: number;
  /** In the order in which they came. */
  readonly waiting: Set<() => void>;
}

/**
 * Lets a few things at a time be done with each account. Spendings of one account queue on its row; without turns, those of a single
 * busy account would take every connection, and all other accounts would wait behind it.
 */
export class AccountTurns {
  readonly #accounts = new Map<string, Account>();
  readonly #atOnce: number;
  readonly #maxWaiting: number;
  readonly #maxWaitMs: number;
  readonly #refusal: string;

  constructor({
    atOnce = 2,
    maxWaiting = 200,
    maxWaitMs = 1000,
    refusal = 'Too many calls spend of this account at this moment: no credits were taken.',
  }: AccountTurnsOptions = {}) {
    this.#atOnce = atOnce;
    this.#maxWaiting = maxWaiting;
    this.#maxWaitMs = maxWaitMs;
    this.#refusal = refusal;
  }

  /** Does the work once it is its turn; fails with Problem `credits_unavailable`, the work not begun, where too many are before it. */
  async run<T>(accountId: string, work: () => Promise<T>): Promise<T> {
    let account = this.#accounts.get(accountId);
    if (account === undefined) {
      account = { underWay: 0, waiting: new Set() };
      this.#accounts.set(accountId, account);
    }
    if (account.underWay < this.#atOnce) account.underWay += 1;
    else await this.#wait(account);
    try {
      return await work();
    } finally {
      this.#end(accountId, account);
    }
  }

  /** Resolves once a place was handed over. */
  async #wait({ waiting }: Account): Promise<void> {
    if (waiting.size >= this.#maxWaiting) throw tooMany(this.#refusal);
    await new Promise<void>((resolve, reject) => {
      const goOn = (): void => {
        clearTimeout(timer);
        resolve();
      };
      const timer = setTimeout(() => {
        waiting.delete(goOn);
        reject(tooMany(this.#refusal));
      }, this.#maxWaitMs);
      waiting.add(goOn);
    });
  }

  #end(accountId: string, account: Account): void {
    const [next] = account.waiting;
    if (next !== undefined) {
      account.waiting.delete(next);
      next();
      return;
    }
    account.underWay -= 1;
    if (account.underWay === 0) this.#accounts.delete(accountId);
  }
}

function tooMany(refusal: string): Problem {
  return new Problem('credits_unavailable', refusal, { retryAfterS: 1 });
}
