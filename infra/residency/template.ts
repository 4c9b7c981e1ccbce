/** A template, or a part of it, as it is in the file. */
export type Json = string | number | boolean | null | readonly Json[] | JsonObject;

export interface JsonObject {
  readonly [key: string]: Json;
}

/** What pseudo parameters, parameters and references stand for in one stack. */
export interface StackFacts {
  readonly stackName: string;
  readonly account: string;
  readonly region: string;
  /** The template's sections of these names. */
  readonly resources: JsonObject;
  readonly parameters: JsonObject;
  readonly mappings: JsonObject;
}

export function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Array.isArray doesn't narrow a readonly array. */
export function isList(value: Json | undefined): value is readonly Json[] {
  return Array.isArray(value);
}

export function asObject(value: Json | undefined): JsonObject {
  return isObject(value) ? value : {};
}

/** Name and argument of an intrinsic function; null for anything else. */
export function intrinsicOf(value: Json | undefined): readonly [name: string, argument: Json] | null {
  if (!isObject(value)) return null;
  const [entry, ...others] = Object.entries(value);
  if (entry === undefined || others.length > 0) return null;
  const [name] = entry;
  return name === 'Ref' || name === 'Condition' || name.startsWith('Fn::') ? entry : null;
}

function isNoValue(value: Json | undefined): boolean {
  return isObject(value) && value['Ref'] === 'AWS::NoValue';
}

/** One value of a template with where it stands. */
export interface Placed {
  readonly value: Json;
  readonly path: string;
}

/**
 * The values at a path such as `Properties/AlarmActions/*`; `*` is every member of a list, or the one value where CloudFormation takes
 * it for a list of one. Both sides of an `Fn::If` are looked at. A function in the middle of the path is yielded itself: what it
 * will be is unknown.
 */
export function* select(value: Json | undefined, pattern: string, path = ''): Generator<Placed> {
  const [name, argument] = intrinsicOf(value) ?? [];
  if (name === 'Fn::If' && isList(argument)) {
    for (const side of [1, 2]) yield* select(argument[side], pattern, `${path}/Fn::If/${side}`);
    return;
  }
  if (value === undefined || isNoValue(value)) return;
  if (pattern === '' || name !== undefined) {
    yield { value, path: path.replace(/^\//, '') };
    return;
  }
  const [step = '', ...rest] = pattern.split('/');
  if (step === '*') {
    const members = isList(value) ? value : [value];
    for (const [index, member] of members.entries())
      yield* select(member, rest.join('/'), isList(value) ? `${path}/${index}` : path);
  } else if (isObject(value)) {
    yield* select(value[step], rest.join('/'), `${path}/${step}`);
  }
}
