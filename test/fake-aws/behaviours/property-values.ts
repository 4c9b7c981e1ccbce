import { type Json, type Properties, isProperties, textAt, valueAt } from '../values.ts';

/** A number at a path: templates give numbers as texts too, because parameters are texts. */
export function numberAt(properties: Properties, path: string): number | undefined {
  return numberOf(valueAt(properties, path));
}

export function numberOf(value: Json | undefined): number | undefined {
  if (typeof value === 'number') return value;
  if (typeof value !== 'string' || !/^-?\d+(\.\d+)?$/u.test(value)) return undefined;
  return Number(value);
}

/** A boolean at a path: templates give `"true"` as well as `true`. */
export function flagAt(properties: Properties, path: string): boolean | undefined {
  const value = valueAt(properties, path);
  if (typeof value === 'boolean') return value;
  return value === 'true' ? true : value === 'false' ? false : undefined;
}

/** A text, number or boolean as text; of anything else, none. */
export function scalarText(value: Json | undefined): string {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
    ? `${value}`
    : '';
}

/** The objects of a list at a path; none where there is no list. */
export function objectsAt(properties: Properties, path: string): readonly Properties[] {
  const value = valueAt(properties, path);
  return Array.isArray(value) ? value.filter((entry) => isProperties(entry)) : [];
}

/** A text that the type's schema requires; the engine has checked that it is there. */
export function requiredText(properties: Properties, path: string): string {
  return textAt(properties, path) ?? '';
}

/** `{Key, Value}` pairs, as load balancers and target groups keep their attributes, by key. */
export function pairsAt(properties: Properties, path: string): ReadonlyMap<string, string> {
  return new Map(
    objectsAt(properties, path).map((pair) => [requiredText(pair, 'Key'), scalarText(pair['Value'])]),
  );
}
