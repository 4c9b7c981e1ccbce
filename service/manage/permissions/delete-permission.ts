import { auditOf } from '../audit.ts';
import type { ManageDeps } from '../deps.ts';
import { writeOnce } from '../idempotency.ts';
import type { Nothing, WriteContext, Written } from '../types.ts';
import { findPermission } from './read-permissions.ts';
import { permissionNotFound, requireAll } from './refusals.ts';

/**
 * Deletes a permission, by its id or its slug: no key and no role has it any longer, and its slug is free again. Its row stays behind,
 * emptied, and so do the rows that gave it to keys: taking it from each of a million keys is no single statement's work, and readers
 * leave out what is marked as deleted.
 */
export async function deletePermission(
  deps: ManageDeps,
  context: WriteContext,
  { permission }: { readonly permission: string },
): Promise<Written<Nothing>> {
  requireAll(context.principal, 'rbac.*.delete_permission');
  return await writeOnce<Nothing, null>(deps, context, {
    async run(transaction) {
      const found = await findPermission(
        transaction,
        context.principal.workspaceId,
        permission,
        'for update',
      );
      if (found === undefined) throw permissionNotFound();
      const { id, slug } = found;
      await transaction.query(
        `update permissions set slug = 'deleted ' || id, name = 'deleted ' || id, description = null, deleted_at = now()
         where id = $1`,
        [id],
      );
      // A statement of its own: its snapshot has the rows of those who held a lock on the permission when this call came for it.
      const holders = await transaction.query<{ role_id: string }>(
        'delete from role_permissions where permission_id = $1 returning role_id',
        [id],
      );
      transaction.changed('permission', id);
      // A role is held in memory with its slugs, and so each of them has changed.
      for (const { role_id: roleId } of holders) transaction.changed('role', roleId);
      transaction.audit(
        auditOf(context, {
          action: 'permission.delete',
          targetKind: 'permission',
          targetId: id,
          detail: { slug, roles: holders.length },
        }),
      );
      return { data: {}, revokes: true, remembered: null };
    },
    recall: () => ({}),
  });
}
