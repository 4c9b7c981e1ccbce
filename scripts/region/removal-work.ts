import { setTimeout as delay } from 'node:timers/promises';
import { DescribeAcceleratorCommand } from '@aws-sdk/client-global-accelerator';
import { ModifyLoadBalancerAttributesCommand } from '@aws-sdk/client-elastic-load-balancing-v2';
import { outputKeys, stackNames } from '../../infra/names.ts';
import type { AwsRegion } from '../../topology/aws-regions.ts';
import type { ZoneDeployment } from '../../topology/deployment.ts';
import type { AwsClients } from '../lib/aws-clients.ts';
import { type DeployedStack, readAnyStack, readDeployedStack } from '../lib/deployed-stack.ts';
import { errorText, UserError } from '../lib/user-error.ts';
import { waitFor } from '../lib/wait.ts';
import { stateOf } from '../plan/stack-status.ts';
import { deleteAcceleratorGroup } from './accelerator-group.ts';
import { refuseLoss } from './database-safety.ts';
import { observeDatabase } from './observe.ts';
import { isProtected, protectedAgain, withoutProtection } from './protection.ts';
import { loadBalancerOf, type RemovalStep } from './removal.ts';
import { deleteStack, updateStack } from './stack-calls.ts';

/** Global Accelerator says "within minutes"; it is asked as long as half an hour. */
const ACCELERATOR_MS = 30 * 60_000;
const LOOK_MS = 3_000;

export interface RemovalProps {
  readonly clients: AwsClients;
  readonly zone: ZoneDeployment;
  readonly region: AwsRegion;
  /** How long clients get to go elsewhere once no new one is sent here. */
  readonly drainSeconds: number;
  /** Deploys a stack that stays, by its name, as the description has it. */
  readonly deploy: (stack: string) => Promise<void>;
  /** Pause between two looks at what AWS is busy with. @default 3000 */
  readonly lookMs?: number;
}

/** Takes a region away, step by step; before anything goes that can't be had again it looks whether the database's data is elsewhere. */
export class Removal {
  readonly #props: RemovalProps;
  readonly #lookMs: number;

  constructor(props: RemovalProps) {
    this.#props = props;
    this.#lookMs = props.lookMs ?? LOOK_MS;
  }

  /**
   * Fails with `UserError` where the region's database may be more than a copy. Then what a run before, or this one, has taken the
   * protection from is protected again.
   */
  async check(): Promise<void> {
    const { clients, zone, region } = this.#props;
    try {
      refuseLoss(await observeDatabase(clients, zone, region));
    } catch (error) {
      const said = await this.#protect();
      throw said === null ? error : new UserError(`${errorText(error)} ${said}`);
    }
  }

  /** Looks at the stack first: what is gone meanwhile is done. */
  async apply(step: RemovalStep, say: (text: string) => void): Promise<void> {
    const { clients, drainSeconds, deploy } = this.#props;
    const client = clients.cloudFormation(step.in);
    const stack = await readAnyStack(client, step.stack);
    if (stack === undefined) return;
    if (step.kind === 'drain') {
      await updateStack(client, {
        stack,
        parameters: new Map([[step.parameter, '0']]),
        lookMs: this.#lookMs,
      });
      await this.#acceleratorDeployed(stack, say);
      say(`${drainSeconds} s for clients to go elsewhere`);
      await delay(drainSeconds * 1000);
    } else if (step.kind === 'deploy') await deploy(step.stack);
    else if (step.kind === 'wait') await this.#acceleratorDeployed(stack, say);
    else await this.#delete(stack);
  }

  async #delete(stack: DeployedStack): Promise<void> {
    const { clients } = this.#props;
    await this.check();
    const client = clients.cloudFormation(stack.region);
    const loadBalancer = loadBalancerOf(stack);
    if (loadBalancer !== undefined) await this.#unprotectLoadBalancer(stack.region, loadBalancer);
    const vpcId = stack.outputs.get(outputKeys.base.vpcId);
    if (vpcId !== undefined) await deleteAcceleratorGroup(clients.ec2(stack.region), vpcId);
    // What was never finished, or is half deleted, can only be deleted.
    if (isProtected(stack.template) && stateOf(stack.name, stack.status).kind === 'steady') {
      await updateStack(client, { stack, template: withoutProtection(stack.template), lookMs: this.#lookMs });
      // That took minutes, in which somebody may have moved home.
      await this.check();
    }
    await deleteStack(client, stack, this.#lookMs);
  }

  async #unprotectLoadBalancer(region: string, arn: string): Promise<void> {
    try {
      await this.#props.clients.loadBalancing(region).send(
        new ModifyLoadBalancerAttributesCommand({
          LoadBalancerArn: arn,
          Attributes: [{ Key: 'deletion_protection.enabled', Value: 'false' }],
        }),
      );
    } catch (error) {
      // Gone with a deletion that failed further on.
      if (!(error instanceof Error) || error.name !== 'LoadBalancerNotFoundException') throw error;
    }
  }

  /** A sentence on what became of the protection of the region's data; null where nobody has taken it off. */
  async #protect(): Promise<string | null> {
    const { clients, zone, region } = this.#props;
    const client = clients.cloudFormation(region);
    const name = stackNames.data(zone, region);
    try {
      const stack = await readDeployedStack(client, name);
      const template = stack === undefined ? undefined : protectedAgain(stack.template);
      if (stack === undefined || template === undefined) return null;
      await updateStack(client, { stack, template, lookMs: this.#lookMs });
      return `The deletion protection of ${name} had been taken off; it is on again.`;
    } catch (error) {
      return `The deletion protection of ${name} may be off, and couldn't be put back: ${errorText(error)} Set it by hand: \`aws rds modify-db-cluster --region ${region} --deletion-protection --db-cluster-identifier <cluster>\`.`;
    }
  }

  /** Until every edge location of the accelerator knows its last change: only then does it let go of what it no longer leads to. */
  async #acceleratorDeployed(edge: DeployedStack, say: (text: string) => void): Promise<void> {
    const arn = edge.outputs.get(outputKeys.edge.acceleratorArn);
    if (arn === undefined) return;
    say('waiting for the accelerator');
    await waitFor(
      async () => {
        const { Accelerator } = await this.#props.clients
          .globalAccelerator()
          .send(new DescribeAcceleratorCommand({ AcceleratorArn: arn }));
        return Accelerator?.Status === 'DEPLOYED';
      },
      { what: `${arn} to be DEPLOYED`, timeoutMs: ACCELERATOR_MS, intervalMs: this.#lookMs },
    );
  }
}
