import type { CreditBooks } from './credit-books.ts';

export interface Accounting {
  /** Credits that each key was given. */
  readonly creditsPerKey: number;
  readonly keys: number;
  /** By key: verifications that were answered as valid. */
  readonly admittedOf: ReadonlyMap<string, number>;
  /** Verifications of which nobody knows whether they took a credit. */
  readonly unknown: number;
  /** Tasks that were killed. */
  readonly kills: number;
  readonly books: CreditBooks;
}

/** In credits. */
export interface CreditVerdict {
  readonly granted: number;
  readonly admitted: number;
  /** Admitted above what their key was given: never more than 0. */
  readonly overspent: number;
  /** Given, and neither admitted nor still to be had. */
  readonly lost: number;
  /** What the ledger and the answers leave open: credits in leases that weren't settled, and verifications without an answer. */
  readonly out: number;
  /** What may be out, by what is promised of leases, of the tasks that were killed and of verifications without an answer (docs/CREDITS.md). */
  readonly lossBound: number;
  readonly held: boolean;
}

/** A lease takes this share of what is free, at most. */
const LEASE_SHARE = 1 / 16;
/** Of an account: the one that a task spends of, and the next. */
const LEASES_PER_TASK = 2;

/**
 * What tasks that die may hold of an account that was given so many credits, at most: two leases each. Whatever is in a lease isn't free, and
 * never is again where it is lost, so each is a sixteenth at most of what those before it have left.
 */
export function mostInLeases(credits: number, kills: number): number {
  let free = credits;
  for (let lease = 0; lease < LEASES_PER_TASK * kills; lease += 1) free -= Math.floor(free * LEASE_SHARE);
  return credits - free;
}

/** Compares what was answered with what the ledger says, and both with what is promised. */
export function judge({ creditsPerKey, keys, admittedOf, unknown, kills, books }: Accounting): CreditVerdict {
  const granted = creditsPerKey * keys;
  const counts = [...admittedOf.values()];
  const admitted = counts.reduce((sum, count) => sum + count, 0);
  const overspent = counts.reduce((sum, count) => sum + Math.max(0, count - creditsPerKey), 0);
  const lost = granted - admitted - books.free;
  const out = books.leased + unknown;
  // Leases that are open are expected back, so nothing is promised of them.
  const inOpenLeases = books.leased - books.lostInLeases;
  const lossBound = keys * mostInLeases(creditsPerKey, kills) + inOpenLeases + unknown;
  const isRight = overspent === 0 && books.granted === granted;
  return {
    granted,
    admitted,
    overspent,
    lost,
    out,
    lossBound,
    held: isRight && lost >= 0 && lost <= out && out <= lossBound,
  };
}
