import type { AssemblyStack } from '../lib/assembly.ts';
import type { DeployedStack } from '../lib/deployed-stack.ts';

/** Names of the stacks that a deployment would make or change, but for those in `own`. */
export function differing(
  wanted: readonly AssemblyStack[],
  deployed: ReadonlyMap<string, DeployedStack>,
  own: ReadonlySet<string>,
): readonly string[] {
  return wanted.flatMap(({ name, template }) =>
    !own.has(name) && isChanged(deployed.get(name), template) ? [name] : [],
  );
}

function isChanged(deployed: DeployedStack | undefined, template: string): boolean {
  // A template of the CDK's, whose entries come in the same order from the same description.
  return deployed === undefined || JSON.stringify(deployed.template) !== JSON.stringify(JSON.parse(template));
}
