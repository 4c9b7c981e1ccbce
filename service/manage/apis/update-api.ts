import { auditOf } from '../audit.ts';
import type { ManageDeps } from '../deps.ts';
import { writeOnce } from '../idempotency.ts';
import { refuseNul } from '../refusals.ts';
import type { Nothing, WriteContext, Written } from '../types.ts';
import { lockApi } from './lock-api.ts';
import type { UpdateApiInput } from './types.ts';

/** Changes an API: what is absent stays. It revokes where addresses lose access that they had. */
export async function updateApi(
  deps: ManageDeps,
  context: WriteContext,
  input: UpdateApiInput,
): Promise<Written<Nothing>> {
  const { apiId, name, ipAllowlist, recoverableKeys } = input;
  refuseNul('name', name);
  return await writeOnce<Nothing, null>(deps, context, {
    async run(transaction) {
      const before = await lockApi(transaction, context, apiId, 'api.*.update_api');
      await transaction.query(
        `update apis set updated_at = now(), name = coalesce($2, name), ip_allowlist = coalesce($3::text[], ip_allowlist),
           recoverable_keys = coalesce($4, recoverable_keys)
         where id = $1`,
        [apiId, name ?? null, ipAllowlist ?? null, recoverableKeys ?? null],
      );
      transaction.changed('api', apiId);
      transaction.audit(
        auditOf(context, {
          action: 'api.update',
          targetKind: 'api',
          targetId: apiId,
          detail: detailOf(input),
        }),
      );
      const revokes = ipAllowlist !== undefined && isStricter(before.ip_allowlist, ipAllowlist);
      return { data: {}, revokes, remembered: null };
    },
    recall: () => ({}),
  });
}

/** Whether `after` may refuse an address that `before` let pass. It doesn't look into blocks: a rule that is gone counts. */
function isStricter(before: readonly string[], after: readonly string[]): boolean {
  if (after.length === 0) return false;
  if (before.length === 0) return true;
  const kept = new Set(after);
  return before.some((rule) => !kept.has(rule));
}

/** The allow list says whom the API lets in, which is what an audit asks for; the name is the customer's own. */
function detailOf({ name, ipAllowlist, recoverableKeys }: UpdateApiInput): Record<string, unknown> {
  return {
    ...(name === undefined ? {} : { name: 'changed' }),
    ...(ipAllowlist === undefined ? {} : { ipAllowlist }),
    ...(recoverableKeys === undefined ? {} : { recoverableKeys }),
  };
}
