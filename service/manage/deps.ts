import type { RandomBytes } from '../domain/ids.ts';
import type { LowAccount } from '../domain/low-credits.ts';
import type { Vault } from '../vault/types.ts';
import type { Rows, Writer } from './ports.ts';

/** What the calls of this folder work with. */
export interface ManageDeps {
  readonly writer: Writer;
  /** The home's rows, for calls that only read. Refuses with `Problem` where this task isn't at home. */
  readonly rows: Rows;
  /** Name of the zone; keys carry its marker. */
  readonly zone: string;
  readonly randomBytes: RandomBytes;
  /** Encrypts the texts of recoverable keys. */
  readonly vault: Vault;
  /** Epoch ms. */
  readonly nowMs: () => number;
  /**
   * Asks tasks for leases of an account of credits until so many credits are free or no lease is out, for a bounded time. Fails with
   * Problem `credits_unavailable` where the ledger doesn't answer. @default leases stay where they are
   */
  readonly recallCredits?: (accountId: string, wanted: number) => Promise<void>;
  /** Hears of accounts that a call left with few credits, once that is committed; it is in the audit log by then. @default nobody does */
  readonly onLowCredits?: (low: LowAccount) => void;
}
