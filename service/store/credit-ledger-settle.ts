import { nearOf } from '../domain/lease-size.ts';
import type { WriteTransaction } from '../manage/ports.ts';
import type { Settlement } from '../verify/ports.ts';
import { type Account, crossesLow, Settling, type Told, unspentOf } from './credit-ledger-book.ts';
import { type Happened, noteLow } from './credit-ledger-draw.ts';
import { lockAccounts, readDraws, recallLeases, tellOf, writeBook } from './credit-ledger-rows.ts';

/** For the rows of accounts, in ms. */
const LOCK_TIMEOUT_MS = 200;

/** What settling led to, for counters and whoever told. */
export interface SettledBatch {
  readonly told: Told;
  readonly recalled: readonly string[];
  readonly happened: Happened;
}

/**
 * Settles a batch in one transaction of the home's epoch: accounts are locked in one order, everything is done in memory, and written
 * together.
 */
export async function settleBatch(
  transaction: WriteTransaction,
  settlements: readonly Settlement[],
  { recallMs }: { readonly recallMs: number },
): Promise<SettledBatch> {
  // One account that somebody else holds must not keep all the others: the task tells of fewer at a time then.
  await transaction.query(`select set_config('lock_timeout', '${LOCK_TIMEOUT_MS}', true)`);
  const ids = [...new Set(settlements.map(({ accountId }) => accountId))];
  const accounts = await lockAccounts(transaction, ids, recallMs);
  const rows = await readDraws(transaction, [...new Set(settlements.map(({ id }) => id))]);
  const low = new Set<Account>();
  const crossing = (account: Account): void => {
    if (crossesLow(account)) low.add(account);
  };
  const freeBefore = new Map<Account, number>();
  for (const account of accounts.values()) {
    freeBefore.set(account, account.free);
    crossing(account);
  }
  const settling = new Settling(transaction.revision.epoch, accounts, rows);
  for (const settlement of settlements) settling.settle(settlement);
  const { told } = settling;
  await writeBook(transaction, [], told.rows);

  const freed = [...accounts.values()].filter(
    (account) => account.refused && account.free > (freeBefore.get(account) ?? 0),
  );
  for (const account of freed) {
    account.refused = false;
    account.dirty = true;
  }
  const near = [...accounts.values()].filter(
    (account) => account.live > 0 && unspentOf(account) <= nearOf(account.granted),
  );
  const { asked, lost } = await recallOf(transaction, near);
  const changed = new Set([...freed, ...asked].map(({ id }) => id));
  if (changed.size > 0) await tellOf(transaction, [...changed]);
  for (const account of accounts.values()) crossing(account);
  await writeBook(transaction, accounts.values(), []);

  const recalled = new Set(told.recalled);
  for (const row of told.rows) {
    if (row.state === 'open' && asked.some(({ id }) => id === row.accountId)) recalled.add(row.id);
  }
  return {
    told,
    recalled: [...recalled],
    happened: {
      recalls: asked.length,
      lost,
      low: [...low].filter((account) => account.low).map((account) => noteLow(transaction, account)),
    },
  };
}

/** Asks leases of these accounts back; `asked` are those of which there were some that nobody had asked for. */
async function recallOf(
  transaction: WriteTransaction,
  accounts: readonly Account[],
): Promise<{ readonly asked: readonly Account[]; readonly lost: number }> {
  if (accounts.length === 0) return { asked: [], lost: 0 };
  const recalled = await recallLeases(
    transaction,
    accounts.map(({ id }) => id),
  );
  let lost = 0;
  const asked: Account[] = [];
  for (const account of accounts) {
    const found = recalled.get(account.id);
    if (found === undefined) continue;
    account.live -= found.lost;
    lost += found.lost;
    account.dirty = true;
    account.recalledNow = true;
    if (found.asked > 0) asked.push(account);
  }
  return { asked, lost };
}
