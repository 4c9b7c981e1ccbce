import { Problem } from './problem.ts';

/** When a balance is set anew: every day, or on a day of each month. */
export interface RefillSchedule {
  readonly interval: 'daily' | 'monthly';
  /** 1–31; with `monthly` only. */
  readonly refillDay?: number;
}

/**
 * The first refill after `afterMs`, both in epoch ms: the next 00:00 UTC, or the next 00:00 UTC of the month's refill day, which is
 * the month's last day where the month is shorter. It is later than `afterMs`, so that a refill which is late is made up for once.
 */
export function nextRefill({ interval, refillDay }: RefillSchedule, afterMs: number): number {
  const after = new Date(afterMs);
  const year = after.getUTCFullYear();
  const month = after.getUTCMonth();
  if (interval === 'daily') return Date.UTC(year, month, after.getUTCDate() + 1);
  const day = refillDay ?? 1;
  const thisMonth = dayOfMonth(year, month, day);
  return thisMonth > afterMs ? thisMonth : dayOfMonth(year, month + 1, day);
}

/** 00:00 UTC of the day, or of the month's last day. Months beyond December are those of the next year. */
function dayOfMonth(year: number, month: number, day: number): number {
  // Day 0 of the month that follows is the last one of this month.
  const lastDay = new Date(Date.UTC(year, month + 1, 0)).getUTCDate();
  return Date.UTC(year, month, Math.min(day, lastDay));
}

/** What is asked for of a key's credits, as it comes. */
export interface CreditsRequest {
  readonly operation: 'set' | 'increment' | 'decrement';
  readonly value?: number | null;
}

/** What is done to a key's credits. */
export type CreditsOperation =
  | { readonly operation: 'unlimited' }
  | { readonly operation: 'set' | 'increment' | 'decrement'; readonly value: number };

/**
 * Reads an operation on credits. Refuses with `invalid_input` where `value` is missing: only `set` takes null, for unlimited, and
 * nothing takes its absence for that.
 */
export function readCreditsOperation({ operation, value }: CreditsRequest): CreditsOperation {
  if (value === undefined) throw valueMissing(`is required with operation "${operation}"`);
  if (value !== null) return { operation, value };
  if (operation !== 'set') throw valueMissing(`must be a number with operation "${operation}"`);
  return { operation: 'unlimited' };
}

function valueMissing(message: string): Problem {
  const location = 'body.value';
  const fix = 'Send a number, or operation "set" with null for unlimited credits.';
  return new Problem('invalid_input', `${location} ${message}.`, { errors: [{ location, message, fix }] });
}
