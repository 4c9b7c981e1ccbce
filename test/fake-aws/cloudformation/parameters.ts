import { Refusal } from '../refusal.ts';
import { isProperties, type Json, type Place, type Properties } from '../values.ts';
import type { World } from '../world.ts';
import { formatError, type Template } from './template.ts';
import { plain } from './text.ts';

/** A parameter of a stack. */
export interface ParameterValue {
  /** As it was given, or the default: what DescribeStacks shows. */
  readonly given: string;
  /** What the Systems Manager parameter of that name holds; undefined for other types. */
  readonly stored: string | undefined;
  /** What `Ref` gives: a list for types of lists. */
  readonly value: Json;
}

const SSM_TYPE = /^AWS::SSM::Parameter::Value<(.*)>$/u;

/**
 * The values of a template's parameters.
 * "CloudFormation template Parameters syntax"
 * (https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/parameters-section-structure.html).
 *
 * @param given `Parameters` of a call
 * @param previous the stack's values, for `UsePreviousValue`
 * @throws Refusal where one is missing, superfluous or not as the template wants it
 */
export function readParameters(
  template: Template,
  given: readonly Json[],
  previous: ReadonlyMap<string, ParameterValue>,
  { world, place }: { readonly world: World; readonly place: Place },
): ReadonlyMap<string, ParameterValue> {
  const inputs = new Map(
    given.filter(isProperties).map((entry) => [plain(entry['ParameterKey']), entry] as const),
  );
  const superfluous = [...inputs.keys()].filter((name) => !template.parameters.has(name));
  if (superfluous.length > 0)
    throw invalid(`Parameters: [${superfluous.join(', ')}] do not exist in the template`);
  const missing: string[] = [];
  const values = new Map<string, ParameterValue>();
  for (const [name, definition] of template.parameters) {
    const text = textFor(name, definition, inputs.get(name), previous);
    if (text === undefined) missing.push(name);
    else values.set(name, valueOf(name, definition, text, { world, place }));
  }
  if (missing.length > 0) throw invalid(`Parameters: [${missing.join(', ')}] must have values`);
  return values;
}

function textFor(
  name: string,
  definition: Properties,
  input: Properties | undefined,
  previous: ReadonlyMap<string, ParameterValue>,
): string | undefined {
  const usesPrevious = input?.['UsePreviousValue'];
  if (usesPrevious === true || usesPrevious === 'true') {
    const value = previous.get(name);
    if (value === undefined) {
      throw invalid(
        `Invalid input for parameter key ${name}. Cannot specify usePreviousValue as true for a parameter key not in the previous template`,
      );
    }
    return value.given;
  }
  const value = input?.['ParameterValue'] ?? definition['Default'];
  return value === undefined || value === null ? undefined : plain(value);
}

function valueOf(
  name: string,
  definition: Properties,
  text: string,
  { world, place }: { readonly world: World; readonly place: Place },
): ParameterValue {
  const type = plain(definition['Type'] ?? 'String');
  const inner = SSM_TYPE.exec(type)?.[1];
  // The template's constraints hold for the name of a Systems Manager parameter, not for what it holds.
  checkConstraints(name, definition, inner === undefined ? type : 'String', text);
  if (inner === undefined) return { given: text, stored: undefined, value: typed(type, text) };
  const stored = world.find(place, 'AWS::SSM::Parameter', text)?.properties['Value'];
  if (typeof stored !== 'string') {
    throw invalid(`Unable to fetch parameters [${text}] from parameter store for this account.`);
  }
  return { given: text, stored, value: typed(inner, stored) };
}

function typed(type: string, text: string): Json {
  if (type !== 'CommaDelimitedList' && !type.startsWith('List<')) return text;
  return text === '' ? [] : text.split(',').map((entry) => entry.trim());
}

function checkConstraints(name: string, definition: Properties, type: string, text: string): void {
  const fails = (constraint: string): Refusal => {
    const description = definition['ConstraintDescription'];
    return invalid(
      typeof description === 'string'
        ? `Parameter ${name} failed to satisfy constraint: ${description}`
        : `Parameter '${name}' must ${constraint}`,
    );
  };
  const allowed = definition['AllowedValues'];
  const entries = type === 'CommaDelimitedList' ? typed(type, text) : [text];
  if (Array.isArray(allowed)) {
    const texts = allowed.map(plain);
    if (Array.isArray(entries) && !entries.every((entry: Json) => texts.includes(plain(entry)))) {
      throw fails('be one of AllowedValues');
    }
  }
  if (type === 'Number') checkNumber(name, definition, text, fails);
  const pattern = definition['AllowedPattern'];
  if (typeof pattern === 'string' && !patternOf(name, pattern).test(text))
    throw fails(`match pattern ${pattern}`);
  const [least, most] = [definition['MinLength'], definition['MaxLength']];
  if (least !== undefined && text.length < Number(least))
    throw fails(`contain at least ${plain(least)} characters`);
  if (most !== undefined && text.length > Number(most))
    throw fails(`contain at most ${plain(most)} characters`);
}

function checkNumber(
  name: string,
  definition: Properties,
  text: string,
  fails: (constraint: string) => Refusal,
): void {
  const value = Number(text);
  if (text.trim() === '' || Number.isNaN(value)) throw invalid(`Parameter '${name}' must be a number.`);
  const [least, most] = [definition['MinValue'], definition['MaxValue']];
  if (least !== undefined && value < Number(least)) throw fails(`be a number not less than ${plain(least)}`);
  if (most !== undefined && value > Number(most)) throw fails(`be a number not greater than ${plain(most)}`);
}

/** The whole text must match, as with AWS. */
function patternOf(name: string, pattern: string): RegExp {
  try {
    return new RegExp(`^(?:${pattern})$`, 'u');
  } catch {
    throw formatError(`Parameter ${name} has an AllowedPattern that is no regular expression: ${pattern}`);
  }
}

function invalid(sentence: string): Refusal {
  return new Refusal('ValidationError', sentence);
}
