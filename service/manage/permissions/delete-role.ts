import { auditOf } from '../audit.ts';
import type { ManageDeps } from '../deps.ts';
import { writeOnce } from '../idempotency.ts';
import type { Nothing, WriteContext, Written } from '../types.ts';
import { lockRole } from './read-roles.ts';
import { requireAll } from './refusals.ts';

/** The row's new name is longer than any call can give: a role may be called `deleted role_…` by its workspace. */
const EMPTY = `update roles set name = 'deleted ' || id || repeat(' ', 128), description = null, deleted_at = now()
where id = $1`;

/**
 * Deletes a role, by its id or its name: no key has it any longer, nor what it gave, and its name is free again. Its row stays
 * behind, emptied, and so do the rows that gave it to keys, which readers leave out.
 */
export async function deleteRole(
  deps: ManageDeps,
  context: WriteContext,
  { role }: { readonly role: string },
): Promise<Written<Nothing>> {
  requireAll(context.principal, 'rbac.*.delete_role');
  return await writeOnce<Nothing, null>(deps, context, {
    async run(transaction) {
      const roleId = await lockRole(transaction, context.principal.workspaceId, role, 'for update');
      await transaction.query(EMPTY, [roleId]);
      await transaction.query('delete from role_permissions where role_id = $1', [roleId]);
      transaction.changed('role', roleId);
      transaction.audit(
        auditOf(context, { action: 'role.delete', targetKind: 'role', targetId: roleId, detail: {} }),
      );
      return { data: {}, revokes: true, remembered: null };
    },
    recall: () => ({}),
  });
}
