import { cpSync, writeFileSync } from 'node:fs';
import { type AssemblyStack, readAssembly } from '../../scripts/lib/assembly.ts';
import type { Template } from './adapt.ts';

/** A copy of a synthesized assembly whose templates can be changed: the CLI deploys what it finds there. */
export class Assembly {
  readonly folder: string;
  readonly stacks: readonly AssemblyStack[];
  /** Templates as they were synthesized, by stack. */
  readonly #originals: ReadonlyMap<string, Template>;

  constructor(synthesized: string, folder: string) {
    cpSync(synthesized, folder, { recursive: true });
    this.folder = folder;
    this.stacks = readAssembly(folder);
    this.#originals = new Map(
      // The CDK's own format.
      this.stacks.map(({ name, template }) => [name, JSON.parse(template) as Template]),
    );
  }

  /** As it was synthesized, whatever was put in its place. Throws for an unknown stack. */
  original({ name }: AssemblyStack): Template {
    const found = this.#originals.get(name);
    if (found === undefined) throw new Error(`there is no stack ${name}`);
    return found;
  }

  replace({ templatePath }: AssemblyStack, template: Template): void {
    writeFileSync(templatePath, JSON.stringify(template));
  }

  /** Stacks that can be deployed together, one group after the other. Throws where dependencies make a circle. */
  levels(): readonly (readonly AssemblyStack[])[] {
    const done = new Set<string>();
    const levels: (readonly AssemblyStack[])[] = [];
    while (done.size < this.stacks.length) {
      const level = this.stacks.filter(
        ({ name, dependencies }) => !done.has(name) && dependencies.every((needed) => done.has(needed)),
      );
      if (level.length === 0) throw new Error('stacks that wait for each other');
      for (const { name } of level) done.add(name);
      levels.push(level);
    }
    return levels;
  }
}
