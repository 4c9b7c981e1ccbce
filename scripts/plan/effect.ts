import { isDeepStrictEqual } from 'node:util';
import {
  type Certainty,
  type Changed,
  type Effect,
  NO_EFFECT,
  type Refusal,
  type Removed,
  type Replaced,
  type Touched,
} from './effect-types.ts';
import { fateOfRemoved, fateOfReplaced, givenName, isKnownType, isMember, wholeName } from './fate.ts';
import { changedOutputs, changesOf, type OutputChange, type ResourceChange } from './replacement.ts';
import {
  defaultsOf,
  type Parameters,
  type Place,
  resolve,
  type Resolved,
  type ResolvedResource,
} from './resolve.ts';
import { isSecret, type Template } from './template.ts';
import { weakenedOf } from './weakened.ts';

/** A stack as it is. */
export interface DeployedTemplate {
  readonly template: Template;
  /** What it keeps. @default the template's own defaults */
  readonly parameters?: Parameters;
  /** Where it is: what `AWS::Region` and `AWS::AccountId` are. @default not known */
  readonly account?: string;
  readonly region?: string;
}

const NO_OUTPUT_CHANGES: OutputChange = () => null;

/**
 * What an update of a stack to another template would do. Parameters that the stack has keep their values, as `cdk deploy` leaves them;
 * new ones take their defaults. Which property makes a resource anew is known from AWS's own schemas, in part only as a possibility.
 * Of a type that they don't know any change may.
 *
 * @param outputChange whether an output of another stack, which comes before this one, gets another value
 */
export function effectOf(
  { template: from, parameters = defaultsOf(from), account, region }: DeployedTemplate,
  to: Template,
  outputChange: OutputChange = NO_OUTPUT_CHANGES,
): Effect {
  const hidden = Object.keys(from.Parameters ?? {}).filter((name) => isHidden(from, name));
  const next = new Map([...defaultsOf(to), ...kept(parameters, to)]);
  for (const name of hidden) next.delete(name);
  const place: Place = { account, region };
  const [before, after] = [resolve(from, parameters, place), resolve(to, next, place)];
  const refused = [...refusedValues(parameters, from, to), ...refusedTypes(before, after)];
  if (refused.length > 0) return { ...NO_EFFECT, refused };
  const changes = changesOf(before, after, outputChange);
  const outputs = changedOutputs(before, after, changes, outputChange);
  return {
    refused,
    added: added(before, after),
    changed: changed(after, changes),
    replaced: replaced(before, after, changes),
    removed: [...removedOf(before, after), ...maybeRemoved(before, after)],
    weakened: sorted(weakenedOf(before, after)),
    unknownTypes: unknownTypes(before, after),
    outputs,
  };
}

/** What a deletion of the stack would do to its resources. */
export function effectOfDeletion({ template, parameters = defaultsOf(template) }: DeployedTemplate): Effect {
  const nothing = resolve({ Resources: {} }, new Map());
  return { ...NO_EFFECT, removed: removedOf(resolve(template, parameters), nothing) };
}

/** What the first deployment of a stack makes. */
export function effectOfCreation(template: Template): Effect {
  const made = resolve(template, defaultsOf(template));
  return { ...NO_EFFECT, added: [...made.resources].map(([id, { Type }]) => ({ id, type: Type })) };
}

function kept(parameters: Parameters, { Parameters: known = {} }: Template): Parameters {
  return new Map([...parameters].filter(([name]) => Object.hasOwn(known, name)));
}

function refusedValues(
  parameters: Parameters,
  from: Template,
  { Parameters: asked = {} }: Template,
): readonly Refusal[] {
  return Object.entries(asked).flatMap(([parameter, description]): Refusal[] => {
    const { AllowedValues, Default, ConstraintDescription: why = null } = description;
    const value = parameters.get(parameter);
    if (value === undefined) return Default === undefined ? [{ kind: 'missing', parameter }] : [];
    const allowed = AllowedValues?.map(String);
    // What CloudFormation hides can't be judged.
    if (allowed === undefined || allowed.includes(value) || isHidden(from, parameter)) return [];
    const shown = isSecret(description) ? { kept: null, allowed: [] } : { kept: value, allowed };
    return [{ kind: 'value', parameter, ...shown, why }];
  });
}

/** Whether AWS answers with stars when it is asked for a value that a stack has kept. */
function isHidden({ Parameters = {} }: Template, parameter: string): boolean {
  const description = Parameters[parameter];
  return description !== undefined && isSecret(description);
}

/** CloudFormation doesn't give a logical id to another type: "Update of resource type is not permitted". */
function refusedTypes(before: Resolved, after: Resolved): readonly Refusal[] {
  return [...after.resources].flatMap(([id, { Type: to }]): Refusal[] => {
    const from = before.resources.get(id)?.Type ?? to;
    return from === to ? [] : [{ kind: 'type', id, from, to }];
  });
}

function added(before: Resolved, after: Resolved): readonly Touched[] {
  return sorted(
    [...after.resources].flatMap(([id, { Type }]) => (before.resources.has(id) ? [] : [{ id, type: Type }])),
  );
}

function removedOf(before: Resolved, after: Resolved): readonly Removed[] {
  return sorted(
    [...before.resources].flatMap(([id, resource]): Removed[] => {
      if (after.resources.has(id)) return [];
      return [removal(id, resource, 'certain')];
    }),
  );
}

/** Those whose condition only AWS can decide, and asks for something else than before: there may be none of them any more. */
function maybeRemoved(before: Resolved, after: Resolved): readonly Removed[] {
  return sorted(
    [...before.resources].flatMap(([id, resource]): Removed[] => {
      const next = after.resources.get(id);
      if (next?.Condition === undefined || next.Type !== resource.Type) return [];
      const asked = after.undecided.conditions.get(next.Condition);
      if (asked === undefined) return [];
      const was = before.undecided.conditions.get(resource.Condition ?? '');
      return isDeepStrictEqual(was, asked) ? [] : [removal(id, resource, 'maybe')];
    }),
  );
}

function removal(id: string, resource: ResolvedResource, certainty: Certainty): Removed {
  return {
    id,
    type: resource.Type,
    certainty,
    fate: fateOfRemoved(resource),
    name: givenName(resource),
    isMember: isMember(resource),
  };
}

function unknownTypes(...versions: readonly Resolved[]): readonly string[] {
  const types = versions.flatMap(({ resources }) => [...resources.values()].map(({ Type }) => Type));
  return [...new Set(types)].filter((type) => !isKnownType(type)).toSorted();
}

function changed(after: Resolved, changes: ReadonlyMap<string, ResourceChange>): readonly Changed[] {
  return sorted(
    [...changes].flatMap(([id, change]): Changed[] => {
      const type = after.resources.get(id)?.Type;
      if (type === undefined || change.replacement !== null || change.changes.length === 0) return [];
      const isCertain = change.changes.some(({ certainty }) => certainty === 'certain');
      const certainty: Certainty = isCertain ? 'certain' : 'maybe';
      return [{ id, type, properties: change.changes.map(({ property }) => property), certainty }];
    }),
  );
}

function replaced(
  before: Resolved,
  after: Resolved,
  changes: ReadonlyMap<string, ResourceChange>,
): readonly Replaced[] {
  return sorted(
    [...changes].flatMap(([id, { replacement }]): Replaced[] => {
      const [old, next] = [before.resources.get(id), after.resources.get(id)];
      if (replacement === null || old === undefined || next === undefined) return [];
      const name = wholeName(next);
      const fixedName = name === wholeName(old) ? name : null;
      return [{ id, type: next.Type, ...replacement, fate: fateOfReplaced(next), fixedName }];
    }),
  );
}

function sorted<T extends Touched>(resources: readonly T[]): readonly T[] {
  return resources.toSorted((one, other) => (one.id < other.id ? -1 : 1));
}
