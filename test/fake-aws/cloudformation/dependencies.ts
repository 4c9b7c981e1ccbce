import { Refusal } from '../refusal.ts';
import { isProperties, type Json } from '../values.ts';
import { ALL, type Next } from './order.ts';
import type { Template, TemplateResource } from './template.ts';

/** A resource, parameter or pseudo parameter that a value names, and the attribute of it where it asks for one. */
export interface Reference {
  readonly name: string;
  readonly attribute: string | undefined;
}

/** All that a value's `Ref`, `Fn::GetAtt` and `Fn::Sub` name. */
export function referencesIn(value: Json): readonly Reference[] {
  if (Array.isArray(value)) return value.flatMap((entry: Json) => referencesIn(entry));
  if (!isProperties(value)) return [];
  return Object.entries(value).flatMap(([key, entry]) => {
    if (key === 'Ref' && typeof entry === 'string') return [{ name: entry, attribute: undefined }];
    if (key === 'Fn::GetAtt') return attributeReference(entry);
    if (key === 'Fn::Sub') return substitutions(entry);
    return referencesIn(entry);
  });
}

/** Logical ids that a resource must come after. */
export function dependenciesOf(resource: TemplateResource, template: Template): ReadonlySet<string> {
  const named = referencesIn(resource.properties).map(({ name }) => name);
  return new Set([...resource.dependsOn, ...named].filter((name) => template.resources.has(name)));
}

/**
 * Groups that can be made one after another: each depends only on earlier ones.
 *
 * @throws Refusal where resources wait for each other
 */
export function inOrder(
  dependencies: ReadonlyMap<string, ReadonlySet<string>>,
  next: Next = ALL,
): readonly (readonly string[])[] {
  const left = new Set(dependencies.keys());
  const groups: (readonly string[])[] = [];
  while (left.size > 0) {
    const ready = [...left].filter((id) =>
      [...(dependencies.get(id) ?? [])].every((other) => !left.has(other)),
    );
    const group = next(ready);
    if (group.length === 0) {
      throw new Refusal(
        'ValidationError',
        `Circular dependency between resources: [${[...left].join(', ')}]`,
      );
    }
    for (const id of group) left.delete(id);
    groups.push(group);
  }
  return groups;
}

function attributeReference(argument: Json): readonly Reference[] {
  const [name, ...rest] =
    typeof argument === 'string' ? argument.split('.') : Array.isArray(argument) ? argument : [];
  if (typeof name !== 'string') return [];
  const literal = rest.every((part: Json) => typeof part === 'string');
  return [
    { name, attribute: literal ? rest.join('.') : undefined },
    ...rest.flatMap((part: Json) => referencesIn(part)),
  ];
}

function substitutions(argument: Json): readonly Reference[] {
  const [text, given = {}] = Array.isArray(argument) ? argument : [argument];
  if (typeof text !== 'string') return [];
  const own = isProperties(given) ? given : {};
  const names = [...text.matchAll(/\$\{([^!}][^}]*)\}/gu)].map(([, name = '']) => name.trim());
  return [
    ...Object.values(own).flatMap((value) => referencesIn(value)),
    ...names
      .filter((name) => !Object.hasOwn(own, name))
      .map((name) => {
        const [first = '', ...attribute] = name.split('.');
        return { name: first, attribute: attribute.length > 0 ? attribute.join('.') : undefined };
      }),
  ];
}
