import { newId } from '../../domain/ids.ts';
import { Problem } from '../../domain/problem.ts';
import { auditOf } from '../audit.ts';
import type { ManageDeps } from '../deps.ts';
import { writeOnce } from '../idempotency.ts';
import { refuseNul } from '../refusals.ts';
import type { WriteContext, Written } from '../types.ts';
import { requireAll } from './refusals.ts';
import type { CreatePermissionInput } from './types.ts';

interface MadePermission {
  readonly permissionId: string;
}

/** Makes a permission. Refuses with `permission_already_exists` where its slug is taken, also by a call at the same time. */
export async function createPermission(
  deps: ManageDeps,
  context: WriteContext,
  { name, slug, description = '' }: CreatePermissionInput,
): Promise<Written<MadePermission>> {
  requireAll(context.principal, 'rbac.*.create_permission');
  refuseNul('name', name);
  refuseNul('description', description);
  return await writeOnce<MadePermission, MadePermission>(deps, context, {
    async run(transaction) {
      const permissionId = newId('perm', deps.randomBytes);
      const made = await transaction.query(
        `insert into permissions (id, workspace_id, slug, name, description) values ($1, $2, $3, $4, nullif($5, ''))
         on conflict (workspace_id, slug) do nothing returning id`,
        [permissionId, context.principal.workspaceId, slug, name, description],
      );
      if (made.length === 0) {
        throw new Problem(
          'permission_already_exists',
          `There is already a permission with the slug ${slug}.`,
        );
      }
      transaction.changed('permission', permissionId);
      transaction.audit(
        auditOf(context, {
          action: 'permission.create',
          targetKind: 'permission',
          targetId: permissionId,
          detail: { slug },
        }),
      );
      return { data: { permissionId }, revokes: false, remembered: { permissionId } };
    },
    recall: (remembered) => remembered,
  });
}
