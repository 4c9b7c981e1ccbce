import { auditOf } from '../audit.ts';
import type { ManageDeps } from '../deps.ts';
import { writeOnce } from '../idempotency.ts';
import type { Nothing, WriteContext, Written } from '../types.ts';
import { findNamespace } from './namespaces.ts';
import { overrideNotFound } from './read-overrides.ts';
import type { OverrideInput } from './types.ts';

/** Deletes the override of a namespace for an identifier. Refuses as `findNamespace` does, and with `ratelimit_override_not_found`. */
export async function deleteOverride(
  deps: ManageDeps,
  context: WriteContext,
  { namespace, identifier }: OverrideInput,
): Promise<Written<Nothing>> {
  return await writeOnce<Nothing, null>(deps, context, {
    async run(transaction) {
      const { id: namespaceId, hash } = await findNamespace(
        transaction,
        context.principal,
        'ratelimit.*.delete_override',
        namespace,
        'for no key update',
      );
      const [deleted] = await transaction.query<{ id: string }>(
        'delete from ratelimit_overrides where namespace_id = $1 and identifier = $2 returning id',
        [namespaceId, identifier],
      );
      if (deleted === undefined) throw overrideNotFound();
      transaction.changedRecord('namespace', namespaceId, hash);
      transaction.audit(
        auditOf(context, {
          action: 'override.delete',
          targetKind: 'override',
          targetId: deleted.id,
          detail: { namespaceId },
        }),
      );
      // Another pattern, or what callers ask for themselves, takes its place: that may be less, and nobody knows it here.
      return { data: {}, revokes: true, remembered: null };
    },
    recall: () => ({}),
  });
}
