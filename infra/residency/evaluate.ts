import { asObject, intrinsicOf, isList, isObject, type Json, type StackFacts } from './template.ts';

/** Stands in a text for what a resource of the template, or another stack's output, will be. Neither letter nor digit: words end at it. */
export const HOLE = '\uFFFD';

/** Stands in a text for what nothing in the template says: a parameter, a function that isn't known here. */
export const UNKNOWN = '\uFFFC';

/** More ways than these to put a text together are taken as unknown. */
const ALTERNATIVES_MAX = 256;

/**
 * Every text that a value may become, as far as the template says: pseudo parameters of the stack are put in, joined parts are joined
 * (a region may be cut in two), lists are split and picked from, and both sides of a condition are taken. Null for what is no text: lists,
 * objects, other functions.
 */
export function textsOf(value: Json | undefined, facts: StackFacts): readonly string[] | null {
  if (typeof value === 'string') return [value];
  if (typeof value === 'number' || typeof value === 'boolean') return [String(value)];
  const [name, argument] = intrinsicOf(value) ?? [];
  if (name === undefined) return null;
  if (name === 'Ref') return referred(argument, facts);
  if (name === 'Fn::GetAtt') return attribute(argument, facts);
  if (name === 'Fn::GetStackOutput') return [HOLE];
  if (name === 'Fn::ImportValue') return [UNKNOWN];
  if (name === 'Fn::Base64') return textsOf(argument, facts);
  if (name === 'Fn::Sub') return substituted(argument, facts);
  if (!isList(argument)) return null;
  if (name === 'Fn::Join') return joined(argument, facts);
  if (name === 'Fn::Select') return picked(argument, facts);
  if (name !== 'Fn::If' && name !== 'Fn::FindInMap') return null;
  return alternativesOf(value ?? null, facts).flatMap((one) => textsOf(one, facts) ?? [UNKNOWN]);
}

/** The text that a value will be; null where it is nothing but a reference, may be several texts, or is none. */
export function textOf(value: Json | undefined, facts: StackFacts): string | null {
  const [text, ...others] = new Set(textsOf(value, facts));
  return text === undefined || others.length > 0 || text === HOLE || text === UNKNOWN ? null : text;
}

function referred(name: Json | undefined, facts: StackFacts): readonly string[] | null {
  const { account, region, stackName, resources, parameters } = facts;
  const known: Readonly<Record<string, string>> = {
    'AWS::AccountId': account,
    'AWS::Region': region,
    'AWS::Partition': 'aws',
    'AWS::URLSuffix': 'amazonaws.com',
    'AWS::StackName': stackName,
  };
  if (typeof name !== 'string' || name === 'AWS::NoValue') return null;
  if (Object.hasOwn(known, name)) return [known[name] ?? UNKNOWN];
  const { AllowedValues: allowed } = asObject(parameters[name]);
  if (isList(allowed)) return allowed.map(String);
  return [Object.hasOwn(resources, name) ? HOLE : UNKNOWN];
}

function attribute(target: Json | undefined, { resources }: StackFacts): readonly string[] {
  const [first] = isList(target) ? target : [target];
  const isKnown = typeof first === 'string' && Object.hasOwn(resources, first.split('.')[0] ?? '');
  return [isKnown ? HOLE : UNKNOWN];
}

/** What a condition or a mapping may stand for: all that it could be where what decides isn't literal. */
function alternativesOf(value: Json, facts: StackFacts): readonly Json[] {
  const [name, argument] = intrinsicOf(value) ?? [];
  if (!isList(argument)) return [value];
  if (name === 'Fn::If') {
    return [argument[1] ?? null, argument[2] ?? null].flatMap((side) => alternativesOf(side, facts));
  }
  if (name !== 'Fn::FindInMap') return [value];
  const [map, first, second, fallback] = argument;
  const levels = [map, first, second].map((key) =>
    textsOf(key, facts)?.find((text) => !text.includes(UNKNOWN)),
  );
  let found: readonly Json[] = [facts.mappings];
  for (const [index, key] of levels.entries()) {
    const isLiteral = typeof [map, first, second][index] === 'string' && key !== undefined;
    found = found.flatMap((level) =>
      isLiteral ? [asObject(level)[key] ?? UNKNOWN] : Object.values(asObject(level)),
    );
  }
  const given = asObject(fallback)['DefaultValue'];
  const all = given === undefined ? found : [...found, given];
  return all.length === 0 ? [UNKNOWN] : all;
}

/** Each list that a value may become, its members as alternatives; null where that is unknown. */
function listsOf(value: Json | undefined, facts: StackFacts): readonly (readonly Json[])[] | null {
  if (isList(value)) return [value];
  const [name, argument] = intrinsicOf(value) ?? [];
  if (name === 'Fn::Split' && isList(argument)) {
    const [separator, whole] = argument;
    if (typeof separator !== 'string') return null;
    const texts = textsOf(whole, facts);
    return texts?.map((text) => (text.includes(HOLE) ? [text] : text.split(separator))) ?? null;
  }
  if (name === 'Fn::If' || name === 'Fn::FindInMap') {
    const lists = alternativesOf(value ?? null, facts).map((one) => listsOf(one, facts));
    return lists.flatMap((one) => one ?? [[UNKNOWN]]);
  }
  if (name === 'Ref' && typeof argument === 'string') {
    return textsOf(value, facts)?.map((text) => text.split(',')) ?? null;
  }
  return null;
}

function joined([separator, parts]: readonly Json[], facts: StackFacts): readonly string[] | null {
  if (typeof separator !== 'string') return null;
  const lists = listsOf(parts, facts) ?? [[UNKNOWN]];
  return lists.flatMap((list) =>
    combinations(list.map((part) => textsOf(part, facts) ?? [UNKNOWN])).map((one) => one.join(separator)),
  );
}

function substituted(argument: Json | undefined, facts: StackFacts): readonly string[] | null {
  const [text, values] = isList(argument) ? argument : [argument];
  if (typeof text !== 'string') return null;
  // Odd members are the names between `${` and `}`.
  const parts = text.split(/\$\{([^}]*)\}/).map((part, index) => {
    if (index % 2 === 0) return [part];
    if (part.startsWith('!')) return [`\${${part.slice(1)}}`];
    const given = isObject(values) ? values[part] : undefined;
    if (given !== undefined) return textsOf(given, facts) ?? [UNKNOWN];
    return (part.includes('.') ? attribute(part, facts) : referred(part, facts)) ?? [UNKNOWN];
  });
  return combinations(parts).map((one) => one.join(''));
}

function picked([index, from]: readonly Json[], facts: StackFacts): readonly string[] {
  const lists = listsOf(from, facts) ?? [[UNKNOWN]];
  const wanted = Number(textOf(index, facts) ?? Number.NaN);
  return lists.flatMap((list) => {
    const [first] = list;
    // A piece of a reference is as good as the reference.
    if (list.length === 1 && typeof first === 'string' && first.includes(HOLE)) return [HOLE];
    const members = Number.isInteger(wanted) ? [list[wanted] ?? UNKNOWN] : list;
    return members.flatMap((member) => textsOf(member, facts) ?? [UNKNOWN]);
  });
}

/** One of each, in every way; a part with several texts is unknown where the ways would be too many. */
function combinations(parts: readonly (readonly string[])[]): readonly (readonly string[])[] {
  const ways = parts.reduce((product, { length }) => product * length, 1);
  const bounded =
    ways <= ALTERNATIVES_MAX ? parts : parts.map((part) => (part.length === 1 ? part : [UNKNOWN]));
  return bounded.reduce<readonly (readonly string[])[]>(
    (all, part) => all.flatMap((one) => part.map((text) => [...one, text])),
    [[]],
  );
}
