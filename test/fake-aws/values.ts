/** JSON as AWS's services exchange it. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json };

/** Properties of a resource, or any other object of JSON. */
export type Properties = { readonly [name: string]: Json };

/** An account and a region: what AWS keeps apart. */
export interface Place {
  /** 12 digits. */
  readonly account: string;
  readonly region: string;
}

/** Where what belongs to a whole account is kept: IAM, Route 53, Global Accelerator, Budgets. */
export const GLOBAL = 'aws-global';

/** An object of JSON, and not a list of it. */
export function isProperties(value: Json | undefined): value is Properties {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The text at a path of `.`-separated names, or undefined where there is none. */
export function textAt(properties: Properties, path: string): string | undefined {
  const value = valueAt(properties, path);
  return typeof value === 'string' ? value : undefined;
}

/** The value at a path of `.`-separated names, or undefined where there is none. */
export function valueAt(properties: Properties, path: string): Json | undefined {
  let value: Json | undefined = properties;
  for (const name of path.split('.')) value = isProperties(value) ? value[name] : undefined;
  return value;
}

/** The texts of a list at a path; none where there is no list. */
export function textsAt(properties: Properties, path: string): readonly string[] {
  const value = valueAt(properties, path);
  return Array.isArray(value) ? value.filter((entry) => typeof entry === 'string') : [];
}
