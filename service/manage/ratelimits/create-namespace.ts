import { namespaceHash } from '../../domain/held-under.ts';
import { isIdOf, newId } from '../../domain/ids.ts';
import { Problem } from '../../domain/problem.ts';
import { mayRoot } from '../../domain/root-permissions.ts';
import { auditOf } from '../audit.ts';
import type { ManageDeps } from '../deps.ts';
import { writeOnce } from '../idempotency.ts';
import type { WriteTransaction } from '../ports.ts';
import { lacksPermission, refuseNul } from '../refusals.ts';
import type { WriteContext, Written } from '../types.ts';
import { namespaceGone } from './namespaces.ts';

interface MadeNamespace {
  readonly namespaceId: string;
}

/**
 * Makes a namespace of rate limits, unless there is one of this name already, whose id it then answers. Refuses with
 * `ratelimit_namespace_gone` where it was deleted: its name isn't given again.
 */
export async function createNamespace(
  deps: ManageDeps,
  context: WriteContext,
  { namespace: name }: { readonly namespace: string },
): Promise<Written<MadeNamespace>> {
  const { principal } = context;
  if (!mayRoot(principal, 'ratelimit.*.create_namespace')) {
    throw lacksPermission('ratelimit.*.create_namespace');
  }
  refuseNul('namespace', name);
  // Somebody means a namespace by its id: one of that name would count apart, unseen.
  if (isIdOf('rlns', name)) throw givenById();
  return await writeOnce<MadeNamespace, MadeNamespace>(deps, context, {
    async run(transaction) {
      const hash = namespaceHash(principal.workspaceId, name);
      const madeId = newId('rlns', deps.randomBytes);
      const made = await transaction.query(
        `insert into ratelimit_namespaces (id, workspace_id, name, hash) values ($1, $2, $3, decode($4, 'hex'))
         on conflict (workspace_id, name) do nothing returning id`,
        [madeId, principal.workspaceId, name, hash],
      );
      const namespaceId =
        made.length > 0 ? madeId : await existingNamespace(transaction, principal.workspaceId, name);
      // Also where it was there already: the caller's task didn't know it, and shows it as soon as the feed brings this row.
      transaction.changedRecord('namespace', namespaceId, hash);
      transaction.audit(
        auditOf(context, {
          action: 'namespace.create',
          targetKind: 'namespace',
          targetId: namespaceId,
          detail: { made: made.length > 0 },
        }),
      );
      return { data: { namespaceId }, revokes: false, remembered: { namespaceId } };
    },
    recall: (remembered) => remembered,
  });
}

function givenById(): Problem {
  return new Problem(
    'ratelimit_namespace_not_found',
    'The namespace is given by what looks like an id: give it by its name.',
  );
}

/** A statement after the insert that met it, which therefore sees it whoever made it. */
async function existingNamespace(
  transaction: WriteTransaction,
  workspaceId: string,
  name: string,
): Promise<string> {
  const [found] = await transaction.query<{ id: string; deleted: boolean }>(
    `select id, deleted_at is not null as deleted from ratelimit_namespaces where workspace_id = $1 and name = $2`,
    [workspaceId, name],
  );
  if (found === undefined) throw new Error('a namespace was neither made nor found');
  if (found.deleted) throw namespaceGone();
  return found.id;
}
