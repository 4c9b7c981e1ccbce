import { outputKeys, stackNames, weightParameter, type ZoneName } from '../../infra/names.ts';
import type { AwsRegion } from '../../topology/aws-regions.ts';
import type { DeployedStack } from '../lib/deployed-stack.ts';
import { UserError } from '../lib/user-error.ts';
import { stateOf } from '../plan/stack-status.ts';
import { isProtected, keptOf } from './protection.ts';

/** A region of a zone that goes, and what AWS has of it. */
export interface LeavingRegion {
  readonly zone: ZoneName;
  readonly region: AwsRegion;
  readonly origin: AwsRegion;
  /** Regions that stay, as the description lists them. */
  readonly remaining: readonly AwsRegion[];
  /** Whether the description still lists it. */
  readonly listed: boolean;
  /** By name: the region's stacks, `zone`, `edge` and the origin's data stack, those that exist. */
  readonly stacks: ReadonlyMap<string, DeployedStack>;
}

/** One thing to do; each is safe to do again, and left out once it is done. */
export type RemovalStep =
  | { readonly kind: 'drain'; readonly stack: string; readonly in: AwsRegion; readonly parameter: string }
  | { readonly kind: 'deploy'; readonly stack: string; readonly in: AwsRegion }
  /** Until the accelerator has let go of what it no longer leads to. */
  | { readonly kind: 'wait'; readonly stack: string; readonly in: AwsRegion }
  | {
      readonly kind: 'delete';
      readonly stack: string;
      readonly in: AwsRegion;
      /** Types of what stays in AWS, each once: their policy says so. */
      readonly keeps: readonly string[];
    };

/**
 * What is left to do to take a region away, in the order that the accelerator needs: no client may be led to what isn't there, and its
 * network interfaces stand in the way of the subnets until it has let go of them. Read from what is deployed, so after an
 * interruption it is what the interrupted run would have gone on with. Nothing is left when it is empty.
 *
 * Fails with `UserError` where the region mustn't go, or not now.
 */
export function planRemoval(leaving: LeavingRegion): readonly RemovalStep[] {
  const { zone, region, origin, stacks } = leaving;
  refuse(leaving);
  const steps: RemovalStep[] = [];
  const edge = present(stacks.get(stackNames.edge(zone)));
  const parameter = weightParameter(region);
  if (edge?.template.Parameters?.[parameter] !== undefined) {
    // Also where the weight is 0 already: whoever set it may not have waited.
    steps.push({ kind: 'drain', stack: edge.name, in: origin, parameter });
    steps.push({ kind: 'deploy', stack: edge.name, in: origin });
  }
  const remove = (name: string): void => {
    const stack = stacks.get(name);
    if (stack === undefined) return;
    steps.push({ kind: 'delete', stack: name, in: regionOf(leaving, stack), keeps: keptOf(stack.template) });
  };
  // An interrupted run may have deployed the edge and not waited: the load balancer's presence says that somebody still has to.
  if (edge !== undefined && stacks.has(stackNames.service(zone, region))) {
    steps.push({ kind: 'wait', stack: edge.name, in: origin });
  }
  remove(stackNames.service(zone, region));
  const shared = present(stacks.get(stackNames.zone(zone)));
  if (shared !== undefined && JSON.stringify(shared.template).includes(`"${region}"`)) {
    steps.push({ kind: 'deploy', stack: shared.name, in: origin });
  }
  remove(stackNames.data(zone, region));
  for (const name of linksOf(leaving)) remove(name);
  remove(stackNames.base(zone, region));
  return steps;
}

/** The stack that has the peering connection is the second of its pair: the other's routes lead through it. */
function linksOf({ zone, region, remaining, stacks }: LeavingRegion): readonly string[] {
  const makesConnection = (name: string): boolean =>
    Object.values(stacks.get(name)?.template.Resources ?? {}).some(
      ({ Type }) => Type === 'AWS::EC2::VPCPeeringConnection',
    );
  return remaining.flatMap((other) =>
    [stackNames.link(zone, region, other), stackNames.link(zone, other, region)].toSorted(
      (one, two) => Number(makesConnection(one)) - Number(makesConnection(two)),
    ),
  );
}

/** Fails with `UserError` where the description says that the region stays. */
export function refuseByDescription({
  zone,
  region,
  origin,
  listed,
}: Pick<LeavingRegion, 'zone' | 'region' | 'origin' | 'listed'>): void {
  if (region === origin) {
    throw new UserError(
      `${region} is the origin of zone ${zone.name}, which it has for ever. Make another zone, move the keys there, and delete this one.`,
    );
  }
  if (listed) {
    throw new UserError(
      `regions.config.ts still lists ${region} in zone ${zone.name}. Take it out of \`replicas\` (and of what else names it), then run this again.`,
    );
  }
}

function refuse(leaving: LeavingRegion): void {
  const { zone, origin, stacks } = leaving;
  refuseByDescription(leaving);
  const staying = new Set([stackNames.edge(zone), stackNames.zone(zone), stackNames.data(zone, origin)]);
  for (const stack of stacks.values()) {
    const why = staying.has(stack.name) ? obstacleToUpdate(stack) : obstacleToDeletion(stack);
    if (why !== null) throw new UserError(`${stack.name} is ${stack.status}: ${why}.`);
  }
}

/** A stack that stays; undefined also for one that nothing has come of yet. */
function present(stack: DeployedStack | undefined): DeployedStack | undefined {
  return stack === undefined || stateOf(stack.name, stack.status).kind === 'absent' ? undefined : stack;
}

const BUSY = 'something else is changing it. Run this again when that has ended';

function obstacleToUpdate({ name, status }: DeployedStack): string | null {
  const { kind, advice } = stateOf(name, status);
  if (kind === 'busy') return BUSY;
  if (status === 'CREATE_FAILED') return 'deploy it or delete it, then run this again';
  return kind === 'stuck' ? `${advice ?? 'bring it into order'}. Then run this again` : null;
}

function obstacleToDeletion({ name, status, template }: DeployedStack): string | null {
  const { kind, advice } = stateOf(name, status);
  if (kind === 'busy') return BUSY;
  if (status === 'DELETE_FAILED') {
    return isProtected(template)
      ? 'somebody tried to delete it, and CloudFormation changes nothing in it any more, so what it protects would stay behind. Delete it by hand as its events say, and what stays of it, then run this again'
      : null;
  }
  return kind === 'stuck' ? `${advice ?? 'bring it into order'}. Then run this again` : null;
}

function regionOf({ region, remaining }: LeavingRegion, stack: DeployedStack): AwsRegion {
  const found = [region, ...remaining].find((one) => one === stack.region);
  if (found === undefined) throw new Error(`${stack.name} is in ${stack.region}, which the zone hasn't got`);
  return found;
}

/** ARN of the region's load balancer, from what its service stack gives out. */
export function loadBalancerOf({ outputs }: DeployedStack): string | undefined {
  return outputs.get(outputKeys.service.loadBalancerArn);
}
