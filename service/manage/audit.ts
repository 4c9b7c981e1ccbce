import type { AuditEntry } from './ports.ts';
import type { WriteContext } from './types.ts';

/** The audit line of a call: who asked comes from its context, what was done from the call. */
export function auditOf(
  context: WriteContext,
  what: Pick<AuditEntry, 'action' | 'targetKind' | 'targetId' | 'detail'>,
): AuditEntry {
  return {
    workspaceId: context.principal.workspaceId,
    actorKind: 'rootKey',
    actorId: context.principal.rootKeyId,
    requestId: context.requestId,
    clientAddress: context.clientAddress,
    ...what,
  };
}
