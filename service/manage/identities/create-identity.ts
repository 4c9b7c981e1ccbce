import { newId } from '../../domain/ids.ts';
import { Problem } from '../../domain/problem.ts';
import { mayRoot } from '../../domain/root-permissions.ts';
import { auditOf } from '../audit.ts';
import type { ManageDeps } from '../deps.ts';
import { writeOnce } from '../idempotency.ts';
import { setRateLimits } from '../rate-limits.ts';
import { lacksPermission } from '../refusals.ts';
import type { WriteContext, Written } from '../types.ts';
import { createIdentityAccount } from './identity-credits.ts';
import type { CreateIdentityInput } from './types.ts';

interface CreatedIdentity {
  readonly identityId: string;
}

/** Makes an identity. 409 where the workspace has one with this externalId, also where another call makes it at the same time. */
export async function createIdentity(
  deps: ManageDeps,
  context: WriteContext,
  { externalId, meta, ratelimits = [], credits }: CreateIdentityInput,
): Promise<Written<CreatedIdentity>> {
  if (!mayRoot(context.principal, 'identity.*.create_identity')) {
    throw lacksPermission('identity.*.create_identity');
  }
  const { workspaceId } = context.principal;
  return await writeOnce<CreatedIdentity, CreatedIdentity>(deps, context, {
    async run(transaction) {
      const identityId = newId('id', deps.randomBytes);
      // Waits for another call that is making the same one, and makes nothing where that call commits.
      const made = await transaction.query(
        `insert into identities (id, workspace_id, external_id, meta) values ($1, $2, $3, $4)
         on conflict (workspace_id, external_id) do nothing returning id`,
        [identityId, workspaceId, externalId, meta === undefined ? null : JSON.stringify(meta)],
      );
      if (made.length === 0) {
        throw new Problem('identity_already_exists', 'There is an identity with this externalId already.');
      }
      const creditAccountId = await createIdentityAccount(transaction, deps, workspaceId, credits);
      if (creditAccountId !== null) {
        await transaction.query('update identities set credit_account_id = $2 where id = $1', [
          identityId,
          creditAccountId,
        ]);
      }
      await setRateLimits(transaction, deps, { identityId }, workspaceId, ratelimits);
      transaction.changed('identity', identityId);
      const detail = {
        meta: meta !== undefined,
        ratelimits: ratelimits.length,
        credits: credits ?? null,
        creditAccountId,
      };
      transaction.audit(
        auditOf(context, {
          action: 'identity.create',
          targetKind: 'identity',
          targetId: identityId,
          detail,
        }),
      );
      // No key belongs to it yet, so that its rate limits and credits take nothing from anybody.
      return { data: { identityId }, revokes: false, remembered: { identityId } };
    },
    recall: (remembered) => remembered,
  });
}
