import type { Json } from '../values.ts';

/** A value as text: a text as it is, a number or a truth as it is written, anything else as JSON; empty where there is none. */
export function plain(value: Json | undefined): string {
  if (typeof value === 'string') return value;
  return value === undefined || value === null ? '' : JSON.stringify(value);
}
