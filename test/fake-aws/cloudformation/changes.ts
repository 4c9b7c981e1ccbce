import { isDeepStrictEqual } from 'node:util';
import { resourceSchema } from '../../../scripts/lib/resource-schemas.ts';
import type { Behaviour } from '../behaviour.ts';
import { Refusal } from '../refusal.ts';
import type { Json, Properties } from '../values.ts';
import type { Resource } from '../world.ts';
import { isUnknown } from './intrinsics.ts';
import { plain } from './text.ts';

export interface Difference {
  /** Names of the properties whose values differ. */
  readonly changed: readonly string[];
  readonly replacement: 'Conditional' | 'False' | 'True';
}

/**
 * What a change of properties does to a resource, by its schema (createOnlyProperties, conditionalCreateOnlyProperties). Whether a
 * conditional one replaces is for the behaviour to say; AWS's answer is taken to be yes where it doesn't.
 */
export function difference(
  before: Properties,
  after: Properties,
  { behaviour, resource }: { readonly behaviour: Behaviour | undefined; readonly resource: Resource },
): Difference {
  const changed = [...new Set([...Object.keys(before), ...Object.keys(after)])].filter(
    (name) => !isDeepStrictEqual(before[name], after[name]),
  );
  const replacements = changed.map((name) => replacementBy(name, after, { behaviour, resource, changed }));
  if (replacements.includes('True')) return { changed, replacement: 'True' };
  return { changed, replacement: replacements.includes('Conditional') ? 'Conditional' : 'False' };
}

/** Whether the change of one property makes the resource anew. A value that isn't known yet may turn out to be the same. */
export function replacementBy(
  name: string,
  after: Properties,
  {
    behaviour,
    resource,
    changed,
  }: {
    readonly behaviour: Behaviour | undefined;
    readonly resource: Resource;
    readonly changed: readonly string[];
  },
): 'Conditional' | 'False' | 'True' {
  const replaces = resourceSchema(resource.type)?.properties.get(name)?.replaces ?? 'never';
  if (replaces === 'never') return 'False';
  if (isUnknown(after[name])) return 'Conditional';
  if (replaces === 'always') return 'True';
  return (behaviour?.replaces?.(resource, after, changed) ?? true) ? 'True' : 'False';
}

/**
 * Where a resource with a name of its own would be made anew: the new one can't have the name while the old one lives.
 * "Name Type" (https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-properties-name.html).
 */
export function checkName(type: string, logicalId: string, before: Properties, after: Properties): void {
  const names = resourceSchema(type)?.names ?? [];
  const isSame =
    names.length > 0 && names.every((name) => isText(after[name]) && before[name] === after[name]);
  if (!isSame) return;
  const name = names.map((one) => plain(after[one])).join('|');
  throw new Refusal(
    'ValidationError',
    `CloudFormation cannot update a stack when a custom-named resource requires replacing. Rename ${name} and update the stack again. (${logicalId})`,
  );
}

function isText(value: Json | undefined): boolean {
  return typeof value === 'string' && value !== '';
}
