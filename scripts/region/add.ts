import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readAssembly } from '../lib/assembly.ts';
import { AwsClients } from '../lib/aws-clients.ts';
import { runCdk } from '../lib/cdk.ts';
import { stackNamesOf } from '../plan/zone-stacks.ts';
import { agree } from './agree.ts';
import { planAddition } from './addition.ts';
import { readStacks, requireAccount } from './observe.ts';
import { chosenZone, knownRegion, type ZoneChoice } from './zone.ts';

export interface AddOptions extends ZoneChoice {
  readonly region: string;
  readonly yes: boolean;
  readonly dryRun: boolean;
}

/** `keyhearth region add`: deploys what a region needs, and looks at nothing else. */
export async function addRegion(options: AddOptions): Promise<void> {
  const region = knownRegion(options.region);
  const zone = chosenZone(options);
  const clients = new AwsClients();
  await requireAccount(clients, zone);
  const folder = await mkdtemp(join(tmpdir(), 'keyhearth-assembly-'));
  try {
    const context = ['--context', `environment=${zone.environment}`];
    await runCdk({ args: ['synth', '--quiet', '--strict', '--output', folder, ...context] });
    const ofZone = stackNamesOf(zone);
    const wanted = readAssembly(folder).filter(({ name }) => ofZone.has(name));
    const names = planAddition({
      zone,
      region,
      origin: zone.origin,
      listed: zone.regions.map((one) => one.region),
      wanted,
      deployed: await readStacks(clients, wanted),
    });
    process.stdout.write(`Zone ${zone.name} gets ${region}: ${names.join(', ')}.\n`);
    if (options.dryRun) return;
    await agree(options.yes, `Add ${region} to zone ${zone.name}?`);
    // What was looked at is what is deployed.
    await runCdk({
      args: [
        'deploy',
        '--app',
        folder,
        '--exclusively',
        '--require-approval',
        'never',
        '--import-existing-resources',
        ...names,
      ],
      shown: true,
    });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
