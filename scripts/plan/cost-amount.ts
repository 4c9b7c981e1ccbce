/**
 * A number and how it came about. Whatever is computed from amounts shows the numbers that it was computed from, as they were: nothing is
 * rounded for the eye alone, so anybody who types a formula into a calculator gets its result.
 */
export interface Amount {
  readonly value: number;
  readonly text: string;
  /** number: nothing was computed; sum: needs brackets as a factor. */
  readonly kind: 'number' | 'product' | 'sum';
  /** Formulas of the numbers that have a name, in the order in which they are needed: `tasks = max(3, …) = 4 tasks`. */
  readonly workings: readonly string[];
}

/** Digits that a fraction keeps, so that its text is short and says all of it. */
const DIGITS = 9;
const EXACT = new Intl.NumberFormat('en-US', { maximumFractionDigits: 15 });
const CENTS = new Intl.NumberFormat('en-US', { minimumFractionDigits: 2, maximumFractionDigits: 2 });

/** A plain number, with what it counts. */
export function count(value: number, unit = ''): Amount {
  const kept = keep(value);
  const text = numberText(kept);
  return { value: kept, text: unit === '' ? text : `${text} ${unit}`, kind: 'number', workings: [] };
}

/** A price in USD; `mark` says how far it can be trusted. */
export function dollars(usd: number, mark = ''): Amount {
  return { value: usd, text: `$${numberText(usd)}${mark}`, kind: 'number', workings: [] };
}

export function times(...factors: readonly Amount[]): Amount {
  return made(
    factors.reduce((product, { value }) => product * value, 1),
    factors.map(asFactor).join(' × '),
    factors,
  );
}

export function over(dividend: Amount, divisor: Amount): Amount {
  return made(dividend.value / divisor.value, `${asFactor(dividend)} ÷ ${asDivisor(divisor)}`, [
    dividend,
    divisor,
  ]);
}

export function plus(...terms: readonly Amount[]): Amount {
  const value = terms.reduce((sum, term) => sum + term.value, 0);
  return {
    ...made(value, terms.map(({ text }) => text).join(' + '), terms),
    kind: terms.length > 1 ? 'sum' : 'product',
  };
}

export function minus(from: Amount, what: Amount): Amount {
  return { ...made(from.value - what.value, `${from.text} − ${asFactor(what)}`, [from, what]), kind: 'sum' };
}

export function largest(...of: readonly Amount[]): Amount {
  return made(Math.max(...of.map(({ value }) => value)), `max(${listed(of)})`, of);
}

export function smallest(...of: readonly Amount[]): Amount {
  return made(Math.min(...of.map(({ value }) => value)), `min(${listed(of)})`, of);
}

/** The next whole number. */
export function whole(amount: Amount): Amount {
  return made(Math.ceil(amount.value), `ceil(${amount.text})`, [amount]);
}

/** Gives a result a name: what is computed from it shows its number, and its own formula stands before. A number stays as it is. */
export function named(name: string, amount: Amount, unit = ''): Amount {
  if (amount.kind === 'number') return amount;
  const result = count(amount.value, unit);
  const working = `${name} = ${amount.text} = ${result.text}`;
  return { ...result, workings: merge(amount.workings, [working]) };
}

/** USD for people: cents, and four digits of what is less than one. */
export function usdText(usd: number): string {
  if (usd !== 0 && usd < 0.01) return `$${numberText(Number(usd.toPrecision(4)))}`;
  return `$${CENTS.format(usd)}`;
}

function made(value: number, text: string, from: readonly Amount[]): Amount {
  return { value, text, kind: 'product', workings: merge(...from.map(({ workings }) => workings)) };
}

function asFactor({ text, kind }: Amount): string {
  return kind === 'sum' ? `(${text})` : text;
}

/** What is divided by stands in brackets unless it is a single number. */
function asDivisor({ text, kind }: Amount): string {
  return kind === 'number' ? text : `(${text})`;
}

/** A comma inside a number has no space behind it. */
function listed(amounts: readonly Amount[]): string {
  return amounts.map(({ text }) => text).join(', ');
}

function merge(...lists: readonly (readonly string[])[]): readonly string[] {
  return [...new Set(lists.flat())];
}

function keep(value: number): number {
  return Number.isSafeInteger(value) ? value : Number(value.toPrecision(DIGITS));
}

function numberText(value: number): string {
  return EXACT.format(value);
}
