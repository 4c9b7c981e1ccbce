/** A lease is at most this part of what is free, so that many tasks can have one and none can hold most of it. */
const PART_OF_FREE = 16;
/** Below, asking for each credit is no more work than asking for the lease. */
export const LEASE_MIN = 2;
const NEAR_MIN = 10;
const NEAR_MAX = 100;
/** Few are left below a tenth of what was granted. */
const LOW_PART = 10;

/**
 * Credits left at which an account is near its end, of those `granted`: from there on nobody holds a lease, and each spending asks the
 * ledger, so that what is left is exact.
 */
export function nearOf(granted: number): number {
  return Math.min(Math.max(Math.floor(granted / 10), NEAR_MIN), NEAR_MAX);
}

/** An account, in credits, as a lease is asked of it. */
export interface LeaseAsk {
  /** Nobody holds them. */
  readonly free: number;
  /** In leases that may still be spent of or returned. */
  readonly live: number;
  readonly granted: number;
  /** By the task that asks. */
  readonly wanted: number;
}

/** Credits for a lease; 0: none is granted. */
export function leaseSize({ free, live, granted, wanted }: LeaseAsk): number {
  if (free + live <= nearOf(granted)) return 0;
  const size = Math.min(wanted, Math.floor(free / PART_OF_FREE));
  return size < LEASE_MIN ? 0 : size;
}

/** Credits below which few are left. */
export function lowThreshold(granted: number): number {
  return Math.ceil(granted / LOW_PART);
}

/** Few are left of what was granted, leases included. Of an account that never had any nothing is said. */
export function isLow({ unspent, granted }: { readonly unspent: number; readonly granted: number }): boolean {
  return unspent < granted / LOW_PART;
}
