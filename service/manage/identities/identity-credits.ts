import { Problem } from '../../domain/problem.ts';
import type { ManageDeps } from '../deps.ts';
import {
  createAccount,
  type CreditAccount,
  dropUnusedAccount,
  lockAccount,
  setBalance,
  setRefill,
} from '../keys/credit-accounts.ts';
import type { CreditsUpdate, CreditsView, Refill } from '../keys/types.ts';
import type { WriteTransaction } from '../ports.ts';

/**
 * Credits of an identity: an account that those of its keys spend which have none of their own. A key's record says which account it
 * spends, whosever it is; so where an identity gets or loses its account, each of its keys has changed.
 */

/**
 * Keys that an identity may have when it gets or loses its account: as many as an import brings. Every task reads all change rows of a
 * transaction at once.
 */
const MAX_CHANGED_KEYS = 5000;

/** Those with an account of their own too: another call may be taking it from them just now, and hasn't seen the identity's. */
const NOTE_KEYS = `
insert into changes (epoch, kind, id, hash)
select $1, 'key', k.id, k.hash from keys k where k.identity_id = $2 and k.deleted_at is null limit $3 returning 1`;

/** An identity whose row this transaction has locked, or made. */
export interface CreditedIdentity {
  readonly identityId: string;
  readonly workspaceId: string;
}

type Deps = Pick<ManageDeps, 'nowMs' | 'randomBytes'>;

/** The account of a new identity, which no key belongs to yet. Returns its id; null: it has no credits. */
export async function createIdentityAccount(
  transaction: WriteTransaction,
  deps: Deps,
  workspaceId: string,
  credits: CreditsView | undefined,
): Promise<string | null> {
  const { remaining = null, refill = null } = credits ?? {};
  if (remaining === null) return null;
  return await createAccount(transaction, deps, workspaceId, { remaining, refill });
}

/**
 * Changes an identity's credits as an update says: absent keeps, null clears, a value sets. True where its keys may spend less than
 * before. Refuses with `invalid_input` where there is nothing to refill, with `precondition_failed` where the identity has too many keys to
 * get or lose an account.
 */
export async function updateIdentityCredits(
  transaction: WriteTransaction,
  deps: Deps,
  identity: CreditedIdentity,
  update: CreditsUpdate | null,
): Promise<boolean> {
  const accountId = await accountOf(transaction, identity);
  if (update === null || update.remaining === null) {
    if (accountId !== null) await takeAccount(transaction, identity, accountId);
    return false;
  }
  const { remaining, refill } = update;
  if (accountId === null) {
    if (remaining !== undefined) {
      await giveAccount(transaction, deps, identity, { remaining, refill: refill ?? null });
      return true;
    }
    if (refill !== undefined && refill !== null) throw nothingToRefill();
    return false;
  }
  let before: CreditAccount | null = null;
  if (remaining !== undefined) {
    before = await lockAccount(transaction, accountId);
    await setBalance(transaction, accountId, remaining);
  }
  if (refill !== undefined) await setRefill(transaction, deps, accountId, refill);
  return remaining !== undefined && before !== null && remaining < before.free + before.live;
}

async function accountOf(
  transaction: WriteTransaction,
  { identityId }: CreditedIdentity,
): Promise<string | null> {
  const [row] = await transaction.query<{ id: string | null }>(
    'select credit_account_id as id from identities where id = $1',
    [identityId],
  );
  return row?.id ?? null;
}

async function giveAccount(
  transaction: WriteTransaction,
  deps: Deps,
  identity: CreditedIdentity,
  credits: { readonly remaining: number; readonly refill: Refill | null },
): Promise<void> {
  await holdKeysOff(transaction, identity);
  const accountId = await createAccount(transaction, deps, identity.workspaceId, credits);
  await setAccount(transaction, identity, accountId);
}

async function takeAccount(
  transaction: WriteTransaction,
  identity: CreditedIdentity,
  accountId: string,
): Promise<void> {
  await holdKeysOff(transaction, identity);
  await lockAccount(transaction, accountId);
  await setAccount(transaction, identity, null);
  await dropUnusedAccount(transaction, accountId);
}

/**
 * Waits for calls that are making keys which belong to the identity, and keeps others from it until the transaction ends: such a key
 * could be read, as belonging to an identity as it was before, without a change row that comes later.
 */
async function holdKeysOff(transaction: WriteTransaction, { identityId }: CreditedIdentity): Promise<void> {
  await transaction.query('select from identities where id = $1 for update', [identityId]);
}

async function setAccount(
  transaction: WriteTransaction,
  { identityId }: CreditedIdentity,
  accountId: string | null,
): Promise<void> {
  await transaction.query('update identities set credit_account_id = $2 where id = $1', [
    identityId,
    accountId,
  ]);
  const { counter } = transaction.revision.epoch;
  const noted = await transaction.query(NOTE_KEYS, [counter, identityId, MAX_CHANGED_KEYS + 1]);
  if (noted.length <= MAX_CHANGED_KEYS) return;
  throw new Problem(
    'precondition_failed',
    `An identity with more than ${MAX_CHANGED_KEYS} keys can neither get nor lose credits. Make one with credits, and let the keys belong to it with keys.updateKey.`,
  );
}

function nothingToRefill(): Problem {
  const location = 'body.credits.refill';
  const message = 'is not allowed for an identity without credits';
  return new Problem('invalid_input', `${location} ${message}.`, {
    errors: [{ location, message, fix: 'Set "remaining" as well, or leave the refill out.' }],
  });
}
