import type { HotKey } from './hot-records.ts';
import { evaluatePermissionQuery, type PermissionQuery } from './permission-query.ts';
import type { Principal } from './principal.ts';

/** Outcomes of a verification: a closed set. A denial is a value. */
export type VerdictCode =
  | 'VALID'
  | 'NOT_FOUND'
  | 'FORBIDDEN'
  | 'INSUFFICIENT_PERMISSIONS'
  | 'USAGE_EXCEEDED'
  | 'RATE_LIMITED'
  | 'DISABLED'
  | 'EXPIRED';

export interface DecideInput {
  readonly principal: Principal;
  readonly query: PermissionQuery | null;
  /** Asked only where the key's API has IP rules. */
  readonly clientAddress: () => string;
  /** Epoch ms. */
  readonly nowMs: number;
}

/**
 * Whether the caller may know of the key at all: same workspace, an API that still exists, and the permission to verify its keys.
 * Otherwise the key is as good as unknown.
 */
export function isVisible(key: HotKey, principal: Principal): boolean {
  if (key.row.workspaceId !== principal.workspaceId) return false;
  const { api, workspace } = key.view;
  if (api === null || workspace === null) return false;
  const { permissions } = principal;
  return permissions.has('api.*.verify_key') || permissions.has(`api.${api.id}.verify_key`);
}

/** The verdict on a visible key, limits and credits aside. The order is part of the interface. */
export function decide(key: HotKey, input: DecideInput): VerdictCode {
  const { row, view } = key;
  if (view.workspace?.enabled !== true) return 'FORBIDDEN';
  if (!row.enabled) return 'DISABLED';
  if (row.expiresAtMs !== null && row.expiresAtMs <= input.nowMs) return 'EXPIRED';
  if (view.admitsAddress !== null && !view.admitsAddress(input.clientAddress())) return 'FORBIDDEN';
  if (input.query !== null && !evaluatePermissionQuery(input.query, (slug) => view.permissions.has(slug))) {
    return 'INSUFFICIENT_PERMISSIONS';
  }
  return 'VALID';
}
