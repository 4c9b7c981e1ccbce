import { type Json, textAt } from '../values.ts';

/** What is known of a resource under a name, where it is a text; empty where it isn't there or is something else. */
export function stateText({ state }: { readonly state: ReadonlyMap<string, Json> }, name: string): string {
  return textAt({ value: state.get(name) ?? null }, 'value') ?? '';
}
