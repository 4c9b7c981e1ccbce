import { Problem } from '../../domain/problem.ts';
import { ACCOUNT_COLUMNS, type AccountRow, creditsView, toAccount } from '../keys/credit-accounts.ts';
import { rateLimitViewsSql } from '../rate-limits.ts';
import type { Rows } from '../ports.ts';
import type { Meta, RateLimitView } from '../types.ts';
import type { IdentityView } from './types.ts';

export interface IdentityViewRow extends AccountRow {
  readonly id: string;
  readonly external_id: string;
  readonly meta: Meta | null;
  readonly ratelimits: readonly RateLimitView[];
}

/** Columns of an `IdentityViewRow`, of `identities i` with WITH_ACCOUNT behind it. */
export const IDENTITY_COLUMNS = `i.id, i.external_id, i.meta, ${rateLimitViewsSql('identity_id', 'i.id')} as ratelimits,
  ${ACCOUNT_COLUMNS}`;
export const WITH_ACCOUNT = 'left join credit_accounts account on account.id = i.credit_account_id';

/**
 * Selects `identities i` of workspace $1 by $2, an id or an externalId; where one identity has it as its id and another one as its
 * externalId, the first row is the one with the id. What is deleted has neither.
 */
export const BY_IDENTITY = `i.workspace_id = $1 and i.deleted_at is null and (i.id = $2 or i.external_id = $2)
  order by (i.id = $2) desc limit 1`;

/** An identity of the workspace by its id or externalId; undefined where there is none, or it is deleted. */
export async function findIdentity(
  rows: Rows,
  workspaceId: string,
  identity: string,
): Promise<IdentityView | undefined> {
  const [found] = await rows.query<IdentityViewRow>(
    `select ${IDENTITY_COLUMNS} from identities i ${WITH_ACCOUNT} where ${BY_IDENTITY}`,
    [workspaceId, identity],
  );
  return found === undefined ? undefined : toIdentityView(found);
}

export function toIdentityView(row: IdentityViewRow): IdentityView {
  const { id, external_id, meta, ratelimits } = row;
  const account = toAccount(row);
  return {
    id,
    externalId: external_id,
    ...(meta === null ? {} : { meta }),
    ...(ratelimits.length === 0 ? {} : { ratelimits }),
    ...(account === null ? {} : { credits: creditsView(account) }),
  };
}

export function identityNotFound(): Problem {
  return new Problem('identity_not_found', 'There is no such identity.');
}
