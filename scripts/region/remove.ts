import { setTimeout as delay } from 'node:timers/promises';
import { ModifyLoadBalancerAttributesCommand } from '@aws-sdk/client-elastic-load-balancing-v2';
import { DescribeAcceleratorCommand } from '@aws-sdk/client-global-accelerator';
import { Listr } from 'listr2';
import { outputKeys, stackNames } from '../../infra/names.ts';
import type { AwsRegion } from '../../topology/aws-regions.ts';
import type { ZoneDeployment } from '../../topology/deployment.ts';
import { AwsClients } from '../lib/aws-clients.ts';
import { runCdk } from '../lib/cdk.ts';
import { type DeployedStack, readDeployedStack } from '../lib/deployed-stack.ts';
import { waitFor } from '../lib/wait.ts';
import { deleteAcceleratorGroup } from './accelerator-group.ts';
import { agree } from './agree.ts';
import { homeOf, readStacks, requireAccount } from './observe.ts';
import {
  isProtected,
  loadBalancerOf,
  planRemoval,
  refuseByDescription,
  type RemovalStep,
  withoutProtection,
} from './removal.ts';
import { deleteStack, updateStack } from './stack-calls.ts';
import { chosenZone, knownRegion, type ZoneChoice } from './zone.ts';

export interface RemoveOptions extends ZoneChoice {
  readonly region: string;
  /** How long clients get to go elsewhere once no new one is sent here. */
  readonly drainSeconds: number;
  readonly yes: boolean;
  readonly dryRun: boolean;
}

/** Global Accelerator says "within minutes"; it is asked as long as half an hour. */
const ACCELERATOR_MS = 30 * 60_000;
const LOOK_MS = 3_000;

/** `keyhearth region remove`. */
export async function removeRegion(options: RemoveOptions): Promise<void> {
  const region = knownRegion(options.region);
  const zone = chosenZone(options);
  const listed = zone.regions.some((one) => one.region === region);
  refuseByDescription({ zone, region, origin: zone.origin, listed });
  const clients = new AwsClients();
  await requireAccount(clients, zone);
  const steps = await observe(clients, zone, region);
  if (steps.length === 0) {
    process.stdout.write(`Nothing of ${region} is deployed in zone ${zone.name}.\n`);
    return;
  }
  process.stdout.write(`Zone ${zone.name} loses ${region}:\n\n${steps.map(line).join('\n')}\n\n`);
  if (options.dryRun) return;
  await agree(options.yes, `Take ${region} away from zone ${zone.name}?`);
  const work = new Removal(clients, zone, options.drainSeconds);
  await new Listr(
    steps.map((step) => ({
      title: `${VERBS[step.kind]} ${step.stack}`,
      task: async (_, task) => {
        await work.apply(step, (said) => {
          task.output = said;
        });
      },
    })),
    { concurrent: false, fallbackRenderer: 'simple' },
  ).run();
  process.stdout.write(
    `${region} is gone. revisions.wait shows it as unknown for 25 h, or until its last task is forgotten (docs/OPERATIONS.md, "Removing a region").\n`,
  );
}

const VERBS = { drain: 'Lead no new client through', deploy: 'Deploy', delete: 'Delete' } as const;

async function observe(
  clients: AwsClients,
  zone: ZoneDeployment,
  region: AwsRegion,
): Promise<readonly RemovalStep[]> {
  const remaining = zone.regions.map((one) => one.region).filter((one) => one !== region);
  const at = (name: string, where: AwsRegion) => ({ name, region: where });
  const stacks = await readStacks(clients, [
    at(stackNames.edge(zone), zone.origin),
    at(stackNames.zone(zone), zone.origin),
    at(stackNames.service(zone, region), region),
    at(stackNames.data(zone, region), region),
    at(stackNames.base(zone, region), region),
    ...remaining.flatMap((other) => [
      at(stackNames.link(zone, region, other), region),
      at(stackNames.link(zone, other, region), other),
    ]),
  ]);
  return planRemoval({
    zone,
    region,
    origin: zone.origin,
    remaining,
    listed: false,
    home: await homeOf(clients, zone),
    stacks,
  });
}

function line(step: RemovalStep, index: number): string {
  const start = `  ${index + 1}. ${step.kind.padEnd(6)} ${step.stack} in ${step.in}`;
  if (step.kind === 'drain') return `${start}: ${step.parameter}=0`;
  if (step.kind === 'deploy') return `${start}: without the region`;
  return step.keeps.length === 0 ? start : `${start}; stays: ${step.keeps.join(', ')}`;
}

class Removal {
  readonly #clients: AwsClients;
  readonly #zone: ZoneDeployment;
  readonly #drainSeconds: number;

  constructor(clients: AwsClients, zone: ZoneDeployment, drainSeconds: number) {
    this.#clients = clients;
    this.#zone = zone;
    this.#drainSeconds = drainSeconds;
  }

  /** Looks at the stack first: what is gone meanwhile is done. */
  async apply(step: RemovalStep, say: (text: string) => void): Promise<void> {
    const client = this.#clients.cloudFormation(step.in);
    const stack = await readDeployedStack(client, step.stack);
    if (stack === undefined) return;
    if (step.kind === 'drain') {
      await updateStack(client, { stack, parameters: new Map([[step.parameter, '0']]) });
      await this.#acceleratorDeployed(stack, say);
      say(`${this.#drainSeconds} s for clients to go elsewhere`);
      await delay(this.#drainSeconds * 1000);
    } else if (step.kind === 'deploy') {
      await runCdk({
        args: [
          'deploy',
          '--exclusively',
          '--require-approval',
          'never',
          '--context',
          `environment=${this.#zone.environment}`,
          step.stack,
        ],
      });
      if (step.stack === stackNames.edge(this.#zone)) await this.#acceleratorDeployed(stack, say);
    } else await this.#delete(stack);
  }

  async #delete(stack: DeployedStack): Promise<void> {
    const client = this.#clients.cloudFormation(stack.region);
    const loadBalancer = loadBalancerOf(stack);
    if (loadBalancer !== undefined) {
      await this.#clients.loadBalancing(stack.region).send(
        new ModifyLoadBalancerAttributesCommand({
          LoadBalancerArn: loadBalancer,
          Attributes: [{ Key: 'deletion_protection.enabled', Value: 'false' }],
        }),
      );
    }
    const vpcId = stack.outputs.get(outputKeys.base.vpcId);
    if (vpcId !== undefined) await deleteAcceleratorGroup(this.#clients.ec2(stack.region), vpcId);
    if (isProtected(stack.template)) {
      await updateStack(client, { stack, template: withoutProtection(stack.template) });
    }
    await deleteStack(client, stack);
  }

  /** Until every edge location of the accelerator knows its last change: only then does it let go of what it no longer leads to. */
  async #acceleratorDeployed(edge: DeployedStack, say: (text: string) => void): Promise<void> {
    const arn = edge.outputs.get(outputKeys.edge.acceleratorArn);
    if (arn === undefined) return;
    say('waiting for the accelerator');
    await waitFor(
      async () => {
        const { Accelerator } = await this.#clients
          .globalAccelerator()
          .send(new DescribeAcceleratorCommand({ AcceleratorArn: arn }));
        return Accelerator?.Status === 'DEPLOYED';
      },
      { what: `${arn} to be DEPLOYED`, timeoutMs: ACCELERATOR_MS, intervalMs: LOOK_MS },
    );
  }
}
