import { nextRefill } from '../../domain/credit-rules.ts';
import { newId } from '../../domain/ids.ts';
import { isLow } from '../../domain/lease-size.ts';
import { type LowAccount, lowAccountOf, lowEntryOf } from '../../domain/low-credits.ts';
import { Problem } from '../../domain/problem.ts';
import type { ManageDeps } from '../deps.ts';
import type { WriteTransaction } from '../ports.ts';
import type { CreditsView, Refill } from './types.ts';

/**
 * Accounts of credits, which a key and those that it was rerolled to share. granted = free + leased + spent holds after each of
 * these, within a generation; setting a balance opens the next generation, so that what was leased before counts no more. Each notes
 * the account's change, which makes tasks return their leases and forget that there weren't enough. Leases are granted again at once: what
 * they were asked back for has been done.
 */

/** An account as it is now. */
export interface CreditAccount {
  readonly id: string;
  /** What the ledger can still hand out. */
  readonly free: number;
  /** In leases that tasks hold, as far as they have told what they spent of them; without those that were not returned in time. */
  readonly live: number;
  readonly refill: Refill | null;
}

/** An account after a change of it. */
export interface ChangedAccount extends CreditAccount {
  /** Null: it hasn't come to have few credits left just now. */
  readonly low: LowAccount | null;
}

/** What an account is made of, from `credit_accounts account`; all but `live` null: there is none. */
export const ACCOUNT_COLUMNS = `account.id as account_id, account.free::text,
  (select coalesce(sum(d.amount - d.spent), 0)::text from credit_draws d
    where d.account_id = account.id and d.generation = account.generation and d.state = 'open') as live,
  account.refill_interval, account.refill_amount::text, account.refill_day`;

export interface AccountRow {
  readonly account_id: string | null;
  readonly free: string | null;
  readonly live: string;
  readonly refill_interval: Refill['interval'] | null;
  readonly refill_amount: string | null;
  readonly refill_day: number | null;
}

/** Null where the columns are. */
export function toAccount(row: AccountRow): CreditAccount | null {
  if (row.account_id === null) return null;
  return {
    id: row.account_id,
    free: Number(row.free),
    live: Number(row.live),
    refill:
      row.refill_interval === null
        ? null
        : {
            interval: row.refill_interval,
            amount: Number(row.refill_amount),
            ...(row.refill_day === null ? {} : { refillDay: row.refill_day }),
          },
  };
}

/**
 * How calls show the credits of a key; without an account they are unlimited. What tasks hold is there to be spent, and so is what they
 * have spent and not told yet.
 */
export function creditsView(account: CreditAccount | null): CreditsView {
  if (account === null) return { remaining: null };
  return {
    remaining: account.free + account.live,
    ...(account.refill === null ? {} : { refill: account.refill }),
  };
}

/** Reads an account and keeps it from changing until the transaction ends. */
export async function lockAccount(transaction: WriteTransaction, accountId: string): Promise<CreditAccount> {
  await transaction.query('select from credit_accounts where id = $1 for update', [accountId]);
  // A statement of its own: it sees the leases that were granted while the first one waited.
  return existing(
    await transaction.query<AccountRow>(
      `select ${ACCOUNT_COLUMNS} from credit_accounts account where id = $1`,
      [accountId],
    ),
  );
}

/** Makes an account and returns its id. */
export async function createAccount(
  transaction: WriteTransaction,
  deps: Pick<ManageDeps, 'nowMs' | 'randomBytes'>,
  workspaceId: string,
  { remaining, refill = null }: { readonly remaining: number; readonly refill?: Refill | null },
): Promise<string> {
  const id = newId('credits', deps.randomBytes);
  await transaction.query(
    `insert into credit_accounts (id, workspace_id, granted, free, refill_interval, refill_amount, refill_day, refill_at)
     values ($1, $2, $3, $3, $4, $5, $6, to_timestamp($7::bigint / 1000.0))`,
    [id, workspaceId, remaining, ...refillValues(deps, refill)],
  );
  transaction.changed('credits', id);
  return id;
}

/** Opens the next generation, with this balance. */
export async function setBalance(
  transaction: WriteTransaction,
  accountId: string,
  value: number,
): Promise<CreditAccount> {
  return await change(
    transaction,
    accountId,
    'generation = generation + 1, granted = $2, free = $2, leased = 0, spent = 0, low_generation = null',
    [value],
  );
}

/** Adds to what is free. Refuses with `invalid_input` where the sum has no exact form in JSON. */
export async function incrementBalance(
  transaction: WriteTransaction,
  accountId: string,
  value: number,
): Promise<CreditAccount> {
  const [row] = await transaction.query<{ fits: boolean }>(
    'select granted + $2::bigint <= $3::bigint as fits from credit_accounts where id = $1 for update',
    [accountId, value, Number.MAX_SAFE_INTEGER],
  );
  if (row?.fits === false) {
    const location = 'body.value';
    const message = `would take what was granted beyond ${Number.MAX_SAFE_INTEGER}`;
    throw new Problem('invalid_input', `${location} ${message}.`, {
      errors: [{ location, message, fix: 'Set the balance instead, or increment by less.' }],
    });
  }
  return await change(transaction, accountId, 'granted = granted + $2::bigint, free = free + $2::bigint', [
    value,
  ]);
}

/** Takes from what is free, as far as there is something; what tasks hold is asked back before (recallForDecrement). */
export async function decrementBalance(
  transaction: WriteTransaction,
  accountId: string,
  value: number,
): Promise<ChangedAccount> {
  return await change(
    transaction,
    accountId,
    'granted = granted - least(free, $2::bigint), free = free - least(free, $2::bigint)',
    [value],
  );
}

/** When the balance is set anew from now on; null: never. */
export async function setRefill(
  transaction: WriteTransaction,
  deps: Pick<ManageDeps, 'nowMs'>,
  accountId: string,
  refill: Refill | null,
): Promise<CreditAccount> {
  return await change(
    transaction,
    accountId,
    'refill_interval = $2, refill_amount = $3, refill_day = $4, refill_at = to_timestamp($5::bigint / 1000.0)',
    refillValues(deps, refill),
  );
}

/**
 * Ends an account that no key has any more. Its keys must have been taken from it before, in this transaction, and the account locked
 * before that: of two keys that leave it at once, the second one sees that the first is gone.
 */
export async function dropUnusedAccount(transaction: WriteTransaction, accountId: string): Promise<void> {
  const dropped = await transaction.query(
    `delete from credit_accounts a
     where a.id = $1 and not exists (select from keys k where k.credit_account_id = a.id) returning a.id`,
    [accountId],
  );
  if (dropped.length > 0) transaction.changed('credits', accountId);
}

async function change(
  transaction: WriteTransaction,
  accountId: string,
  sets: string,
  values: readonly unknown[],
): Promise<ChangedAccount> {
  const rows = await transaction.query<ChangedRow>(
    `update credit_accounts account set ${sets}, refused = false, recalled_at = null, updated_at = now() where id = $1
     returning ${ACCOUNT_COLUMNS}, workspace_id, granted::text, coalesce(low_generation = generation, false) as was_low`,
    [accountId, ...values],
  );
  transaction.changed('credits', accountId);
  const account = existing(rows);
  const [row] = rows;
  return { ...account, low: row === undefined ? null : await noteCrossing(transaction, account, row) };
}

interface ChangedRow extends AccountRow {
  readonly workspace_id: string;
  readonly granted: string;
  readonly was_low: boolean;
}

/** As the ledger does it (store/credit-ledger-draw.ts): few left is told of once, until there are more again. */
async function noteCrossing(
  transaction: WriteTransaction,
  { id, free, live }: CreditAccount,
  row: ChangedRow,
): Promise<LowAccount | null> {
  const granted = Number(row.granted);
  const unspent = free + live;
  const low = isLow({ unspent, granted });
  if (low === row.was_low) return null;
  await transaction.query(
    'update credit_accounts set low_generation = case when $2 then generation end where id = $1',
    [id, low],
  );
  if (!low) return null;
  const account = lowAccountOf({ id, workspaceId: row.workspace_id, granted, unspent });
  transaction.audit(lowEntryOf(account));
  return account;
}

function existing(rows: readonly AccountRow[]): CreditAccount {
  const [row] = rows;
  const account = row === undefined ? null : toAccount(row);
  // Keys refer to their accounts, and the database keeps it so.
  if (account === null) throw new Error('an account of credits that a key refers to is not there');
  return account;
}

/** Interval, amount, day, and when it is due next. */
function refillValues({ nowMs }: Pick<ManageDeps, 'nowMs'>, refill: Refill | null): readonly unknown[] {
  if (refill === null) return [null, null, null, null];
  return [refill.interval, refill.amount, refill.refillDay ?? null, nextRefill(refill, nowMs())];
}
