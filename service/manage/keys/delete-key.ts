import { auditOf } from '../audit.ts';
import type { ManageDeps } from '../deps.ts';
import { writeOnce } from '../idempotency.ts';
import type { Nothing, WriteContext, Written } from '../types.ts';
import { dropUnusedAccount, lockAccount } from './credit-accounts.ts';
import { dropText } from './key-texts.ts';
import { lockKey } from './lock-key.ts';
import type { DeleteKeyInput } from './types.ts';

/**
 * Ends a key for good, and its text where that was kept. Without `permanent` its row stays, marked, for the audit; verification
 * doesn't know it either way. With it, a key that is marked can be removed too. The last key of an account of credits takes it along when its row goes.
 */
export async function deleteKey(
  deps: ManageDeps,
  context: WriteContext,
  { keyId, permanent = false }: DeleteKeyInput,
): Promise<Written<Nothing>> {
  return await writeOnce<Nothing, null>(deps, context, {
    async run(transaction) {
      const key = await lockKey(transaction, context.principal, keyId, 'api.*.delete_key', {
        deletedToo: permanent,
      });
      const { apiId, start, creditAccountId } = key;
      await dropText(transaction, keyId);
      if (permanent) {
        if (creditAccountId !== null) await lockAccount(transaction, creditAccountId);
        await transaction.query('delete from keys where id = $1', [keyId]);
        if (creditAccountId !== null) await dropUnusedAccount(transaction, creditAccountId);
      } else {
        await transaction.query('update keys set deleted_at = now(), updated_at = now() where id = $1', [
          keyId,
        ]);
      }
      transaction.changedRecord('key', keyId, key.hash);
      const detail = { apiId, start, permanent };
      transaction.audit(
        auditOf(context, { action: 'key.delete', targetKind: 'key', targetId: keyId, detail }),
      );
      return { data: {}, revokes: true, remembered: null };
    },
    recall: () => ({}),
  });
}
