import type { WantedStack } from '../compare-zone.ts';
import { referencesOf } from '../references.ts';
import { defaultsOf, resolve, type Resolved } from '../resolve.ts';
import type { TemplateResource } from '../template.ts';

/** A resource with where it is. */
export interface Placed {
  readonly id: string;
  readonly type: string;
  readonly properties: NonNullable<TemplateResource['Properties']>;
  readonly stack: string;
  readonly account: string;
  readonly region: string;
}

/** Everything that some stacks make, across their borders. */
export class Inventory {
  readonly stacks: readonly WantedStack[];
  readonly resources: readonly Placed[];
  readonly #resolved: ReadonlyMap<string, Resolved>;

  constructor(stacks: readonly WantedStack[]) {
    this.stacks = stacks;
    this.#resolved = new Map(
      stacks.map(({ name, template }) => [name, resolve(template, defaultsOf(template))]),
    );
    this.resources = stacks.flatMap(({ name, account, region }) =>
      [...(this.#resolved.get(name)?.resources ?? [])].map(([id, { Type, Properties }]) => ({
        id,
        type: Type,
        properties: Properties,
        stack: name,
        account,
        region,
      })),
    );
  }

  /** How many there are of these types. */
  count(...types: readonly string[]): number {
    return this.resources.filter(({ type }) => types.includes(type)).length;
  }

  /**
   * The most that belong to one and the same thing: `ownersOf` gives the values that name the things which a resource belongs to. Stacks
   * that name the same thing by an output or by a reference of their own name the same.
   */
  most(ownersOf: (resource: Placed) => readonly unknown[]): number {
    const counts = new Map<string, number>();
    for (const resource of this.resources) {
      for (const owner of new Set(ownersOf(resource).map((value) => this.#nameOf(value, resource.stack))))
        counts.set(owner, (counts.get(owner) ?? 0) + 1);
    }
    return Math.max(0, ...counts.values());
  }

  #nameOf(value: unknown, stack: string): string {
    const { ids, outputs } = referencesOf(value);
    const [output] = outputs;
    if (output !== undefined) {
      const made = this.#resolved.get(output.stack)?.outputs.get(output.output);
      return made === undefined ? `${output.stack} ${output.output}` : this.#nameOf(made, output.stack);
    }
    const [id] = ids;
    return id === undefined ? JSON.stringify(value) : `${stack} ${id}`;
  }
}
