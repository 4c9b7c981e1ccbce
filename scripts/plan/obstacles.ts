import { isHeld, type StackPlan } from './compare-zone.ts';
import type { Fate, Refusal, Replaced } from './effect-types.ts';
import { FATES, guardedOf, lossOf } from './guarded.ts';

type OwnKind = 'origin' | 'zone' | 'region' | 'hostname';

/** Something that a deployment mustn't or can't do. */
export interface Obstacle {
  /**
   * `replacement`, `removal`, `zone` and `hostname` are refused here unless they are allowed, `origin` and `region` always; the others by
   * AWS.
   */
  readonly kind: 'replacement' | 'removal' | 'refusal' | 'name' | 'status' | 'template' | OwnKind;
  readonly stack: string;
  /** Logical id; null where it is the whole stack. */
  readonly resource: string | null;
  readonly type: string | null;
  /** A sentence. */
  readonly what: string;
  /** A sentence: what would be lost, and what stays. Null where nothing is touched. */
  readonly atStake: string | null;
  /** A sentence: what to do. */
  readonly instead: string;
}

const PUT_BACK = 'Undo what asks for it, in regions.config.ts or in the version of this repository';
const ON_PURPOSE = 'if it is meant, allow it with --allow-replacement';

/** What stands in the way of a deployment, in the order in which it would be met. `allowReplacement` lifts this program's own refusals. */
export function obstaclesOf(plans: readonly StackPlan[], allowReplacement: boolean): readonly Obstacle[] {
  return plans
    .filter(({ kind }) => kind !== 'gone')
    .flatMap((plan) => [
      ...statusObstacles(plan),
      ...unreadable(plan),
      ...plan.effect.refused.map((refusal) => refused(plan, refusal)),
      ...fixedNames(plan),
      ...(allowReplacement ? [] : [...replacements(plan), ...removals(plan)]),
    ]);
}

function statusObstacles(plan: StackPlan): readonly Obstacle[] {
  if (!isHeld(plan)) return [];
  const { name: stack, status, state } = plan;
  const reason = plan.reason === null ? '' : ` CloudFormation says: ${plan.reason}`;
  const what = `${stack} is ${status ?? 'not there'}.${reason}`;
  return [
    {
      kind: 'status',
      stack,
      resource: null,
      type: null,
      what,
      atStake: null,
      instead: sentence(state.advice ?? ''),
    },
  ];
}

function unreadable({ name: stack, unreadable: why }: StackPlan): readonly Obstacle[] {
  if (why === null) return [];
  const what = `What a deployment would change of it can’t be told: ${why}.`;
  const instead = `Look at the stack in CloudFormation; \`npx cdk diff ${stack}\` compares it, too.`;
  return [{ kind: 'template', stack, resource: null, type: null, what, atStake: null, instead }];
}

function refused({ name: stack }: StackPlan, refusal: Refusal): Obstacle {
  const common = { kind: 'refusal', stack, type: null, atStake: null } as const;
  if (refusal.kind === 'type') {
    const what = `${refusal.id} would be ${refusal.to} instead of ${refusal.from}: CloudFormation refuses another type under the same logical id.`;
    return { ...common, resource: refusal.id, type: refusal.to, what, instead: `${PUT_BACK}.` };
  }
  if (refusal.kind === 'missing') {
    const what = `Its new parameter ${refusal.parameter} has no value.`;
    const instead = `Deploy this stack with \`--parameters ${stack}:${refusal.parameter}=…\`.`;
    return { ...common, resource: refusal.parameter, what, instead };
  }
  const { parameter, kept, allowed, why } = refusal;
  const values = kept === null ? 'a value that isn’t shown' : `${kept}, allowed now: ${allowed.join(', ')}`;
  const what = `It has kept ${parameter} = ${values}. CloudFormation refuses the whole update.`;
  return { ...common, resource: parameter, what, instead: why === null ? `${PUT_BACK}.` : sentence(why) };
}

/** CloudFormation makes nothing anew under a name that stays. */
function isRefusedForItsName({ fixedName, certainty }: Replaced): boolean {
  return fixedName !== null && certainty === 'certain';
}

function fixedNames({ name: stack, effect }: StackPlan): readonly Obstacle[] {
  return effect.replaced.filter(isRefusedForItsName).map(({ id, type, property, fixedName }): Obstacle => {
    const what = `${id} has to be made anew for its ${property}, under the name that is taken by the one there is, ${fixedName}: CloudFormation refuses that.`;
    return { kind: 'name', stack, resource: id, type, what, atStake: null, instead: `${PUT_BACK}.` };
  });
}

/** Those that CloudFormation refuses by itself are told already. */
function replacements({ name: stack, effect }: StackPlan): readonly Obstacle[] {
  const possible = guardedOf(effect.replaced).filter((one) => !isRefusedForItsName(one));
  return possible.map(({ id, type, property, certainty, because, fate }) => {
    const source = because === null ? '' : `, which it takes from ${because}`;
    return {
      kind: 'replacement',
      stack,
      resource: id,
      type,
      what: `${id} ${certainty === 'certain' ? 'would' : 'may'} be made anew, for its ${property}${source}.`,
      atStake: stakeOf(type, fate),
      instead: `${PUT_BACK}; ${ON_PURPOSE}.`,
    };
  });
}

function removals({ name: stack, effect }: StackPlan): readonly Obstacle[] {
  return guardedOf(effect.removed).map(({ id, type, fate, certainty }) => ({
    kind: 'removal',
    stack,
    resource: id,
    type,
    what: `${id} ${certainty === 'certain' ? 'would' : 'may'} leave the stack.`,
    atStake: fate === 'kept' ? `Nothing at once: ${FATES[fate]}.` : stakeOf(type, fate),
    instead: `${PUT_BACK}; ${ON_PURPOSE}.`,
  }));
}

function stakeOf(type: string, fate: Fate): string {
  return sentence(`${lossOf(type)}; ${FATES[fate]}`);
}

function sentence(text: string): string {
  const whole = text.endsWith('.') ? text : `${text}.`;
  return whole.charAt(0).toUpperCase() + whole.slice(1);
}
