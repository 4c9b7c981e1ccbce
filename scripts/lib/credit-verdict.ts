import type { CreditBooks } from './credit-books.ts';

export interface Accounting {
  /** Credits that each key was given. */
  readonly creditsPerKey: number;
  readonly keys: number;
  /** By key: verifications that were answered as valid. */
  readonly admittedOf: ReadonlyMap<string, number>;
  /** Verifications of which nobody knows whether they took a credit. */
  readonly unknown: number;
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
  /** What may be lost: what is in leases that weren't returned, and verifications without an answer. */
  readonly lossBound: number;
  readonly held: boolean;
}

/** Compares what was answered with what the ledger says. */
export function judge({ creditsPerKey, keys, admittedOf, unknown, books }: Accounting): CreditVerdict {
  const granted = creditsPerKey * keys;
  const counts = [...admittedOf.values()];
  const admitted = counts.reduce((sum, count) => sum + count, 0);
  const overspent = counts.reduce((sum, count) => sum + Math.max(0, count - creditsPerKey), 0);
  const lost = granted - admitted - books.free;
  const lossBound = books.leased + unknown;
  const held = overspent === 0 && lost >= 0 && lost <= lossBound && books.granted === granted;
  return { granted, admitted, overspent, lost, lossBound, held };
}
