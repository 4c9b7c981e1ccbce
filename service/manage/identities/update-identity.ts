import { auditOf } from '../audit.ts';
import type { ManageDeps } from '../deps.ts';
import { writeOnce } from '../idempotency.ts';
import type { WriteTransaction } from '../ports.ts';
import { limitsMore, readRateLimits, setRateLimits } from '../rate-limits.ts';
import type { WriteContext, Written } from '../types.ts';
import { updateIdentityCredits } from './identity-credits.ts';
import { findIdentity, identityNotFound } from './identity-view.ts';
import { lockIdentity } from './lock-identity.ts';
import type { IdentityView, UpdateIdentityInput } from './types.ts';

/**
 * Replaces metadata and rate limits of an identity, and sets or clears its credits: what is absent stays. Answers the identity as it is
 * then. It revokes where a rate limit is new or stricter, and where there are credits for the first time, or fewer.
 */
export async function updateIdentity(
  deps: ManageDeps,
  context: WriteContext,
  input: UpdateIdentityInput,
): Promise<Written<IdentityView>> {
  const { identity, meta, ratelimits, credits } = input;
  const { principal } = context;
  const { workspaceId } = principal;
  return await writeOnce<IdentityView, IdentityView>(deps, context, {
    async run(transaction) {
      const identityId = await lockIdentity(transaction, principal, identity, 'identity.*.update_identity');
      await transaction.query(
        'update identities set updated_at = now(), meta = coalesce($2::json, meta) where id = $1',
        [identityId, meta === undefined ? null : JSON.stringify(meta)],
      );
      const locked = { identityId, workspaceId };
      const isStricter =
        ratelimits !== undefined && (await replaceRateLimits(transaction, deps, locked, ratelimits));
      const leavesLess =
        credits !== undefined && (await updateIdentityCredits(transaction, deps, locked, credits));
      transaction.changed('identity', identityId);
      transaction.audit(
        auditOf(context, {
          action: 'identity.update',
          targetKind: 'identity',
          targetId: identityId,
          detail: {
            ...(meta === undefined ? {} : { meta: 'changed' }),
            ...(ratelimits === undefined ? {} : { ratelimits: 'changed' }),
            ...(credits === undefined ? {} : { credits }),
          },
        }),
      );
      const data = await findIdentity(transaction, workspaceId, identityId);
      if (data === undefined) throw identityNotFound();
      return { data, revokes: isStricter || leavesLess, remembered: withoutSent(data, input) };
    },
    // A repeat has sent the same body, so that its metadata needn't be stored once more.
    recall: (remembered) => (meta === undefined ? remembered : { ...remembered, meta }),
  });
}

/** True where the new limits may let less through. */
async function replaceRateLimits(
  transaction: WriteTransaction,
  deps: ManageDeps,
  { identityId, workspaceId }: { readonly identityId: string; readonly workspaceId: string },
  ratelimits: NonNullable<UpdateIdentityInput['ratelimits']>,
): Promise<boolean> {
  const before = await readRateLimits(transaction, { identityId });
  await setRateLimits(transaction, deps, { identityId }, workspaceId, ratelimits);
  return limitsMore(before, ratelimits);
}

function withoutSent(view: IdentityView, { meta }: UpdateIdentityInput): IdentityView {
  if (meta === undefined) return view;
  const { meta: _sent, ...rest } = view;
  return rest;
}
