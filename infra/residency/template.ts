/** A template, or a part of it, as it is in the file. */
export type Json = string | number | boolean | null | readonly Json[] | JsonObject;

export interface JsonObject {
  readonly [key: string]: Json;
}

/** Stands in a text for what is only known when the template is deployed. Neither letter nor digit, so that words end at it. */
export const HOLE = '\uFFFD';

/** What pseudo parameters stand for in one stack. */
export interface StackFacts {
  readonly stackName: string;
  readonly account: string;
  readonly region: string;
}

export function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Array.isArray doesn't narrow a readonly array. */
export function isList(value: Json | undefined): value is readonly Json[] {
  return Array.isArray(value);
}

/** Name and argument of an intrinsic function; null for anything else. */
export function intrinsicOf(value: Json | undefined): readonly [name: string, argument: Json] | null {
  if (!isObject(value)) return null;
  const [entry, ...others] = Object.entries(value);
  if (entry === undefined || others.length > 0) return null;
  const [name] = entry;
  return name === 'Ref' || name === 'Condition' || name.startsWith('Fn::') ? entry : null;
}

/**
 * The text that a value will be, as far as it is known: pseudo parameters of the stack are put in, joined parts are joined (a region
 * may be cut in two), and what is unknown becomes `HOLE`. Null for what is no text: lists, objects, other functions.
 */
export function textOf(value: Json | undefined, facts: StackFacts): string | null {
  if (typeof value === 'string') return value;
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  const [name, argument] = intrinsicOf(value) ?? [];
  if (name === 'Ref') return typeof argument === 'string' ? pseudo(argument, facts) : null;
  if (name === 'Fn::Join' && isList(argument)) return joined(argument, facts);
  if (name === 'Fn::Sub') return substituted(argument, facts);
  return null;
}

function pseudo(name: string, { account, region, stackName }: StackFacts): string | null {
  const known: Readonly<Record<string, string>> = {
    'AWS::AccountId': account,
    'AWS::Region': region,
    'AWS::Partition': 'aws',
    'AWS::URLSuffix': 'amazonaws.com',
    'AWS::StackName': stackName,
  };
  return known[name] ?? null;
}

function joined([separator, parts]: readonly Json[], facts: StackFacts): string | null {
  if (typeof separator !== 'string' || !isList(parts)) return null;
  return parts.map((part) => textOf(part, facts) ?? HOLE).join(separator);
}

function substituted(argument: Json | undefined, facts: StackFacts): string | null {
  const [text, values] = isList(argument) ? argument : [argument];
  if (typeof text !== 'string') return null;
  return text.replace(/\$\{([^}]*)\}/g, (whole, name: string) => {
    if (name.startsWith('!')) return whole;
    const given = isObject(values) ? values[name] : undefined;
    return (given === undefined ? pseudo(name, facts) : textOf(given, facts)) ?? HOLE;
  });
}

/** One value of a template with where it stands. */
export interface Placed {
  readonly value: Json;
  readonly path: string;
}

/**
 * The values at a path such as `Properties/AlarmActions/*`; `*` is every member of a list. Both sides of an `Fn::If` are
 * looked at. A function in the middle of the path is yielded itself: what it will be is unknown.
 */
export function* select(value: Json | undefined, pattern: string, path = ''): Generator<Placed> {
  const [name, argument] = intrinsicOf(value) ?? [];
  if (name === 'Fn::If' && isList(argument)) {
    for (const side of [1, 2]) yield* select(argument[side], pattern, `${path}/Fn::If/${side}`);
    return;
  }
  if (value === undefined || (name === 'Ref' && argument === 'AWS::NoValue')) return;
  if (pattern === '' || name !== undefined) {
    yield { value, path: path.replace(/^\//, '') };
    return;
  }
  const [step = '', ...rest] = pattern.split('/');
  if (step === '*' && isList(value)) {
    for (const [index, member] of value.entries()) yield* select(member, rest.join('/'), `${path}/${index}`);
  } else if (isObject(value)) {
    yield* select(value[step], rest.join('/'), `${path}/${step}`);
  }
}
