import { newId } from '../../domain/ids.ts';
import { mayRoot } from '../../domain/root-permissions.ts';
import { auditOf } from '../audit.ts';
import type { ManageDeps } from '../deps.ts';
import { writeOnce } from '../idempotency.ts';
import { lacksPermission, refuseNul } from '../refusals.ts';
import type { WriteContext, Written } from '../types.ts';

/** Makes an API: the set of keys that one service of the customer's verifies. */
export async function createApi(
  deps: ManageDeps,
  context: WriteContext,
  { name }: { readonly name: string },
): Promise<Written<{ readonly apiId: string }>> {
  if (!mayRoot(context.principal, 'api.*.create_api')) throw lacksPermission('api.*.create_api');
  refuseNul('name', name);
  return await writeOnce<{ readonly apiId: string }, { readonly apiId: string }>(deps, context, {
    async run(transaction) {
      const apiId = newId('api', deps.randomBytes);
      const { workspaceId } = context.principal;
      await transaction.query('insert into apis (id, workspace_id, name) values ($1, $2, $3)', [
        apiId,
        workspaceId,
        name,
      ]);
      transaction.changed('api', apiId);
      transaction.audit(
        auditOf(context, { action: 'api.create', targetKind: 'api', targetId: apiId, detail: { name } }),
      );
      return { data: { apiId }, revokes: false, remembered: { apiId } };
    },
    recall: (remembered) => remembered,
  });
}
