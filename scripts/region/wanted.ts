import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ZoneDeployment } from '../../topology/deployment.ts';
import { type AssemblyStack, readAssembly } from '../lib/assembly.ts';
import { runCdk } from '../lib/cdk.ts';
import { stackNamesOf } from '../lib/zone-stacks.ts';

/** A zone's stacks as the description has them, in the order in which they are deployed. */
export interface Wanted {
  readonly stacks: readonly AssemblyStack[];
  /** The cloud assembly, for `cdk deploy --app`: what was looked at is what is deployed. */
  readonly folder: string;
}

/** Synthesizes once, into a folder that is there as long as `work` takes. */
export async function withWanted<T>(zone: ZoneDeployment, work: (wanted: Wanted) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'keyhearth-assembly-'));
  try {
    const context = ['--context', `environment=${zone.environment}`];
    await runCdk({ args: ['synth', '--quiet', '--strict', '--output', folder, ...context] });
    const names = stackNamesOf(zone);
    return await work({ folder, stacks: readAssembly(folder).filter(({ name }) => names.has(name)) });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
