import { auditOf } from '../audit.ts';
import type { ManageDeps } from '../deps.ts';
import { writeOnce } from '../idempotency.ts';
import type { Nothing, WriteContext, Written } from '../types.ts';
import { lockApi } from './lock-api.ts';

/**
 * Deletes an API, and with it all its keys: from then on each call that names one of them answers 404, and verifications NOT_FOUND. The
 * rows of the keys stay as they are, since marking millions is no single statement's work; whoever reads a key asks for its API too.
 * Texts of its keys that were kept go soon after, in pieces: `recoverable_keys` of a deleted API says that there may be some left.
 */
export async function deleteApi(
  deps: ManageDeps,
  context: WriteContext,
  { apiId }: { readonly apiId: string },
): Promise<Written<Nothing>> {
  return await writeOnce<Nothing, null>(deps, context, {
    async run(transaction) {
      await lockApi(transaction, context, apiId, 'api.*.delete_api');
      await transaction.query(
        'update apis set deleted_at = now(), updated_at = now(), recoverable_keys = true where id = $1',
        [apiId],
      );
      transaction.changed('api', apiId);
      transaction.audit(
        auditOf(context, { action: 'api.delete', targetKind: 'api', targetId: apiId, detail: {} }),
      );
      return { data: {}, revokes: true, remembered: null };
    },
    recall: () => ({}),
  });
}
