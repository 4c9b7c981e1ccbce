import { leaseSize, nearOf } from '../domain/lease-size.ts';
import { type LowAccount, lowAccountOf, lowEntryOf } from '../domain/low-credits.ts';
import { Problem } from '../domain/problem.ts';
import type { WriteTransaction } from '../manage/ports.ts';
import type { Draw, Drawn } from '../verify/ports.ts';
import { type Account, crossesLow, type DrawRow, newRow, unspentOf } from './credit-ledger-book.ts';
import {
  lockAccounts,
  loseLeases,
  readDraws,
  recallLeases,
  tellOf,
  writeBook,
} from './credit-ledger-rows.ts';

/** What a transaction led to that is counted and logged once it is committed. */
export interface Happened {
  /** Accounts of which leases were asked back. */
  readonly recalls: number;
  /** Credits in leases that are given up. */
  readonly lost: number;
  readonly low: readonly LowAccount[];
}

export type Attempted =
  | { readonly kind: 'drawn'; readonly drawn: Drawn; readonly isNew: boolean; readonly happened: Happened }
  /** There are enough as soon as tasks return what was asked back just now. */
  | { readonly kind: 'short'; readonly happened: Happened }
  /** What was waited for is lost, but there would be enough in leases that were granted meanwhile: neither drawn nor refused. */
  | { readonly kind: 'held'; readonly happened: Happened };

export interface AttemptOptions {
  /** For so long tasks are given time to return leases, in ms; none is granted meanwhile. */
  readonly recallMs: number;
  /** That time is over: what wasn't returned is given up. */
  readonly isFinal: boolean;
  /** Nobody waits for leases of the account any more once this draw is had or refused: they may be granted again. */
  readonly endsWaiting: boolean;
}

/** Of the time that tasks are given: who waited for it did so by another clock, and timers come a moment early. */
const NEARLY = 0.9;
const NOTHING_HAPPENED: Happened = { recalls: 0, lost: 0, low: [] };

/** One try of a draw, in a transaction of the home's epoch. */
export async function attemptDraw(
  transaction: WriteTransaction,
  draw: Draw,
  { recallMs, isFinal, endsWaiting }: AttemptOptions,
): Promise<Attempted> {
  const { epoch } = transaction.revision;
  const account = (await lockAccounts(transaction, [draw.accountId], recallMs)).get(draw.accountId);
  if (account === undefined) throw gone();
  const [before] = await readDraws(transaction, [draw.id]);
  if (before !== undefined) {
    return {
      kind: 'drawn',
      drawn: drawnBefore(before, account),
      isNew: false,
      happened: NOTHING_HAPPENED,
    };
  }
  const page = new Page(transaction, account);
  if (draw.cost > account.free) {
    if (isFinal) await page.lose(recallMs);
    else if (draw.cost <= unspentOf(account)) await page.recall();
    // Without waiting where leases would not do, or are all lost: whoever could return them doesn't make it any more.
    if (!isFinal && draw.cost <= unspentOf(account)) return { kind: 'short', happened: await page.end([]) };
    if (draw.cost <= unspentOf(account)) {
      await page.recall();
      return { kind: 'held', happened: await page.end([]) };
    }
    if (endsWaiting) page.endRecall();
    account.dirty ||= !account.refused;
    account.refused = true;
    const refused = { spent: false, leased: 0, free: unspentOf(account) };
    const happened = await page.end([]);
    return {
      kind: 'drawn',
      drawn: { ...refused, generation: account.generation, epoch },
      isNew: true,
      happened,
    };
  }
  if (endsWaiting) page.endRecall();
  const row = take(account, draw, epoch);
  if (unspentOf(account) <= nearOf(account.granted) && account.live > 0) await page.recall();
  const happened = await page.end(row === null ? [] : [row]);
  const leased = row === null ? 0 : row.amount - row.cost;
  const { free, generation } = account;
  return { kind: 'drawn', drawn: { spent: true, leased, free, generation, epoch }, isNew: true, happened };
}

/** One try of having credits free that tasks hold. `ready`: there are so many, or no more can be had. */
export async function attemptRecall(
  transaction: WriteTransaction,
  { accountId, wanted }: { readonly accountId: string; readonly wanted: number },
  { recallMs, isFinal }: AttemptOptions,
): Promise<{ readonly ready: boolean; readonly happened: Happened }> {
  const account = (await lockAccounts(transaction, [accountId], recallMs)).get(accountId);
  if (account === undefined) return { ready: true, happened: NOTHING_HAPPENED };
  const page = new Page(transaction, account);
  const isShort = (): boolean => account.free < wanted && account.live > 0;
  if (isShort()) {
    if (isFinal) await page.lose(recallMs);
    else await page.recall();
  }
  return { ready: isFinal || !isShort(), happened: await page.end([]) };
}

/** What is enough for the cost is there. Null: nothing was drawn. */
function take(account: Account, draw: Draw, epoch: DrawRow['epoch']): DrawRow | null {
  const { id, holder, cost, wanted } = draw;
  account.free -= cost;
  account.spent += cost;
  const { free, live, granted } = account;
  const lease = account.recalling ? 0 : leaseSize({ free, live, granted, wanted });
  if (cost + lease === 0) return null;
  account.free -= lease;
  account.leased += lease;
  account.live += lease;
  account.dirty = true;
  return newRow({ id, holder, cost, lease, account, epoch });
}

/** A draw that came before: its answer once more. */
function drawnBefore(row: DrawRow, account: Account): Drawn {
  if (row.accountId !== account.id) {
    throw new Problem('credits_unavailable', 'A draw of this id is another account’s: it takes no credits.', {
      retryAfterS: 1,
    });
  }
  if (row.state === 'closed') {
    throw new Problem('credits_unavailable', 'This draw was called off or settled: it takes no credits.', {
      retryAfterS: 1,
    });
  }
  const { generation, epoch } = row;
  return { spent: true, leased: row.amount - row.cost, free: account.free, generation, epoch };
}

/** The key has another account by now, or unlimited credits, and the task that asks will hear of it: no reason to refuse its callers. */
function gone(): Problem {
  return new Problem('credits_unavailable', 'This account of credits is no more: it takes no credits.', {
    retryAfterS: 1,
  });
}

/** An account in a transaction, with what has to be told of it. */
class Page {
  readonly #transaction: WriteTransaction;
  readonly #account: Account;
  readonly #wasLow: boolean;
  #recalls = 0;
  #lost = 0;

  constructor(transaction: WriteTransaction, account: Account) {
    this.#transaction = transaction;
    this.#account = account;
    // It may have risen since, or have fallen without us.
    this.#wasLow = crossesLow(account);
  }

  /** Asks all leases back. No lease is granted for a moment, so this tells of an account once in that time. */
  async recall(): Promise<void> {
    const account = this.#account;
    const { asked = 0, lost = 0 } =
      (await recallLeases(this.#transaction, [account.id])).get(account.id) ?? {};
    account.live -= lost;
    this.#lost += lost;
    account.dirty = true;
    account.recalledNow = true;
    if (asked === 0) return;
    this.#recalls += 1;
    await tellOf(this.#transaction, [account.id]);
  }

  /** What was waited for has come or won't. */
  endRecall(): void {
    const account = this.#account;
    account.dirty ||= account.recalling;
    account.recallOver = true;
    account.recalling = false;
  }

  /** Gives up what was asked back so long ago, or nearly. */
  async lose(afterMs: number): Promise<void> {
    const lost = await loseLeases(this.#transaction, this.#account.id, afterMs * NEARLY);
    this.#account.live -= lost;
    this.#lost += lost;
  }

  /** Writes the account, and this draw. */
  async end(rows: readonly DrawRow[]): Promise<Happened> {
    const isLow = crossesLow(this.#account) || (this.#wasLow && this.#account.low);
    const low = isLow ? [noteLow(this.#transaction, this.#account)] : [];
    await writeBook(this.#transaction, [this.#account], rows);
    return { recalls: this.#recalls, lost: this.#lost, low };
  }
}

/** Notes in the audit log that few credits are left. */
export function noteLow(transaction: WriteTransaction, account: Account): LowAccount {
  const low = lowAccountOf({ ...account, unspent: unspentOf(account) });
  transaction.audit(lowEntryOf(low));
  return low;
}
