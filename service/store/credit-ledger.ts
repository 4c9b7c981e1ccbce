import pg, { type Pool, type PoolClient } from 'pg';
import { Problem } from '../domain/problem.ts';
import type { Epoch } from '../domain/revision.ts';
import type { CreditLedger, Spending } from '../verify/ports.ts';
import { AccountTurns, type AccountTurnsOptions } from './account-turns.ts';
import { isConnectionFailure } from './failures.ts';

export interface PostgresCreditLedgerOptions {
  /** On the region's own writer endpoint. */
  readonly pool: Pool;
  /** The epoch in which this task is at home; null: it isn't. */
  readonly epoch: () => Epoch | null;
  /** How spendings of one account wait for each other. */
  readonly turns?: AccountTurnsOptions;
}

interface BalanceRow {
  readonly free: string;
  readonly generation: string;
}

const IS_EPOCH = `(select counter = $2::integer and id = $3::text from epochs order by counter desc limit 1)`;

/**
 * $1: account; $2, $3: epoch; $4: credits. One statement that is its own transaction. Of two that come at once, the second one waits for
 * the first and looks at what it left: what there isn't can't be taken. No fence is needed beside the look at the epoch: nothing of an
 * epoch is written, and an account is right in whichever order spendings and the start of an epoch are committed.
 */
const SPEND = `
update credit_accounts set free = free - $4::bigint, spent = spent + $4::bigint
where id = $1::text and free >= $4::bigint and ${IS_EPOCH}
returning free, generation`;

/** $1: account; $2, $3: epoch. */
const READ = `
select a.free, a.generation, ${IS_EPOCH} as "isHome" from (select 1) as one left join credit_accounts a on a.id = $1::text`;

/** Between a spending that took nothing and the look at the balance, the account may be filled up: then it is tried again. */
const ATTEMPTS = 3;

/**
 * The ledger of the home's database. A spending writes no change row and no audit line: it alters no verdict but that of an empty account,
 * and who holds that account asks anyway.
 */
export class PostgresCreditLedger implements CreditLedger {
  readonly #pool: Pool;
  readonly #epoch: () => Epoch | null;
  readonly #turns: AccountTurns;

  constructor(options: PostgresCreditLedgerOptions) {
    this.#pool = options.pool;
    this.#epoch = options.epoch;
    this.#turns = new AccountTurns(options.turns);
  }

  async spend(accountId: string, cost: number): Promise<Spending> {
    return await this.#turns.run(accountId, async () => await this.#spend(accountId, cost));
  }

  async #spend(accountId: string, cost: number): Promise<Spending> {
    const epoch = this.#epoch();
    if (epoch === null) throw notHome();
    const client = await this.#connect();
    // While a connection is checked out, nobody but us hears of its end; the query that is under way fails with it as well.
    const onError = (): void => {};
    client.on('error', onError);
    let broken = false;
    try {
      return await spendOn(client, epoch, { accountId, cost });
    } catch (error) {
      const cause = error instanceof NothingTaken ? error.cause : error;
      broken = isConnectionFailure(cause);
      // What isn't the server's own word leaves open what became of the statement.
      const isSure = error instanceof NothingTaken || (!broken && error instanceof pg.DatabaseError);
      throw refusalOf(cause, isSure);
    } finally {
      client.off('error', onError);
      client.release(broken);
    }
  }

  async #connect(): Promise<PoolClient> {
    try {
      return await this.#pool.connect();
    } catch (error) {
      throw refusalOf(error, true);
    }
  }
}

async function spendOn(
  client: PoolClient,
  epoch: Epoch,
  { accountId, cost }: { accountId: string; cost: number },
): Promise<Spending> {
  const place = [accountId, epoch.counter, epoch.id];
  for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
    const taken = await client.query<BalanceRow>(SPEND, [...place, cost]);
    const [after] = taken.rows;
    if (after !== undefined) return spendingOf(true, after);
    const [left] = await readBalance(client, place);
    if (left?.isHome !== true) throw notHome();
    // An account that isn't there has nothing.
    const { free, generation } = left;
    if (free === null || generation === null) return { spent: false, free: 0, generation: 0 };
    if (Number(free) < cost) return spendingOf(false, { free, generation });
  }
  throw new Problem('credits_unavailable', 'The account kept changing; no credits were taken.', {
    retryAfterS: 1,
  });
}

/** After a spending that took nothing. */
async function readBalance(
  client: PoolClient,
  place: readonly unknown[],
): Promise<readonly (Nullable<BalanceRow> & { readonly isHome: boolean | null })[]> {
  try {
    return (await client.query(READ, [...place])).rows;
  } catch (cause) {
    throw new NothingTaken('the balance could not be read', { cause });
  }
}

/** Asking failed once the server had said that nothing was taken. */
class NothingTaken extends Error {
  override readonly name = 'NothingTaken';
}

type Nullable<T> = { readonly [K in keyof T]: T[K] | null };

/** Balances are bounded where they are written, so that a number holds them exactly. */
function spendingOf(spent: boolean, { free, generation }: BalanceRow): Spending {
  return { spent, free: Number(free), generation: Number(generation) };
}

function notHome(): Problem {
  return new Problem('credits_unavailable', 'The home is moving to another region; no credits were taken.', {
    retryAfterS: 1,
  });
}

/** A statement whose answer was lost may have been carried out; of one that the server refused, nothing is left. */
function refusalOf(error: unknown, isSure: boolean): unknown {
  if (error instanceof Problem) return error;
  if (isSure) {
    return new Problem('credits_unavailable', 'The database did not answer in time: no credits were taken.', {
      retryAfterS: 1,
      cause: error,
    });
  }
  return new Problem(
    'outcome_unknown',
    'The database was lost while credits were taken: those of this call may have been taken.',
    { cause: error },
  );
}
