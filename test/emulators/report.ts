import Table from 'cli-table3';
import type { LeftOutOfStack } from './deployment.ts';
import type { Emulator } from './emulators.ts';

/** A table of all that an emulator didn't get as it is, or makes otherwise: what, how often, in which kinds of stacks, and why. */
export function leftOutTable(
  { name: emulator, differences, undestroyable }: Emulator,
  leftOut: readonly LeftOutOfStack[],
): string {
  const table = new Table({
    head: ['emulator', 'left out or changed', 'times', 'stacks', 'reason'],
    style: { head: [], border: [] },
    colWidths: [11, 62, 7, 22, 50],
    wordWrap: true,
  });
  const groups = Map.groupBy(leftOut, ({ what, reason }) => `${what}\n${reason}`);
  for (const [, entries] of [...groups].toSorted(([one], [other]) => one.localeCompare(other))) {
    const [first] = entries;
    if (first === undefined) continue;
    table.push([emulator, first.what, entries.length, stackKinds(entries), first.reason]);
  }
  for (const { type, fact, reason } of differences)
    table.push([emulator, `${type}: ${fact} isn't compared`, '', '', reason]);
  if (undestroyable !== undefined)
    table.push([emulator, `${undestroyable.part} stacks aren't destroyed`, '', '', undestroyable.reason]);
  return table.toString();
}

/** `base 6, svc 6`: the kinds of stacks, and how many of each. */
function stackKinds(entries: readonly LeftOutOfStack[]): string {
  const stacks = new Set(entries.map(({ stack }) => stack));
  const kinds = Map.groupBy(stacks, (stack) => stack.split('-')[3] ?? stack);
  return [...kinds].map(([kind, names]) => `${kind} ${names.length}`).join(', ');
}
