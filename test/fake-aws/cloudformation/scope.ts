import { Refusal } from '../refusal.ts';
import { isProperties, textAt, type Json, type Place, type Properties } from '../values.ts';
import type { World } from '../world.ts';
import { resolveDynamic } from './dynamic-references.ts';
import { resolve, UNKNOWN, type Scope } from './intrinsics.ts';
import { exportsOf, type Definition, type Stack } from './stack.ts';
import type { Stacks } from './store.ts';
import { templateError } from './template.ts';

/** What a template's functions can ask of the resources of its own stack. Undefined: not known before execution. */
export interface Known {
  physicalId(logicalId: string): string | undefined;
  attribute(logicalId: string, name: string): Json | undefined;
}

export interface StackScope extends Scope {
  /** Exports that were asked for so far. */
  readonly imports: ReadonlySet<string>;
  /** A resource or output without a condition is always there. */
  isWanted(condition: Json | undefined): boolean;
}

/** What the functions of a stack's template see. */
export function stackScope(
  stack: Stack,
  { template, parameters }: Definition,
  known: Known,
  { world, stacks }: { readonly world: World; readonly stacks: Stacks },
): StackScope {
  const imports = new Set<string>();
  const conditions = new Map<string, boolean>();
  const scope: StackScope = {
    region: stack.region,
    imports,
    ref: (name) => {
      const pseudo = PSEUDO_PARAMETERS[name];
      if (pseudo !== undefined) return pseudo(stack);
      const parameter = parameters.get(name);
      if (parameter !== undefined) return parameter.value;
      if (!wanted(name)) throw unresolved(name);
      return known.physicalId(name) ?? UNKNOWN;
    },
    attribute: (logicalId, name) => {
      if (!wanted(logicalId)) throw unresolved(logicalId);
      return known.attribute(logicalId, name) ?? UNKNOWN;
    },
    condition: (name) => {
      const cached = conditions.get(name);
      if (cached !== undefined) return cached;
      const expression = template.conditions.get(name);
      if (expression === undefined) throw templateError(`unresolved condition dependency ${name}`);
      const value = resolve(expression, scope);
      const holds = value === true || value === 'true';
      conditions.set(name, holds);
      return holds;
    },
    mapping: (map, first, second) => {
      const entries = template.mappings[map];
      const inner = isProperties(entries) ? entries[first] : undefined;
      return isProperties(inner) ? inner[second] : undefined;
    },
    importValue: (name) => {
      const found = exportsOf(stacks.liveIn(stack)).get(name);
      if (found === undefined) throw new Refusal('ValidationError', `No export named ${name} found.`);
      imports.add(name);
      return found.value;
    },
    stackOutput: (reference) => stackOutput(reference, stack, stacks),
    dynamic: (text) => resolveDynamic(text, world, stack),
    isWanted: (condition) => typeof condition !== 'string' || scope.condition(condition),
  };
  /** Whether the template has it, and no condition keeps it out. */
  function wanted(logicalId: string): boolean {
    const resource = template.resources.get(logicalId);
    return resource !== undefined && scope.isWanted(resource.condition);
  }
  return scope;
}

/**
 * "Pseudo parameters reference"
 * (https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/pseudo-parameter-reference.html).
 */
export const PSEUDO_PARAMETERS: Readonly<Record<string, (stack: Stack) => Json | undefined>> = {
  'AWS::AccountId': ({ account }) => account,
  'AWS::NoValue': () => undefined,
  'AWS::NotificationARNs': ({ notificationArns }) => notificationArns,
  'AWS::Partition': () => 'aws',
  'AWS::Region': ({ region }) => region,
  'AWS::StackId': ({ id }) => id,
  'AWS::StackName': ({ name }) => name,
  'AWS::URLSuffix': () => 'amazonaws.com',
};

function unresolved(name: string): Refusal {
  return new Refusal(
    'ValidationError',
    `Template format error: Unresolved resource dependencies [${name}] in the Resources block of the template`,
  );
}

/**
 * The value that another stack puts out now; the same account's where no role is given, the same region's where none is.
 * "Fn::GetStackOutput"
 * (https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference-getstackoutput.html).
 */
function stackOutput(reference: Properties, own: Stack, stacks: Stacks): Json {
  const name = textAt(reference, 'StackName');
  const output = textAt(reference, 'OutputName');
  if (name === undefined || output === undefined) {
    throw templateError('every Fn::GetStackOutput object requires StackName and OutputName.');
  }
  const place = placeOf(reference, own);
  const stack = stacks.find(place, name);
  // While it is being made, a stack has no outputs yet.
  if (stack === undefined || stack.status === 'DELETE_COMPLETE') {
    throw new Refusal(
      'ValidationError',
      `Fn::GetStackOutput: Stack with id ${name} does not exist in ${place.region}`,
    );
  }
  const found = stack.outputs.find(({ key }) => key === output);
  if (found === undefined) {
    throw new Refusal(
      'ValidationError',
      `Fn::GetStackOutput: Output ${output} does not exist in stack ${name} in ${place.region}`,
    );
  }
  return found.value;
}

function placeOf(reference: Properties, { account, region }: Stack): Place {
  const role = textAt(reference, 'RoleArn');
  return { account: role?.split(':')[4] ?? account, region: textAt(reference, 'Region') ?? region };
}
