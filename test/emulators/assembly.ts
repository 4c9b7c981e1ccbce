import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Template } from './adapt.ts';

/** A stack of a cloud assembly. */
export interface AssemblyStack {
  readonly name: string;
  readonly account: string;
  readonly region: string;
  readonly templatePath: string;
  readonly isProtected: boolean;
  /** Names of stacks that must be there first. */
  readonly dependencies: readonly string[];
}

interface Manifest {
  readonly artifacts: Readonly<
    Record<
      string,
      {
        readonly type: string;
        readonly environment?: string;
        readonly dependencies?: readonly string[];
        readonly properties?: { readonly templateFile?: string; readonly terminationProtection?: boolean };
      }
    >
  >;
}

/** A copy of a synthesized assembly whose templates can be changed: the CLI deploys what it finds there. */
export class Assembly {
  readonly folder: string;
  readonly stacks: readonly AssemblyStack[];
  /** Templates as they were synthesized, by stack. */
  readonly #originals: ReadonlyMap<string, Template>;

  constructor(synthesized: string, folder: string) {
    cpSync(synthesized, folder, { recursive: true });
    this.folder = folder;
    this.stacks = stacksOf(folder);
    this.#originals = new Map(
      // The CDK's own format.
      this.stacks.map(({ name, templatePath }) => [
        name,
        JSON.parse(readFileSync(templatePath, 'utf8')) as Template,
      ]),
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

function stacksOf(folder: string): readonly AssemblyStack[] {
  // The CDK's own format.
  const { artifacts } = JSON.parse(readFileSync(join(folder, 'manifest.json'), 'utf8')) as Manifest;
  const stacks = Object.entries(artifacts).filter(([, { type }]) => type === 'aws:cloudformation:stack');
  const names = new Set(stacks.map(([name]) => name));
  return stacks.map(([name, { environment = '', dependencies = [], properties = {} }]) => {
    const [account, region] = environment.replace('aws://', '').split('/');
    if (account === undefined || region === undefined || properties.templateFile === undefined)
      throw new Error(`the stack ${name} names no environment or template`);
    return {
      name,
      account,
      region,
      templatePath: join(folder, properties.templateFile),
      isProtected: properties.terminationProtection === true,
      dependencies: dependencies.filter((needed) => names.has(needed)),
    };
  });
}
