import { Problem } from '../../domain/problem.ts';
import { auditOf } from '../audit.ts';
import type { ManageDeps } from '../deps.ts';
import { writeOnce } from '../idempotency.ts';
import type { Rows, WriteTransaction } from '../ports.ts';
import type { WriteContext, Written } from '../types.ts';
import { losesGrants, readGrants } from './grants.ts';
import { lockKey } from './lock-key.ts';

/** `set` replaces all that the key has of the kind; the others leave what they don't name. */
export type GrantChange = 'add' | 'remove' | 'set';

/** What can be given to a key itself: permissions or roles. */
export interface GrantKind<View> {
  /** Field of the request, and the name in the audit log. */
  readonly name: 'permissions' | 'roles';
  /** Most that a key may have of its own. */
  readonly max: number;
  /** Ids of what the request names. Refuses what there is not, where it isn't made. */
  find(
    deps: ManageDeps,
    context: WriteContext,
    transaction: WriteTransaction,
    change: GrantChange,
    items: readonly string[],
  ): Promise<readonly string[]>;
  /** Ids of what the key has of its own. */
  ids(rows: Rows, keyId: string): Promise<readonly string[]>;
  /** What the key has of its own, sorted. */
  read(rows: Rows, keyId: string): Promise<readonly View[]>;
  /** Replaces what the key has of its own. */
  replace(transaction: WriteTransaction, keyId: string, ids: readonly string[]): Promise<void>;
}

/**
 * Gives to a key, or takes from it, what is of that kind, and answers what it then has of its own. Another workspace's key is 404; so is
 * what the request takes away and the workspace doesn't have: a mistyped name would otherwise leave the right in place and say
 * nothing. To take away what exists and the key doesn't have is no mistake.
 */
export async function changeGrants<View>(
  deps: ManageDeps,
  context: WriteContext,
  kind: GrantKind<View>,
  change: GrantChange,
  { keyId, items }: { readonly keyId: string; readonly items: readonly string[] },
): Promise<Written<readonly View[]>> {
  return await writeOnce<readonly View[], readonly View[]>(deps, context, {
    async run(transaction) {
      const { hash } = await lockKey(transaction, context.principal, keyId, 'api.*.update_key');
      const named = await kind.find(deps, context, transaction, change, items);
      const before = new Set(await kind.ids(transaction, keyId));
      const after = afterChange(change, before, named);
      if (after.size > kind.max) throw tooMany(kind.name, after.size, kind.max);
      const grantsBefore = change === 'add' ? null : await readGrants(transaction, keyId);
      await kind.replace(transaction, keyId, [...after]);
      await transaction.query('update keys set updated_at = now() where id = $1', [keyId]);
      const revokes =
        grantsBefore !== null && losesGrants(grantsBefore, await readGrants(transaction, keyId));
      transaction.changedRecord('key', keyId, hash);
      transaction.audit(
        auditOf(context, {
          action: `key.${change}${kind.name === 'roles' ? 'Roles' : 'Permissions'}`,
          targetKind: 'key',
          targetId: keyId,
          detail: {
            added: [...after].filter((id) => !before.has(id)),
            removed: [...before].filter((id) => !after.has(id)),
          },
        }),
      );
      const data = await kind.read(transaction, keyId);
      return { data, revokes, remembered: data };
    },
    recall: (views) => views,
  });
}

function afterChange(
  change: GrantChange,
  before: ReadonlySet<string>,
  named: readonly string[],
): ReadonlySet<string> {
  const ids = new Set(named);
  if (change === 'add') return new Set([...before, ...ids]);
  return change === 'remove' ? new Set([...before].filter((id) => !ids.has(id))) : ids;
}

function tooMany(name: string, count: number, max: number): Problem {
  const location = `body.${name}`;
  const message = `would give the key ${count} ${name} of its own, and it may have at most ${max}`;
  const fix = 'Take some away first, or give them by a role.';
  return new Problem('invalid_input', `${location} ${message}.`, { errors: [{ location, message, fix }] });
}
