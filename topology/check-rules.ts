/** An object whose fields nobody has looked at yet. */
export type Fields = Readonly<Record<string, unknown>>;

/** Takes a problem of one zone; the check goes on, so that every problem is found in one go. */
export type Report = (field: string, message: string) => void;

/** What a value has to be: the test, and its words for behind "must be". */
export type Rule = readonly [isGood: (value: unknown) => boolean, allowed: string];

export function wholeNumber(least: number, most: number): Rule {
  return [
    (value) => Number.isInteger(value) && Number(value) >= least && Number(value) <= most,
    `a whole number from ${least} to ${most}`,
  ];
}

export function oneOf(values: readonly (string | number)[]): Rule {
  return [(value) => values.some((known) => known === value), `one of ${values.join(', ')}`];
}

export function text(pattern: RegExp, allowed: string): Rule {
  return [(value) => typeof value === 'string' && pattern.test(value), allowed];
}

/** Holds one value to its rule and tells whether it passed. */
export function checkValue(value: unknown, field: string, [isGood, allowed]: Rule, report: Report): boolean {
  if (isGood(value)) return true;
  report(field, `${value === undefined ? 'is missing, it' : show(value)} must be ${allowed}`);
  return false;
}

/**
 * Holds an object to the rules of its fields: unknown ones are refused, missing ones too unless they are `optional`. Returns the
 * object, or undefined where it is none.
 */
export function checkObject(
  value: unknown,
  field: string,
  rules: Readonly<Record<string, Rule>>,
  report: Report,
  { optional = false }: { readonly optional?: boolean } = {},
): Fields | undefined {
  if (!isFields(value)) {
    report(field, `must be an object with ${Object.keys(rules).join(', ')}, is ${show(value)}`);
    return undefined;
  }
  checkUnknownFields(value, field, Object.keys(rules), report);
  for (const [name, rule] of Object.entries(rules)) {
    if (optional && !Object.hasOwn(value, name)) continue;
    checkValue(value[name], `${field}.${name}`, rule, report);
  }
  return value;
}

/** `path` is that of the object, `` for the zone itself. */
export function checkUnknownFields(
  value: Fields,
  path: string,
  known: readonly string[],
  report: Report,
): void {
  for (const field of Object.keys(value)) {
    if (!known.includes(field))
      report(path === '' ? field : `${path}.${field}`, `is unknown; allowed are ${known.join(', ')}`);
  }
}

/** Regions that a zone has, and those of them that may be advised: a wrong one isn't. */
export interface RegionNames {
  readonly regions: ReadonlySet<string>;
  readonly allowed: ReadonlySet<string>;
}

/** The entries of an object by region. Those of other regions are reported, and returned too: the name may be what is wrong. */
export function entriesByRegion(
  value: unknown,
  field: string,
  { regions, allowed }: RegionNames,
  report: Report,
): readonly (readonly [region: string, entry: unknown])[] {
  if (value === undefined) return [];
  if (!isFields(value)) {
    report(field, `must be an object by region, is ${show(value)}`);
    return [];
  }
  for (const region of Object.keys(value)) {
    if (!regions.has(region))
      report(`${field}.${region}`, `isn't in the zone; allowed are ${[...allowed].join(', ') || 'none'}`);
  }
  return Object.entries(value);
}

export function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function isList(value: unknown): value is readonly unknown[] {
  return Array.isArray(value);
}

/** A value as it may stand in a message: short, on one line. */
export function show(value: unknown): string {
  if (value === undefined) return 'missing';
  const shown = serialize(value);
  return shown.length > 60 ? `${shown.slice(0, 57)}…` : shown;
}

function serialize(value: unknown): string {
  try {
    return JSON.stringify(value) ?? typeof value;
  } catch {
    // A circle, or a number that JSON doesn't have: what it is matters less than that it is refused with all the rest.
    return typeof value;
  }
}
