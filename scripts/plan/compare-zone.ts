import { isDeepStrictEqual } from 'node:util';
import { effectOf, effectOfCreation, effectOfDeletion } from './effect.ts';
import { type Certainty, type Effect, NO_EFFECT } from './effect-types.ts';
import { type OutputReference, referencesOf } from './references.ts';
import type { OutputChange } from './replacement.ts';
import type { Parameters } from './resolve.ts';
import { stateOf, type StackState } from './stack-status.ts';
import type { Template } from './template.ts';

/** A stack as the description asks for it. */
export interface WantedStack {
  readonly name: string;
  readonly account: string;
  readonly region: string;
  /** Names of the stacks that are deployed before it. */
  readonly dependencies: readonly string[];
  /** @default unknown, which isn't compared */
  readonly terminationProtection?: boolean;
  readonly template: Template;
}

/** A stack as it is in AWS. */
export interface DeployedStack {
  readonly name: string;
  readonly account: string;
  readonly region: string;
  readonly status: string;
  /** Why, where CloudFormation says so. */
  readonly reason: string | null;
  readonly terminationProtection: boolean;
  /** What is wrong with its template, a part of a sentence; null where it can be read. */
  readonly unreadable: string | null;
  /** By name; stars where CloudFormation hides the value. */
  readonly parameters: Parameters;
  readonly template: Template;
}

/** A value of another stack that this one has taken over and goes on using, though it will be another one. */
export interface StaleValue {
  readonly stack: string;
  readonly output: string;
  readonly certainty: Certainty;
}

/** What a deployment of the zone would do to one stack. */
export interface StackPlan {
  readonly name: string;
  readonly account: string;
  readonly region: string;
  /** `gone`: it is in AWS, and the description doesn't have it any more. A deployment leaves it alone. */
  readonly kind: 'new' | 'changed' | 'unchanged' | 'gone';
  /** CloudFormation's own word; null for one that isn't there. */
  readonly status: string | null;
  /** Why, where CloudFormation says so. */
  readonly reason: string | null;
  readonly state: StackState;
  /** What is wrong with the template that is deployed; its effect isn't known then. */
  readonly unreadable: string | null;
  /** Whether it can be deleted afterwards, and can't be now. */
  readonly losesTerminationProtection: boolean;
  /** For one that is gone: what its deletion would do. */
  readonly effect: Effect;
  readonly stale: readonly StaleValue[];
  /** The first stack that stands in its way, and keeps a deployment from reaching it; null where none does. */
  readonly waitsFor: string | null;
  readonly terminationProtection: boolean;
}

/**
 * What a deployment would do to a zone.
 *
 * @param wanted in the order in which they are deployed
 * @param deployed all of the zone that there are, in any order
 */
export function compareZone(
  wanted: readonly WantedStack[],
  deployed: readonly DeployedStack[],
): readonly StackPlan[] {
  const there = new Map(deployed.map((stack) => [keyOf(stack), stack]));
  const plans = new Map<string, StackPlan>();
  for (const stack of wanted) plans.set(stack.name, planOf(stack, there.get(keyOf(stack)), plans));
  const described = new Set(wanted.map(keyOf));
  const gone = deployed.filter((stack) => !described.has(keyOf(stack))).map(planOfGone);
  return [...plans.values(), ...gone];
}

/** The same name in another place is another stack. */
function keyOf({ account, region, name }: Pick<WantedStack, 'account' | 'region' | 'name'>): string {
  return [account, region, name].join(' ');
}

function planOf(
  wanted: WantedStack,
  deployed: DeployedStack | undefined,
  plans: ReadonlyMap<string, StackPlan>,
): StackPlan {
  const { name, account, region, template } = wanted;
  const state = stateOf(name, deployed?.status ?? 'DELETE_COMPLETE');
  const waitsFor = firstInTheWay(wanted.dependencies, plans);
  const common = {
    name,
    account,
    region,
    status: deployed?.status ?? null,
    reason: deployed?.reason ?? null,
    state,
    unreadable: null,
    losesTerminationProtection: false,
    waitsFor,
  };
  if (deployed === undefined || state.kind === 'absent') {
    const effect = effectOfCreation(template);
    return { ...common, kind: 'new', effect, stale: [], terminationProtection: false };
  }
  const { terminationProtection, unreadable } = deployed;
  const losesTerminationProtection = terminationProtection && wanted.terminationProtection === false;
  const there = { ...common, terminationProtection, losesTerminationProtection, stale: [] };
  if (unreadable !== null) return { ...there, kind: 'changed', effect: NO_EFFECT, unreadable };
  const outputChange = changeOfOutput(region, plans);
  // The CDK leaves a stack alone whose template is the same, so what it reads from others isn't read again.
  if (isDeepStrictEqual(deployed.template, template)) {
    const stale = staleValues(template, outputChange);
    return { ...there, kind: 'unchanged', effect: NO_EFFECT, stale };
  }
  const effect = effectOf(deployed, template, outputChange);
  return { ...there, kind: 'changed', effect };
}

function planOfGone(deployed: DeployedStack): StackPlan {
  const { name, account, region, status, reason, terminationProtection, unreadable } = deployed;
  return {
    name,
    account,
    region,
    kind: 'gone',
    status,
    reason,
    state: stateOf(name, status),
    unreadable,
    losesTerminationProtection: false,
    effect: effectOfDeletion(deployed),
    stale: [],
    waitsFor: null,
    terminationProtection,
  };
}

/** Of the stacks before one. What comes after a stack that isn't deployed isn't deployed either. */
function firstInTheWay(
  dependencies: readonly string[],
  plans: ReadonlyMap<string, StackPlan>,
): string | null {
  for (const name of dependencies) {
    const plan = plans.get(name);
    if (plan === undefined) continue;
    if (plan.waitsFor !== null) return plan.waitsFor;
    if (plan.effect.refused.length > 0 || plan.unreadable !== null || isHeld(plan)) return name;
  }
  return null;
}

/** Whether its own status keeps it from being deployed. */
export function isHeld({ state }: StackPlan): boolean {
  return state.kind === 'busy' || state.kind === 'stuck';
}

/** Of stacks before the reading one: by their plans. */
function changeOfOutput(reader: string, plans: ReadonlyMap<string, StackPlan>): OutputChange {
  return ({ stack, region = reader, output }: OutputReference) => {
    const plan = plans.get(stack);
    return plan?.region === region ? (plan.effect.outputs.get(output) ?? null) : null;
  };
}

function staleValues(template: Template, outputChange: OutputChange): readonly StaleValue[] {
  const found = new Map<string, StaleValue>();
  for (const reference of referencesOf(template.Resources).outputs) {
    const certainty = outputChange(reference);
    const { stack, output } = reference;
    if (certainty !== null) found.set(`${stack} ${output}`, { stack, output, certainty });
  }
  return [...found.values()];
}
