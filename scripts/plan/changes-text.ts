import Table from 'cli-table3';
import type { StackPlan } from './compare-zone.ts';
import type { Changed, Effect, Replaced } from './effect-types.ts';

/** Rows that a person reads; --detail shows the others. */
const ROWS_MAX = 20;
const REVISED = 'AWS::ECS::TaskDefinition';

/** Task definitions can't be changed: every change of one makes a new revision, and takes nothing away. */
export function isRevision({ type }: Replaced): boolean {
  return type === REVISED;
}

/** How much of a stack is changed in place and how much is made anew, new revisions of task definitions among the former. */
export function countsOf({ changed, replaced }: Effect): { readonly changed: number; readonly anew: number } {
  const revisions = replaced.filter(isRevision).length;
  return { changed: changed.length + revisions, anew: replaced.length - revisions };
}

/**
 * What is changed in place, by its properties.
 *
 * @param short a stack's name without what all have in common
 */
export function changesText(
  stacks: readonly StackPlan[],
  short: (name: string) => string,
  detail: boolean,
): string {
  const all = stacks.flatMap(({ name, effect }) => effect.changed.map((one) => ({ name, one })));
  const revisions = stacks.flatMap(({ effect }) => effect.replaced.filter(isRevision)).length;
  const table = new Table({
    head: ['changed', 'its'],
    style: { head: [], border: [], compact: true },
  });
  const shown = detail ? all : all.slice(0, ROWS_MAX);
  for (const { name, one } of shown) table.push([`${short(name)}\n  ${one.id}\n  ${one.type}`, its(one)]);
  return [
    ...(table.length === 0 ? [] : [table.toString()]),
    ...(shown.length === all.length ? [] : [`${all.length - shown.length} more: --detail shows all.`]),
    ...(revisions === 0
      ? []
      : [
          revisions === 1
            ? '1 task definition gets a new revision.'
            : `${revisions} task definitions get a new revision.`,
        ]),
  ].join('\n');
}

function its({ properties, certainty }: Changed): string {
  return [...properties, ...(certainty === 'maybe' ? ['maybe'] : [])].join('\n');
}

/** What would be kept less well than it is, one line for each. Nothing of it is refused: it is how a zone is made ready to be taken down. */
export function weakenedText(stacks: readonly StackPlan[], short: (name: string) => string): string {
  const lines = stacks.flatMap(({ name, effect, losesTerminationProtection }) => [
    ...(losesTerminationProtection ? [`  ${short(name)}: the stack can be deleted afterwards`] : []),
    ...effect.weakened.map(({ id, type, what }) => `  ${short(name)} ${id} (${type}): ${what}`),
  ]);
  return lines.length === 0 ? '' : ['Warning, protected less than now:', ...lines].join('\n');
}
