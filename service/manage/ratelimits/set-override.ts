import { newId } from '../../domain/ids.ts';
import { Problem } from '../../domain/problem.ts';
import { auditOf } from '../audit.ts';
import type { ManageDeps } from '../deps.ts';
import { writeOnce } from '../idempotency.ts';
import type { WriteTransaction } from '../ports.ts';
import { refuseNul } from '../refusals.ts';
import type { WriteContext, Written } from '../types.ts';
import { findNamespace } from './namespaces.ts';
import type { SetOverrideInput } from './types.ts';

/** Overrides of one namespace: each task holds all of them in memory, and reads them again at each change. */
const MAX_OVERRIDES = 10_000;
/** Those with `*`, which are tried one after the other for each identifier that has no override of its own. */
const MAX_PATTERNS = 200;

interface SetOverride {
  readonly overrideId: string;
}

interface OverrideBefore {
  readonly id: string;
  readonly limit_units: string;
  readonly duration_ms: string;
}

/**
 * Sets the override of a namespace for an identifier; where there is one already, it keeps its id. Refuses as `findNamespace` does, and
 * with `precondition_failed` where the namespace has as many as it may have. Calls for one namespace wait for each other, so that
 * they can't go beyond that together.
 */
export async function setOverride(
  deps: ManageDeps,
  context: WriteContext,
  { namespace, identifier, limit, duration }: SetOverrideInput,
): Promise<Written<SetOverride>> {
  const { principal } = context;
  refuseNul('namespace', namespace);
  refuseNul('identifier', identifier);
  return await writeOnce<SetOverride, SetOverride>(deps, context, {
    async run(transaction) {
      const { id: namespaceId, hash } = await findNamespace(
        transaction,
        principal,
        'ratelimit.*.set_override',
        namespace,
        'for no key update',
      );
      const [before] = await transaction.query<OverrideBefore>(
        `select id, limit_units, duration_ms from ratelimit_overrides where namespace_id = $1 and identifier = $2`,
        [namespaceId, identifier],
      );
      const overrideId = before?.id ?? newId('rlor', deps.randomBytes);
      if (before === undefined) await refuseTooMany(transaction, namespaceId, identifier);
      await transaction.query(
        `insert into ratelimit_overrides (id, namespace_id, identifier, limit_units, duration_ms)
         values ($1, $2, $3, $4, $5)
         on conflict (id) do update
         set limit_units = excluded.limit_units, duration_ms = excluded.duration_ms, updated_at = now()`,
        [overrideId, namespaceId, identifier, limit, duration],
      );
      transaction.changedRecord('namespace', namespaceId, hash);
      transaction.audit(
        auditOf(context, {
          action: 'override.set',
          targetKind: 'override',
          targetId: overrideId,
          detail: { namespaceId, limit, duration },
        }),
      );
      // A new one may allow less than what callers ask for themselves, which nobody knows here.
      const revokes =
        before === undefined || limit < Number(before.limit_units) || duration > Number(before.duration_ms);
      return { data: { overrideId }, revokes, remembered: { overrideId } };
    },
    recall: (remembered) => remembered,
  });
}

async function refuseTooMany(
  transaction: WriteTransaction,
  namespaceId: string,
  identifier: string,
): Promise<void> {
  const [count] = await transaction.query<{ all_of_them: string; patterns: string }>(
    `select count(*) as all_of_them, count(*) filter (where strpos(identifier, '*') > 0) as patterns
     from ratelimit_overrides where namespace_id = $1`,
    [namespaceId],
  );
  if (Number(count?.all_of_them) >= MAX_OVERRIDES) {
    throw new Problem(
      'precondition_failed',
      `A namespace has at most ${MAX_OVERRIDES} overrides, and this one has as many. Delete some, or use a pattern with *.`,
    );
  }
  if (identifier.includes('*') && Number(count?.patterns) >= MAX_PATTERNS) {
    throw new Problem(
      'precondition_failed',
      `A namespace has at most ${MAX_PATTERNS} overrides with * in their identifier, and this one has as many. Delete some.`,
    );
  }
}
