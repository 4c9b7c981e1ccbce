import type { WriteTransaction } from '../manage/ports.ts';
import { type Account, crossesLow } from './credit-ledger-book.ts';
import { type Happened, noteLow } from './credit-ledger-draw.ts';
import { lockAccounts, writeBook } from './credit-ledger-rows.ts';

/** $1: for how long nothing was heard, in ms; $2: leases at most. A scan of as many rows as leases are out. */
const FIND_SILENT = `
select distinct account_id as id from (
  select account_id from credit_draws
  where state = 'open' and reported_at < now() - make_interval(secs => $1::float8 / 1000)
  limit $2) as silent`;

/** Looks once more, for a lease may have been reported while its account's lock was waited for. */
const LOSE_SILENT = `
update credit_draws set state = 'lost', recalled_at = coalesce(recalled_at, now())
where account_id = any($1::text[]) and state = 'open' and reported_at < now() - make_interval(secs => $2::float8 / 1000)
returning account_id as id, generation::text, (amount - spent)::text as held`;

/** Leases of which nothing was heard. */
export interface SilentOnes {
  readonly afterMs: number;
  /** So many are looked for; all of an account are given up together. */
  readonly batch: number;
}

/**
 * Gives up leases of which nothing was heard for so long. A task reports what it spends within seconds and returns what it doesn't need
 * within a minute, so its holder is gone or cut off; should it return them after all, they are free.
 */
export async function loseSilentLeases(
  transaction: WriteTransaction,
  { afterMs, batch }: SilentOnes,
): Promise<{ readonly leases: number; readonly happened: Happened }> {
  const silent = await transaction.query<{ id: string }>(FIND_SILENT, [afterMs, batch]);
  const ids = silent.map(({ id }) => id);
  if (ids.length === 0) return { leases: 0, happened: { recalls: 0, lost: 0, low: [] } };
  const accounts = await lockAccounts(transaction, ids, 0);
  const low = new Set<Account>();
  const look = (): void => {
    for (const account of accounts.values()) if (crossesLow(account)) low.add(account);
  };
  look();
  const given = await transaction.query<{ id: string; generation: string; held: string }>(LOSE_SILENT, [
    ids,
    afterMs,
  ]);
  let lost = 0;
  for (const { id, generation, held } of given) {
    const account = accounts.get(id);
    // Credits of an earlier generation count no more: nobody misses them.
    if (account === undefined || account.generation !== Number(generation)) continue;
    account.live -= Number(held);
    lost += Number(held);
  }
  look();
  await writeBook(transaction, accounts.values(), []);
  return {
    leases: given.length,
    happened: {
      recalls: 0,
      lost,
      low: [...low].filter((account) => account.low).map((account) => noteLow(transaction, account)),
    },
  };
}
