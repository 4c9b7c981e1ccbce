import { Refusal } from '../refusal.ts';
import { type Properties, textAt, textsAt } from '../values.ts';
import type { Resource } from '../world.ts';
import { notFound } from '../behaviours/ec2-lookups.ts';
import { objectsAt, requiredText } from '../behaviours/property-values.ts';

/** What a filter's name stands for: the values that a resource has there. */
export type Filters = Readonly<Record<string, (resource: Resource) => readonly unknown[]>>;

/**
 * Of all resources of a type, those that a Describe call asks for: by id, which must exist, and by filters, of which each must match one
 * of its values ("Filtering", https://docs.aws.amazon.com/AWSEC2/latest/APIReference/Using_Filtering.html). `tag:<key>` and `vpc-id`
 * work everywhere.
 */
export function selected(
  all: readonly Resource[],
  { input }: { readonly input: Properties },
  { type, ids, filters }: { readonly type: string; readonly ids: string; readonly filters: Filters },
): readonly Resource[] {
  const wanted = textsAt(input, ids);
  const missing = wanted.find((id) => !all.some((one) => one.id === id));
  if (missing !== undefined) throw notFound(type, missing);
  return all.filter(
    (one) =>
      (wanted.length === 0 || wanted.includes(one.id)) &&
      objectsAt(input, 'Filter').every((filter) => matches(one, filter, filters)),
  );
}

function matches(one: Resource, filter: Properties, filters: Filters): boolean {
  const name = requiredText(filter, 'Name');
  const values = textsAt(filter, 'Value').map(pattern);
  return valuesOf(one, name, filters).some((value) => values.some((wanted) => wanted.test(String(value))));
}

function valuesOf(one: Resource, name: string, filters: Filters): readonly unknown[] {
  if (name.startsWith('tag:')) {
    const key = name.slice('tag:'.length);
    return tagsOf(one)
      .filter((tag) => tag.Key === key)
      .map((tag) => tag.Value);
  }
  const filter = filters[name];
  if (filter !== undefined) return filter(one);
  if (name === 'vpc-id') return [vpcOf(one)];
  throw new Refusal('InvalidParameterValue', `The filter '${name}' is invalid`);
}

/** `*` stands for any text, `?` for a character. */
function pattern(text: string): RegExp {
  const escaped = text.replace(/[.+^${}()|[\]\\]/gu, '\\$&');
  return new RegExp(`^${escaped.replaceAll('*', '.*').replaceAll('?', '.')}$`, 'u');
}

export function vpcOf({ properties, attributes }: Resource): string | undefined {
  return textAt(properties, 'VpcId') ?? textAt(attributes, 'VpcId');
}

export function tagsOf({
  properties,
}: Resource): readonly { readonly Key: string; readonly Value: string }[] {
  return objectsAt(properties, 'Tags').map((tag) => ({
    Key: requiredText(tag, 'Key'),
    Value: requiredText(tag, 'Value'),
  }));
}
