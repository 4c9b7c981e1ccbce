import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readAssembly } from '../lib/assembly.ts';
import { runCdk } from '../lib/cdk.ts';
import type { WantedStack } from './compare-zone.ts';
import { parseTemplate } from './template.ts';

/**
 * The stacks of an environment, as `cdk deploy` would deploy them, in the order in which it would. Made in a folder of their own, which
 * is gone afterwards: a `cdk.out` that somebody is looking at stays as it is. Takes some seconds, and no credentials. Fails with
 * `UserError` and the CDK's own words.
 */
export async function synthesizeStacks(environment: string): Promise<readonly WantedStack[]> {
  const folder = mkdtempSync(join(tmpdir(), 'keyhearth-plan-'));
  try {
    const context = ['--context', `environment=${environment}`];
    await runCdk({ args: ['synth', '--quiet', '--strict', '--output', folder, ...context] });
    return readAssembly(folder).map((stack) => ({
      name: stack.name,
      account: stack.account,
      region: stack.region,
      dependencies: stack.dependencies,
      terminationProtection: stack.terminationProtection,
      template: parseTemplate(stack.template, stack.name),
    }));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
