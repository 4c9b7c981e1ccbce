/**
 * Numbers of the advisory locks in the database, each with what it guards. They are part of the contract between versions that
 * run at the same time: a number, once given, keeps its meaning.
 */
export const ADVISORY_LOCKS = {
  /** Shared: a write that belongs to the present epoch. Exclusive: the start of another epoch, which so waits for those writes. */
  epoch: 7_401_001,
  /** The heartbeat is being written, or rows that it vouches for are being pruned. */
  heartbeat: 7_401_002,
  /** Migrations run; held for the session. */
  migration: 7_401_003,
  /** Credits are being refilled: of several tasks at home one does it. */
  refill: 7_401_004,
} as const;
