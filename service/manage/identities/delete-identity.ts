import { auditOf } from '../audit.ts';
import type { ManageDeps } from '../deps.ts';
import { writeOnce } from '../idempotency.ts';
import type { Nothing, WriteContext, Written } from '../types.ts';
import { lockIdentity } from './lock-identity.ts';

/**
 * Deletes an identity. Its keys stay valid and lose it: its metadata and the rate limits that they shared. Its credits stay with its row,
 * and the keys go on spending them, refills included: without them they could spend without end. The row stays, emptied, because the keys
 * still name it; the externalId is free at once. Nothing is taken from who uses the keys, so this revokes nothing.
 */
export async function deleteIdentity(
  deps: ManageDeps,
  context: WriteContext,
  { identity }: { readonly identity: string },
): Promise<Written<Nothing>> {
  return await writeOnce<Nothing, null>(deps, context, {
    async run(transaction) {
      const id = await lockIdentity(transaction, context.principal, identity, 'identity.*.delete_identity');
      await transaction.query('delete from rate_limits where identity_id = $1', [id]);
      await transaction.query(
        `update identities set deleted_at = now(), updated_at = now(), meta = null, external_id = 'deleted ' || id
         where id = $1`,
        [id],
      );
      transaction.changed('identity', id);
      transaction.audit(
        auditOf(context, { action: 'identity.delete', targetKind: 'identity', targetId: id, detail: {} }),
      );
      return { data: {}, revokes: false, remembered: null };
    },
    recall: () => ({}),
  });
}
