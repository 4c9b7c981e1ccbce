import { hash, randomBytes } from 'node:crypto';
import { expect } from 'vitest';

/** What several groups of cases expect and make. */

/**
 * The longest window that a limit may have, 30 days: windows are aligned to the clock, and of a short one a case could see the next one
 * begin.
 */
export const WINDOW_MS = 2_592_000_000;

export interface LimitLike {
  readonly name: string;
  readonly limit: number;
  readonly remaining: number;
  readonly duration?: number;
  readonly exceeded?: boolean;
  readonly autoApply?: boolean;
  /** Ad-hoc ones have none. */
  readonly id?: string;
}

/** One entry of `ratelimits` in the answer of a verification. */
export function limitLike({ id, ...like }: LimitLike): unknown {
  return {
    id: id ?? expect.stringMatching(/^rl_/),
    duration: WINDOW_MS,
    exceeded: false,
    autoApply: true,
    reset: expect.any(Number),
    ...like,
  };
}

/** A list of things with names, in their order. */
export function byName(list: unknown): readonly { readonly name: string }[] {
  return (list as { readonly name: string }[]).toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

/** A rate limit as it is stored. */
export function limitOf(name: string, limit: number, autoApply = true) {
  return { name, limit, duration: WINDOW_MS, autoApply };
}

/** A key that another system made: its text, and what that system keeps of it. */
export function importedKey(): { readonly text: string; readonly hash: string } {
  const text = `legacy_${randomBytes(16).toString('hex')}`;
  return { text, hash: hash('sha256', text, 'hex') };
}
