import { mayRoot } from '../../domain/root-permissions.ts';
import { Problem } from '../../domain/problem.ts';
import type { Principal } from '../../domain/principal.ts';
import type { ManageDeps } from '../deps.ts';
import { ACCOUNT_COLUMNS, type AccountRow, toAccount } from './credit-accounts.ts';

/**
 * Before credits are taken from a key: where fewer are free, tasks are asked to return what they hold of its account, or a key with a
 * balance of 100 could be decremented by 100 and still spend. Outside of the write's transaction, which would keep them from returning
 * anything. Bounded; what isn't returned by then is not taken. Does nothing where the call is going to be refused.
 */
export async function recallForDecrement(
  { rows, recallCredits }: Pick<ManageDeps, 'rows' | 'recallCredits'>,
  principal: Principal,
  keyId: string,
  value: number,
): Promise<void> {
  if (recallCredits === undefined) return;
  const [row] = await rows.query<AccountRow & { readonly api_id: string }>(
    `select k.api_id, ${ACCOUNT_COLUMNS}
     from keys k join credit_accounts account on account.id = k.credit_account_id
     where k.id = $1 and k.workspace_id = $2 and k.deleted_at is null`,
    [keyId, principal.workspaceId],
  );
  const account = row === undefined ? null : toAccount(row);
  if (row === undefined || account === null) return;
  if (!mayRoot(principal, 'api.*.update_key', row.api_id)) return;
  if (account.free >= value || account.live === 0) return;
  try {
    await recallCredits(account.id, value);
  } catch (error) {
    // The write that follows takes what is free, as it does where not all was returned in time.
    if (!(error instanceof Problem && error.code === 'credits_unavailable')) throw error;
  }
}
