import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** A stack as the CDK has synthesized it. */
export interface AssemblyStack {
  readonly name: string;
  /** 12 digits. */
  readonly account: string;
  readonly region: string;
  readonly terminationProtection: boolean;
  /** Names of the stacks that are deployed before it. */
  readonly dependencies: readonly string[];
  /** JSON, as it is deployed. */
  readonly template: string;
  /** Path of the file that it stands in. */
  readonly templatePath: string;
}

/** Of a cloud assembly's `manifest.json`, what is read here (schema of `@aws-cdk/cloud-assembly-schema`). */
interface Manifest {
  readonly artifacts?: Readonly<
    Record<
      string,
      {
        readonly type: string;
        readonly environment?: string;
        readonly dependencies?: readonly string[];
        readonly properties?: {
          readonly templateFile?: string;
          readonly stackName?: string;
          readonly terminationProtection?: boolean;
        };
      }
    >
  >;
}

/** The stacks of a cloud assembly (the folder that `cdk synth` writes), each after those that it depends on. */
export function readAssembly(folder: string): readonly AssemblyStack[] {
  // Written by the pinned CDK a moment ago.
  const { artifacts = {} } = JSON.parse(readFileSync(join(folder, 'manifest.json'), 'utf8')) as Manifest;
  const stacks = new Map<string, AssemblyStack>();
  for (const [id, { type, environment = '', dependencies = [], properties = {} }] of Object.entries(
    artifacts,
  )) {
    if (type !== 'aws:cloudformation:stack') continue;
    const [, account = '', region = ''] = /^aws:\/\/(\d{12})\/([\w-]+)$/.exec(environment) ?? [];
    const templatePath = join(folder, properties.templateFile ?? `${id}.template.json`);
    stacks.set(id, {
      name: properties.stackName ?? id,
      account,
      region,
      terminationProtection: properties.terminationProtection ?? false,
      dependencies,
      template: readFileSync(templatePath, 'utf8'),
      templatePath,
    });
  }
  return inOrder(stacks);
}

/** Dependencies are ids of artifacts, assets among them: only those of stacks remain, by name. */
function inOrder(stacks: ReadonlyMap<string, AssemblyStack>): readonly AssemblyStack[] {
  const done = new Map<string, AssemblyStack>();
  const visit = (id: string): void => {
    const stack = stacks.get(id);
    if (stack === undefined || done.has(id)) return;
    for (const needed of stack.dependencies) visit(needed);
    const dependencies = stack.dependencies.flatMap((needed) => stacks.get(needed)?.name ?? []);
    done.set(id, { ...stack, dependencies });
  };
  for (const id of stacks.keys()) visit(id);
  return [...done.values()];
}
