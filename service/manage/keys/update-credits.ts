import { type CreditsOperation, readCreditsOperation } from '../../domain/credit-rules.ts';
import type { LowAccount } from '../../domain/low-credits.ts';
import { Problem } from '../../domain/problem.ts';
import { auditOf } from '../audit.ts';
import type { ManageDeps } from '../deps.ts';
import { writeOnce } from '../idempotency.ts';
import type { WriteTransaction } from '../ports.ts';
import type { WriteContext, Written } from '../types.ts';
import { creditsView, decrementBalance, incrementBalance, lockAccount } from './credit-accounts.ts';
import { type CreditsChange, makeUnlimited, setKeyBalance } from './key-credits.ts';
import { type LockedKey, lockKey } from './lock-key.ts';
import { recallForDecrement } from './recall-for-decrement.ts';
import type { CreditsView, UpdateCreditsInput } from './types.ts';

/**
 * Sets, increments or decrements a key's credits, and answers what is left. Decrementing ends at 0, after tasks were asked to return what
 * they hold where less is free. Keys that share their account see
 * the change alike, but for unlimited credits, which only this key has then.
 */
export async function updateCredits(
  deps: ManageDeps,
  context: WriteContext,
  input: UpdateCreditsInput,
): Promise<Written<CreditsView>> {
  const operation = readCreditsOperation(input);
  if (operation.operation === 'decrement') {
    await recallForDecrement(deps, context.principal, input.keyId, operation.value);
  }
  const crossing: { low: LowAccount | null } = { low: null };
  const written = await writeOnce<CreditsView, CreditsView>(deps, context, {
    async run(transaction) {
      const key = await lockKey(transaction, context.principal, input.keyId, 'api.*.update_key');
      const { account, revokes, low = null } = await apply(deps, context, transaction, key, operation);
      crossing.low = low;
      if (account?.id !== key.creditAccountId) {
        await transaction.query('update keys set updated_at = now() where id = $1', [key.keyId]);
        transaction.changedRecord('key', key.keyId, key.hash);
      }
      const view = creditsView(account);
      transaction.audit(
        auditOf(context, {
          action: 'key.updateCredits',
          targetKind: 'key',
          targetId: key.keyId,
          detail: { ...operation, accountId: account?.id ?? null, remaining: view.remaining },
        }),
      );
      return { data: view, revokes, remembered: view };
    },
    recall: (view) => view,
  });
  if (crossing.low !== null && !written.replayed) deps.onLowCredits?.(crossing.low);
  return written;
}

async function apply(
  deps: ManageDeps,
  { principal }: WriteContext,
  transaction: WriteTransaction,
  key: LockedKey,
  change: CreditsOperation,
): Promise<CreditsChange> {
  const { operation } = change;
  if (operation === 'unlimited') return await makeUnlimited(transaction, key);
  const { value } = change;
  if (operation === 'set') {
    return await setKeyBalance(transaction, deps, principal.workspaceId, key, value);
  }
  const { creditAccountId } = key;
  if (creditAccountId === null) throw unlimited(operation);
  if (operation === 'increment') {
    return { account: await incrementBalance(transaction, creditAccountId, value), revokes: false };
  }
  const before = await lockAccount(transaction, creditAccountId);
  const account = await decrementBalance(transaction, creditAccountId, value);
  return { account, revokes: account.free < before.free, low: account.low };
}

function unlimited(operation: string): Problem {
  const location = 'body.operation';
  const message = `"${operation}" is not possible for a key with unlimited credits`;
  return new Problem('invalid_input', `${location} ${message}.`, {
    errors: [
      {
        location,
        message,
        fix: 'Use operation "set" to give the key a balance of its own first. Its identity’s is changed by identities.updateIdentity.',
      },
    ],
  });
}
