import { lowThreshold } from './lease-size.ts';

/** An account of credits that has come to have few left. */
export interface LowAccount {
  readonly accountId: string;
  readonly workspaceId: string;
  /** Below so many credits, few are left. */
  readonly threshold: number;
  /** Free, or in leases that are out. */
  readonly unspent: number;
}

/** A line of the audit log, of the service's own. */
interface LowEntry {
  readonly workspaceId: string;
  readonly actorKind: 'system';
  readonly actorId: string;
  readonly requestId: string;
  readonly clientAddress: string;
  readonly action: string;
  readonly targetKind: string;
  readonly targetId: string;
  readonly detail: Readonly<Record<string, unknown>>;
}

export function lowAccountOf(account: {
  readonly id: string;
  readonly workspaceId: string;
  readonly granted: number;
  readonly unspent: number;
}): LowAccount {
  const { id, workspaceId, granted, unspent } = account;
  return { accountId: id, workspaceId, threshold: lowThreshold(granted), unspent };
}

/** How the audit log says it, whoever brought it about: it is written in the transaction that made it so. */
export function lowEntryOf({ accountId, workspaceId, threshold, unspent }: LowAccount): LowEntry {
  return {
    workspaceId,
    actorKind: 'system',
    actorId: 'ledger',
    requestId: '',
    clientAddress: '',
    action: 'credits.low',
    targetKind: 'credits',
    targetId: accountId,
    detail: { accountId, threshold, unspent },
  };
}
