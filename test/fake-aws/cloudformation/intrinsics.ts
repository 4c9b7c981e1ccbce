import { isProperties, type Json, type Properties } from '../values.ts';
import { cidrs } from './cidr.ts';
import { templateError } from './template.ts';
import { plain } from './text.ts';

/**
 * What isn't known before a change set is executed. AWS shows the same text in a change set's property values
 * ("DescribeChangeSet", IncludePropertyValues).
 */
export const UNKNOWN = '{{changeSet:KNOWN_AFTER_APPLY}}';

/** What functions may ask for. Each throws a `Refusal` where there is nothing of that name. */
export interface Scope {
  readonly region: string;
  /** A parameter's, a pseudo parameter's or a resource's value; undefined for `AWS::NoValue`. */
  ref(name: string): Json | undefined;
  attribute(logicalId: string, name: string): Json;
  condition(name: string): boolean;
  mapping(map: string, first: string, second: string): Json | undefined;
  importValue(exportName: string): Json;
  stackOutput(reference: Properties): Json;
  /** A text with its dynamic references (`{{resolve:ssm:…}}`) resolved. */
  dynamic(text: string): string;
}

type Resolve = (value: Json) => Json | undefined;
type IntrinsicFunction = (argument: Json, resolve: Resolve, scope: Scope) => Json | undefined;

/** Whether a value isn't known yet, in whole or in part. */
export function isUnknown(value: Json | undefined): boolean {
  if (typeof value === 'string') return value.includes(UNKNOWN);
  if (Array.isArray(value)) return value.some((entry: Json) => isUnknown(entry));
  return isProperties(value) && Object.values(value).some((entry) => isUnknown(entry));
}

/**
 * A value with every function in it resolved; undefined where it is `AWS::NoValue`.
 * "Intrinsic function reference" (https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference.html).
 *
 * @throws Refusal where a function is used wrongly, or names what isn't there
 */
export function resolve(value: Json, scope: Scope): Json | undefined {
  if (typeof value === 'string') return value.includes('{{resolve:') ? scope.dynamic(value) : value;
  if (Array.isArray(value)) {
    return value.map((entry: Json) => resolve(entry, scope)).filter((entry) => entry !== undefined);
  }
  if (!isProperties(value)) return value;
  const [name, ...others] = Object.keys(value);
  if (name !== undefined && others.length === 0 && isFunction(name)) {
    const run = FUNCTIONS[name];
    if (run === undefined) throw templateError(`Encountered unsupported function: ${name}`);
    return run(value[name] ?? null, (inner) => resolve(inner, scope), scope);
  }
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, entry]) => {
      const resolved = resolve(entry, scope);
      return resolved === undefined ? [] : [[key, resolved]];
    }),
  );
}

/** As text, the way CloudFormation writes values into texts. */
export function textOf(value: Json | undefined, where: string): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  throw templateError(`${where}: every value must be a string.`);
}

function isFunction(name: string): boolean {
  return name === 'Ref' || name === 'Condition' || name.startsWith('Fn::');
}

function listOf(value: Json | undefined, where: string): readonly Json[] {
  if (Array.isArray(value)) return value;
  if (isUnknown(value)) return [UNKNOWN];
  throw templateError(`${where} requires a list argument`);
}

function truth(value: Json | undefined): boolean {
  return value === true || value === 'true';
}

/** `[a, b, …]` of a function, unresolved. */
function argumentsOf(argument: Json, count: number, name: string): readonly Json[] {
  if (!Array.isArray(argument) || argument.length < count) {
    throw templateError(`every ${name} object requires at least ${count} arguments`);
  }
  return argument;
}

const FUNCTIONS: Readonly<Record<string, IntrinsicFunction>> = {
  Ref: (argument, _resolve, scope) => scope.ref(textOf(argument, 'Ref')),
  Condition: (argument, _resolve, scope) => scope.condition(textOf(argument, 'Condition')),
  'Fn::GetAtt': (argument, run, scope) => {
    const [logicalId = '', ...rest] =
      typeof argument === 'string' ? argument.split('.') : listOf(argument, 'Fn::GetAtt');
    const attribute = rest.map((part) => textOf(run(part), 'Fn::GetAtt')).join('.');
    return scope.attribute(textOf(logicalId, 'Fn::GetAtt'), attribute);
  },
  'Fn::Sub': (argument, run, scope) => {
    const [text = null, given = {}] = Array.isArray(argument) ? argument : [argument];
    const names = isProperties(given) ? given : {};
    return textOf(text, 'Fn::Sub').replaceAll(
      /\$\{(!?)([^}]+)\}/gu,
      (whole, literal: string, name: string) => {
        if (literal === '!') return `\${${name}}`;
        const key = name.trim();
        if (Object.hasOwn(names, key)) return textOf(run(names[key] ?? null), 'Fn::Sub');
        const [logicalId = '', ...attribute] = key.split('.');
        if (attribute.length > 0) return textOf(scope.attribute(logicalId, attribute.join('.')), 'Fn::Sub');
        return textOf(scope.ref(key), `Fn::Sub of ${whole}`);
      },
    );
  },
  'Fn::Join': (argument, run) => {
    const [delimiter = '', list = null] = argumentsOf(argument, 2, 'Fn::Join');
    return listOf(run(list), 'Fn::Join')
      .map((entry) => textOf(entry, 'Fn::Join'))
      .join(textOf(delimiter, 'Fn::Join'));
  },
  'Fn::Split': (argument, run) => {
    const [delimiter = '', text = null] = argumentsOf(argument, 2, 'Fn::Split');
    const whole = textOf(run(text), 'Fn::Split');
    return isUnknown(whole) ? UNKNOWN : whole.split(textOf(delimiter, 'Fn::Split'));
  },
  'Fn::Select': (argument, run) => {
    const [index = null, list = null] = argumentsOf(argument, 2, 'Fn::Select');
    const resolved = run(list);
    if (isUnknown(resolved) && !Array.isArray(resolved)) return UNKNOWN;
    const entry = listOf(resolved, 'Fn::Select')[Number(run(index))];
    if (entry === undefined || entry === null) {
      throw templateError('Fn::Select cannot select nonexistent value at index ' + plain(run(index)));
    }
    return entry;
  },
  'Fn::Base64': (argument, run) => {
    const text = textOf(run(argument), 'Fn::Base64');
    return isUnknown(text) ? UNKNOWN : Buffer.from(text).toString('base64');
  },
  'Fn::Cidr': (argument, run) => {
    const [block = null, count = null, bits = 8] = argumentsOf(argument, 2, 'Fn::Cidr');
    const range = textOf(run(block), 'Fn::Cidr');
    return isUnknown(range) ? UNKNOWN : cidrs(range, Number(run(count)), Number(run(bits)));
  },
  // The real service lists the zones that have a default subnet; three is what most regions offer.
  'Fn::GetAZs': (argument, run, scope) => {
    const given = run(argument);
    const region = typeof given === 'string' && given !== '' ? given : scope.region;
    return ['a', 'b', 'c'].map((zone) => `${region}${zone}`);
  },
  'Fn::FindInMap': (argument, run, scope) => {
    const [map = null, first = null, second = null, options] = argumentsOf(argument, 3, 'Fn::FindInMap');
    const names = [map, first, second].map((part) => textOf(run(part), 'Fn::FindInMap'));
    const [mapName = '', firstKey = '', secondKey = ''] = names;
    const found = scope.mapping(mapName, firstKey, secondKey);
    if (found !== undefined) return found;
    if (isProperties(options) && options['DefaultValue'] !== undefined) return run(options['DefaultValue']);
    throw templateError(`Unable to get mapping for ${names.join('::')}`);
  },
  'Fn::ImportValue': (argument, run, scope) => scope.importValue(textOf(run(argument), 'Fn::ImportValue')),
  'Fn::GetStackOutput': (argument, run, scope) => {
    const reference = run(argument);
    if (!isProperties(reference)) throw templateError('Fn::GetStackOutput object must be an object.');
    return scope.stackOutput(reference);
  },
  'Fn::If': (argument, run, scope) => {
    const [name = null, whenTrue = null, otherwise = null] = argumentsOf(argument, 3, 'Fn::If');
    return run(scope.condition(textOf(name, 'Fn::If')) ? whenTrue : otherwise);
  },
  'Fn::Equals': (argument, run) => {
    const [left = null, right = null] = argumentsOf(argument, 2, 'Fn::Equals');
    return comparable(run(left)) === comparable(run(right));
  },
  'Fn::And': (argument, run) => argumentsOf(argument, 2, 'Fn::And').every((entry) => truth(run(entry))),
  'Fn::Or': (argument, run) => argumentsOf(argument, 2, 'Fn::Or').some((entry) => truth(run(entry))),
  'Fn::Not': (argument, run) => !truth(run(argumentsOf(argument, 1, 'Fn::Not')[0] ?? null)),
  // "Rule-specific intrinsic functions" (…/TemplateReference/intrinsic-function-reference-rules.html).
  'Fn::Contains': (argument, run) => {
    const [list = null, value = null] = argumentsOf(argument, 2, 'Fn::Contains');
    return listOf(run(list), 'Fn::Contains')
      .map(comparable)
      .includes(comparable(run(value)));
  },
  'Fn::EachMemberEquals': (argument, run) => {
    const [list = null, value = null] = argumentsOf(argument, 2, 'Fn::EachMemberEquals');
    const expected = comparable(run(value));
    return listOf(run(list), 'Fn::EachMemberEquals').every((entry) => comparable(entry) === expected);
  },
  'Fn::EachMemberIn': (argument, run) => {
    const [list = null, allowed = null] = argumentsOf(argument, 2, 'Fn::EachMemberIn');
    const values = listOf(run(allowed), 'Fn::EachMemberIn').map(comparable);
    return listOf(run(list), 'Fn::EachMemberIn').every((entry) => values.includes(comparable(entry)));
  },
};

/** `1` equals `"1"` for CloudFormation, whose parameters are texts. */
function comparable(value: Json | undefined): string {
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}
