import { Listr } from 'listr2';
import { stackNames } from '../../infra/names.ts';
import type { AwsRegion } from '../../topology/aws-regions.ts';
import type { ZoneDeployment } from '../../topology/deployment.ts';
import { AwsClients } from '../lib/aws-clients.ts';
import { runCdk } from '../lib/cdk.ts';
import { agree } from './agree.ts';
import { laterText, refuseBesides } from './besides.ts';
import { refuseLoss } from './database-safety.ts';
import { differing } from './differing.ts';
import { observeDatabase, readStacks, remainingOf, requireAccount } from './observe.ts';
import { Removal } from './removal-work.ts';
import { planRemoval, refuseByDescription, type RemovalStep } from './removal.ts';
import { type Wanted, withWanted } from './wanted.ts';
import { chosenZone, knownRegion, type ZoneChoice } from './zone.ts';

export interface RemoveOptions extends ZoneChoice {
  readonly region: string;
  /** How long clients get to go elsewhere once no new one is sent here. */
  readonly drainSeconds: number;
  readonly yes: boolean;
  readonly dryRun: boolean;
}

/** `keyhearth region remove`. */
export async function removeRegion(options: RemoveOptions): Promise<void> {
  const region = knownRegion(options.region);
  const zone = chosenZone(options);
  const listed = zone.regions.some((one) => one.region === region);
  refuseByDescription({ zone, region, origin: zone.origin, listed });
  const clients = new AwsClients();
  await requireAccount(zone);
  const steps = await stepsOf(clients, zone, region);
  if (steps.length === 0) {
    process.stdout.write(`Nothing of ${region} is deployed in zone ${zone.name}.\n`);
    return;
  }
  if (options.dryRun) refuseLoss(await observeDatabase(clients, zone, region));
  await withWanted(zone, async (wanted) => {
    const deploy = async (stack: string): Promise<void> => {
      const how = ['--exclusively', '--require-approval', 'never'];
      await runCdk({ args: ['deploy', '--app', wanted.folder, ...how, stack] });
    };
    const { drainSeconds } = options;
    const work = new Removal({ clients, zone, region, drainSeconds, deploy });
    if (!options.dryRun) await work.check();
    const later = await changedBesides(clients, zone, wanted);
    refuseBesides(zone, later);
    process.stdout.write(`Zone ${zone.name} loses ${region}:\n\n${steps.map(line).join('\n')}\n\n`);
    if (!options.dryRun) {
      await agree(options.yes, `Take ${region} away from zone ${zone.name}?`);
      // Whoever was asked may have taken an hour.
      await work.check();
      await run(work, steps);
      process.stdout.write(
        `${region} is gone. revisions.wait shows it as unknown for 25 h, or until its last task is forgotten (docs/OPERATIONS.md, "Removing a region").\n`,
      );
    }
    process.stdout.write(laterText(zone, later));
  });
}

const VERBS = {
  drain: 'Lead no new client through',
  deploy: 'Deploy',
  wait: 'Wait for the accelerator of',
  delete: 'Delete',
} as const;

async function run(work: Removal, steps: readonly RemovalStep[]): Promise<void> {
  const tasks = new Listr(
    steps.map((step) => ({
      title: `${VERBS[step.kind]} ${step.stack}`,
      task: async (_, task) => {
        await work.apply(step, (said) => {
          task.output = said;
        });
      },
    })),
    { concurrent: false, fallbackRenderer: 'simple' },
  );
  await tasks.run();
}

/** What is left to do, read from what is deployed. Fails with `UserError` where the region mustn't go, or not now. */
export async function stepsOf(
  clients: AwsClients,
  zone: ZoneDeployment,
  region: AwsRegion,
): Promise<readonly RemovalStep[]> {
  const remaining = remainingOf(zone, region);
  const at = (name: string, where: AwsRegion) => ({ name, region: where });
  const stacks = await readStacks(clients, [
    at(stackNames.edge(zone), zone.origin),
    at(stackNames.zone(zone), zone.origin),
    at(stackNames.data(zone, zone.origin), zone.origin),
    at(stackNames.service(zone, region), region),
    at(stackNames.data(zone, region), region),
    at(stackNames.base(zone, region), region),
    ...remaining.flatMap((other) => [
      at(stackNames.link(zone, region, other), region),
      at(stackNames.link(zone, other, region), other),
    ]),
  ]);
  return planRemoval({ zone, region, origin: zone.origin, remaining, listed: false, stacks });
}

/** Names of the stacks that the description changes besides those that the region's leaving changes. */
async function changedBesides(
  clients: AwsClients,
  zone: ZoneDeployment,
  { stacks }: Wanted,
): Promise<readonly string[]> {
  const own = new Set([stackNames.edge(zone), stackNames.zone(zone)]);
  return differing(stacks, await readStacks(clients, stacks), own);
}

function line(step: RemovalStep, index: number): string {
  const start = `  ${index + 1}. ${step.kind.padEnd(6)} ${step.stack} in ${step.in}`;
  if (step.kind === 'drain') return `${start}: ${step.parameter}=0`;
  if (step.kind === 'deploy') return `${start}: without the region`;
  if (step.kind === 'wait') return `${start}: until its accelerator is DEPLOYED`;
  return step.keeps.length === 0 ? start : `${start}; stays: ${step.keeps.join(', ')}`;
}
