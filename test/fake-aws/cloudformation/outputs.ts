import { Refusal } from '../refusal.ts';
import { isProperties } from '../values.ts';
import { isUnknown, resolve, textOf, UNKNOWN } from './intrinsics.ts';
import type { StackScope } from './scope.ts';
import { exportsOf, type Output, type Stack } from './stack.ts';
import type { Stacks } from './store.ts';
import { formatError, type Template } from './template.ts';

/** A template's outputs. @throws Refusal where one can't be resolved to a text */
export function outputsOf(template: Template, scope: StackScope): readonly Output[] {
  return [...template.outputs].flatMap(([key, output]) => {
    if (!scope.isWanted(output['Condition'])) return [];
    const value = resolve(output['Value'] ?? null, scope);
    const text = isUnknown(value) ? UNKNOWN : textOf(value, `Output ${key}`);
    const given = output['Export'];
    const name = isProperties(given) ? resolve(given['Name'] ?? null, scope) : undefined;
    const description = output['Description'];
    return [
      {
        key,
        value: text,
        description: typeof description === 'string' ? description : undefined,
        exportName: name === undefined ? undefined : textOf(name, `Export of ${key}`),
      },
    ];
  });
}

/**
 * That a name is exported once, and that what other stacks import stays as it is.
 * "Fn::ImportValue" (https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference-importvalue.html).
 *
 * @throws Refusal
 */
export function checkExports(stack: Stack, outputs: readonly Output[], stacks: Stacks): void {
  const others = stacks.liveIn(stack).filter((other) => other !== stack);
  const taken = exportsOf(others);
  const names = new Set<string>();
  for (const { exportName } of outputs) {
    if (exportName === undefined) continue;
    const owner = taken.get(exportName)?.stack;
    if (owner !== undefined) {
      throw new Refusal(
        'ValidationError',
        `Export with name ${exportName} is already exported by stack ${owner.name}. Rollback requested by user.`,
      );
    }
    if (names.has(exportName)) throw formatError(`Output ${exportName} is exported more than once.`);
    names.add(exportName);
  }
  for (const { exportName, value } of stack.outputs) {
    if (exportName === undefined) continue;
    const importers = importersOf(exportName, others);
    if (importers.length === 0) continue;
    const now = outputs.find((output) => output.exportName === exportName);
    if (now === undefined) throw inUse('delete', exportName, importers);
    if (now.value !== value) throw inUse('update', exportName, importers);
  }
}

/** The sentence of a deletion that other stacks' imports are in the way of; undefined where none is. */
export function deletionBlock(stack: Stack, stacks: Stacks): string | undefined {
  const others = stacks.liveIn(stack).filter((other) => other !== stack);
  for (const { exportName } of stack.outputs) {
    const importers = exportName === undefined ? [] : importersOf(exportName, others);
    if (exportName !== undefined && importers.length > 0)
      return inUse('delete', exportName, importers).message;
  }
  return undefined;
}

/** Stacks whose values come from an export. */
export function importersOf(exportName: string, stacks: readonly Stack[]): readonly Stack[] {
  return stacks.filter(({ imports }) => imports.has(exportName));
}

function inUse(verb: 'delete' | 'update', name: string, importers: readonly Stack[]): Refusal {
  return new Refusal(
    'ValidationError',
    `Cannot ${verb} export ${name} as it is in use by ${importers.map((stack) => stack.name).join(' and ')}.`,
  );
}
