import { Problem } from '../domain/problem.ts';
import type { CreditsObject } from '../domain/records.ts';
import type { Clock, CreditLedger, Spending } from './ports.ts';

interface Balance {
  readonly free: number;
  readonly generation: number;
}

/** What became of asking for credits; `free` is what is left. */
export type Spent = Pick<Spending, 'spent' | 'free'>;

const NONE_LEFT: Spent = { spent: false, free: 0 };

/**
 * The credits of keys, as this task knows them. Whether there are enough is for the ledger alone to say, with one exception: nobody
 * puts credits into an empty account without a change row, and so it is refused without asking until that row is here.
 *
 * Balances are remembered with the object that was read of an account. A change row replaces the object, and what was remembered
 * goes with it.
 */
export class Credits {
  readonly counters = { spent: 0, refused: 0, refusedEmpty: 0, failed: 0 };
  /** Time that verifications waited for the ledger, in ms, all together. */
  waitedMs = 0;
  readonly #ledger: CreditLedger;
  readonly #clock: Clock;
  readonly #balances = new WeakMap<CreditsObject, Balance>();

  constructor(options: { ledger: CreditLedger; clock: Clock }) {
    this.#ledger = options.ledger;
    this.#clock = options.clock;
  }

  /** Credits that are known to be left. */
  balanceOf(account: CreditsObject): number {
    return (this.#balances.get(account) ?? account).free;
  }

  /**
   * Takes `cost` credits (at least 1), or none. Synchronous where nobody needs to be asked. Fails as the ledger does: with Problem
   * `credits_unavailable` where certainly none were taken, `outcome_unknown` where they may have been.
   */
  spend(account: CreditsObject, cost: number): Spent | Promise<Spent> {
    if (this.balanceOf(account) > 0) return this.#ask(account, cost);
    this.counters.refusedEmpty += 1;
    return NONE_LEFT;
  }

  async #ask(account: CreditsObject, cost: number): Promise<Spent> {
    const startedMs = this.#clock.monotonicMs();
    try {
      const spending = await this.#ledger.spend(account.id, cost);
      this.#learn(account, spending);
      if (spending.spent) this.counters.spent += 1;
      else this.counters.refused += 1;
      return spending;
    } catch (error) {
      this.counters.failed += 1;
      throw error instanceof Problem ? error : unknown(error);
    } finally {
      this.waitedMs += this.#clock.monotonicMs() - startedMs;
    }
  }

  /**
   * Answers may come out of order. Within one generation a balance only falls, so the lower one is the later one; where something is
   * added to it all the same, the change row of that replaces the object.
   */
  #learn(account: CreditsObject, { free, generation }: Spending): void {
    const known = this.#balances.get(account) ?? account;
    if (generation < known.generation) return;
    if (generation === known.generation && free >= known.free) return;
    this.#balances.set(account, { free, generation });
  }
}

function unknown(cause: unknown): Problem {
  return new Problem(
    'outcome_unknown',
    'Asking for the credits failed: those of this call may or may not have been taken.',
    { cause },
  );
}
