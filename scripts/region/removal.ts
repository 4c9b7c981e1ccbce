import { outputKeys, stackNames, weightParameter, type ZoneName } from '../../infra/names.ts';
import type { AwsRegion } from '../../topology/aws-regions.ts';
import type { DeployedStack, Template } from '../lib/deployed-stack.ts';
import { UserError } from '../lib/user-error.ts';

/** A region of a zone that goes, and what AWS has of it. */
export interface LeavingRegion {
  readonly zone: ZoneName;
  readonly region: AwsRegion;
  readonly origin: AwsRegion;
  /** Regions that stay, as the description lists them. */
  readonly remaining: readonly AwsRegion[];
  /** Whether the description still lists it. */
  readonly listed: boolean;
  /** Where the database's writer is; null for a zone whose database isn't global. */
  readonly home: AwsRegion | null;
  /** By name: the region's stacks, `zone` and `edge`, those that exist. */
  readonly stacks: ReadonlyMap<string, DeployedStack>;
}

/** One thing to do; each is safe to do again, and left out once it is done. */
export type RemovalStep =
  | { readonly kind: 'drain'; readonly stack: string; readonly in: AwsRegion; readonly parameter: string }
  | { readonly kind: 'deploy'; readonly stack: string; readonly in: AwsRegion }
  | {
      readonly kind: 'delete';
      readonly stack: string;
      readonly in: AwsRegion;
      /** Types of what stays in AWS, each once: their policy says so. */
      readonly keeps: readonly string[];
    };

/** Days after which a key that goes is gone: the fewest that KMS has. Until then no other can take its place. */
const KEY_DAYS = 7;

/**
 * What a region had to itself and nothing else has, by type, with the properties that keep it from going: a replica's database and its copy
 * of the zone's key hold nothing that the other regions don't, and they stand in the way of the region's return.
 */
const DELETED_WITH_ITS_REGION: ReadonlyMap<string, Readonly<Record<string, unknown>>> = new Map([
  ['AWS::RDS::DBCluster', { DeletionProtection: false }],
  ['AWS::RDS::DBClusterParameterGroup', {}],
  ['AWS::RDS::DBSubnetGroup', {}],
  // Besides, CloudFormation takes no change of a policy alone.
  ['AWS::KMS::ReplicaKey', { PendingWindowInDays: KEY_DAYS }],
]);

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
  const edge = stacks.get(stackNames.edge(zone));
  const parameter = weightParameter(region);
  if (edge?.template.Parameters?.[parameter] !== undefined) {
    if (edge.parameters.get(parameter) !== '0') {
      steps.push({ kind: 'drain', stack: edge.name, in: origin, parameter });
    }
    steps.push({ kind: 'deploy', stack: edge.name, in: origin });
  }
  const remove = (name: string): void => {
    const stack = stacks.get(name);
    if (stack === undefined) return;
    steps.push({ kind: 'delete', stack: name, in: regionOf(leaving, stack), keeps: keptOf(stack.template) });
  };
  remove(stackNames.service(zone, region));
  const shared = stacks.get(stackNames.zone(zone));
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
  const { zone, region, remaining, home, stacks } = leaving;
  refuseByDescription(leaving);
  if (home === region) {
    throw new UserError(
      `${region} is the home of zone ${zone.name}: its database takes the writes. Move home to ${remaining.join(' or ')} first (docs/OPERATIONS.md, "Moving home").`,
    );
  }
  for (const { name, status } of stacks.values()) {
    if (!status.endsWith('_IN_PROGRESS')) continue;
    throw new UserError(
      `${name} is ${status}: something else is changing it. Run this again when that has ended.`,
    );
  }
}

function regionOf({ region, remaining }: LeavingRegion, stack: DeployedStack): AwsRegion {
  return [region, ...remaining].find((one) => one === stack.region) ?? region;
}

/** Types that stay when the stack is deleted as `withoutProtection` leaves it. */
function keptOf(template: Template): readonly string[] {
  const kept = Object.values(withoutProtection(template).Resources).flatMap(({ Type, DeletionPolicy = '' }) =>
    DeletionPolicy.startsWith('Retain') ? [Type] : [],
  );
  return [...new Set(kept)].toSorted();
}

/** A stack's template with which what the region had to itself goes when the stack is deleted. The events stay. */
export function withoutProtection(template: Template): Template {
  const resources = Object.entries(template.Resources).map(([id, resource]) => {
    const changes = DELETED_WITH_ITS_REGION.get(resource.Type);
    return [
      id,
      changes === undefined
        ? resource
        : { ...resource, DeletionPolicy: 'Delete', Properties: { ...resource.Properties, ...changes } },
    ] as const;
  });
  return { ...template, Resources: Object.fromEntries(resources) };
}

/** Whether something of that would stay, or refuse to go. */
export function isProtected(template: Template): boolean {
  return Object.values(template.Resources).some(
    ({ Type, DeletionPolicy = 'Delete', Properties = {} }) =>
      DELETED_WITH_ITS_REGION.has(Type) &&
      (DeletionPolicy.startsWith('Retain') || Properties['DeletionProtection'] === true),
  );
}

/** ARN of the region's load balancer, from what its service stack gives out. */
export function loadBalancerOf({ outputs }: DeployedStack): string | undefined {
  return outputs.get(outputKeys.service.loadBalancerArn);
}
