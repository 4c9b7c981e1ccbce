import { numberAt } from '../behaviours/property-values.ts';
import { type Json, type Properties, textAt } from '../values.ts';

const MAX = 100;

/** The part of a list that a call asks for with `maxResults` and `nextToken`, under the name that its answer has for it. */
export function page(input: Properties, name: string, all: readonly Json[]): Properties {
  const start = Number(textAt(input, 'nextToken') ?? 0);
  const end = start + (numberAt(input, 'maxResults') ?? MAX);
  return { [name]: all.slice(start, end), ...(end < all.length ? { nextToken: String(end) } : {}) };
}
