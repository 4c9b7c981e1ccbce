import { Problem } from '../../domain/problem.ts';
import type { ManageDeps } from '../deps.ts';
import type { LowAccount } from '../../domain/low-credits.ts';
import type { WriteTransaction } from '../ports.ts';
import {
  createAccount,
  type CreditAccount,
  dropUnusedAccount,
  lockAccount,
  setBalance,
  setRefill,
} from './credit-accounts.ts';
import { spendsOfIdentity } from './identity-account.ts';
import type { LockedKey } from './lock-key.ts';
import type { CreditsUpdate, Refill } from './types.ts';

/** What became of a key's credits. */
export interface CreditsChange {
  /** Null: unlimited. */
  readonly account: CreditAccount | null;
  /** The key may spend less than before. */
  readonly revokes: boolean;
  /** It has come to have few credits left by this. @default it hasn't */
  readonly low?: LowAccount | null;
}

type Deps = Pick<ManageDeps, 'nowMs' | 'randomBytes'>;

/**
 * Takes a key's account from it, so that it spends its identity's credits, or is unlimited where that has none; the account goes where no
 * other key has it.
 */
export async function makeUnlimited(transaction: WriteTransaction, key: LockedKey): Promise<CreditsChange> {
  const { creditAccountId } = key;
  if (creditAccountId === null) return { account: null, revokes: false };
  await lockAccount(transaction, creditAccountId);
  await transaction.query('update keys set credit_account_id = null where id = $1', [key.keyId]);
  await dropUnusedAccount(transaction, creditAccountId);
  return { account: null, revokes: await spendsOfIdentity(transaction, key.keyId) };
}

/** Gives a key this balance, and where it had none an account of its own, which takes something away: it was unlimited. */
export async function setKeyBalance(
  transaction: WriteTransaction,
  deps: Deps,
  workspaceId: string,
  key: LockedKey,
  value: number,
): Promise<CreditsChange> {
  const { creditAccountId } = key;
  if (creditAccountId === null) {
    const id = await createAccount(transaction, deps, workspaceId, { remaining: value });
    await transaction.query('update keys set credit_account_id = $2 where id = $1', [key.keyId, id]);
    return { account: { id, free: value, live: 0, refill: null }, revokes: true };
  }
  const before = await lockAccount(transaction, creditAccountId);
  const account = await setBalance(transaction, creditAccountId, value);
  return { account, revokes: value < before.free + before.live };
}

/**
 * Changes a key's credits as an update says: absent keeps, null clears, a value sets. Refuses with `invalid_input` where unlimited
 * credits were to be refilled.
 */
export async function updateKeyCredits(
  transaction: WriteTransaction,
  deps: Deps,
  workspaceId: string,
  key: LockedKey,
  update: CreditsUpdate | null,
): Promise<boolean> {
  if (update === null || update.remaining === null) return (await makeUnlimited(transaction, key)).revokes;
  const { remaining, refill } = update;
  let accountId = key.creditAccountId;
  let revokes = false;
  if (remaining !== undefined) {
    const changed = await setKeyBalance(transaction, deps, workspaceId, key, remaining);
    accountId = changed.account?.id ?? null;
    revokes = changed.revokes;
  }
  if (refill !== undefined) await setKeyRefill(transaction, deps, accountId, refill);
  return revokes;
}

async function setKeyRefill(
  transaction: WriteTransaction,
  deps: Deps,
  accountId: string | null,
  refill: Refill | null,
): Promise<void> {
  if (accountId !== null) {
    await setRefill(transaction, deps, accountId, refill);
    return;
  }
  if (refill === null) return;
  const location = 'body.credits.refill';
  const message = 'is not allowed for a key with unlimited credits';
  throw new Problem('invalid_input', `${location} ${message}.`, {
    errors: [{ location, message, fix: 'Set "remaining" as well, or leave the refill out.' }],
  });
}
