import type { KeyHash } from '../domain/brands.ts';
import { mayRoot } from '../domain/root-permissions.ts';
import { auditOf } from './audit.ts';
import type { ManageDeps } from './deps.ts';
import { writeOnce } from './idempotency.ts';
import { keyNotFound, lacksPermission } from './refusals.ts';
import type { DeleteKeyInput, WriteContext, Written } from './types.ts';

/** Ends a key for good. Without `permanent` its row stays, marked, for the audit; verification doesn't know it either way. */
export async function deleteKey(
  deps: ManageDeps,
  context: WriteContext,
  { keyId, permanent = false }: DeleteKeyInput,
): Promise<Written<Record<string, never>>> {
  return await writeOnce<Record<string, never>, null>(deps, context, {
    async run(transaction) {
      const [key] = await transaction.query<{ api_id: string; hash: KeyHash; start: string }>(
        `select k.api_id, encode(k.hash, 'hex') as hash, k.start
         from keys k join apis a on a.id = k.api_id and a.deleted_at is null
         where k.id = $1 and k.workspace_id = $2 and k.deleted_at is null for update of k`,
        [keyId, context.principal.workspaceId],
      );
      if (key === undefined) throw keyNotFound();
      if (!mayRoot(context.principal, 'api.*.delete_key', key.api_id)) {
        throw lacksPermission('api.*.delete_key', `api.${key.api_id}.delete_key`);
      }
      await transaction.query(
        permanent
          ? 'delete from keys where id = $1'
          : 'update keys set deleted_at = now(), updated_at = now() where id = $1',
        [keyId],
      );
      transaction.changedKey('key', keyId, key.hash);
      const detail = { apiId: key.api_id, start: key.start, permanent };
      transaction.audit(
        auditOf(context, { action: 'key.delete', targetKind: 'key', targetId: keyId, detail }),
      );
      return { data: {}, revokes: true, remembered: null };
    },
    recall: () => ({}),
  });
}
