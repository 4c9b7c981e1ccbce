import { Refusal } from '../refusal.ts';
import type { Json, Place } from '../values.ts';
import type { Resource, World } from '../world.ts';

export const CLUSTER = 'AWS::ECS::Cluster';
export const TASK_DEFINITION = 'AWS::ECS::TaskDefinition';
export const SERVICE = 'AWS::ECS::Service';
/** Tasks aren't resources of CloudFormation; the world keeps those that haven't stopped under this name. */
export const TASK = 'AWS::ECS::Task';

/** What ECS remembers that isn't there any more. */
interface Memory {
  /** Last revision by place and family: a deregistered revision's number isn't given again. */
  readonly revisions: Map<string, number>;
  /** Deregistered task definitions, by ARN: they can still be described, and services go on running them. */
  readonly inactive: Map<string, Resource>;
  /** Stopped tasks, newest last; ECS shows them for an hour. */
  readonly stopped: Resource[];
  /** Stops what runs, by task. */
  readonly controllers: Map<string, AbortController>;
}

const memories = new WeakMap<World, Memory>();

export function memoryOf(world: World): Memory {
  let memory = memories.get(world);
  if (memory === undefined) {
    memory = { revisions: new Map(), inactive: new Map(), stopped: [], controllers: new Map() };
    memories.set(world, memory);
  }
  return memory;
}

/** `family` of an ARN or id: what comes after the last slash. */
export function lastPart(arn: string): string {
  return arn.slice(arn.lastIndexOf('/') + 1);
}

export function ecsArn({ account, region }: Place, rest: string): string {
  return `arn:aws:ecs:${region}:${account}:${rest}`;
}

/** By name or ARN. */
export function findCluster(world: World, place: Place, nameOrArn = 'default'): Resource | undefined {
  return world.find(place, CLUSTER, lastPart(nameOrArn));
}

/** @throws Refusal `ClusterNotFoundException` */
export function existingCluster(world: World, place: Place, nameOrArn?: string): Resource {
  const found = findCluster(world, place, nameOrArn);
  if (found !== undefined) return found;
  throw new Refusal('ClusterNotFoundException', 'Cluster not found.');
}

/** By name or ARN, in a cluster. */
export function findService(
  world: World,
  place: Place,
  cluster: string,
  nameOrArn: string,
): Resource | undefined {
  return world.find(place, SERVICE, ecsArn(place, `service/${cluster}/${lastPart(nameOrArn)}`));
}

/** By ARN, `family:revision`, or `family` for its newest active revision. */
export function findTaskDefinition(world: World, place: Place, name: string): Resource | undefined {
  const short = lastPart(name);
  if (/:\d+$/u.test(short)) {
    const arn = ecsArn(place, `task-definition/${short}`);
    return world.find(place, TASK_DEFINITION, arn) ?? memoryOf(world).inactive.get(arn);
  }
  return world
    .all(TASK_DEFINITION, place)
    .filter(({ id }) => lastPart(id).replace(/:\d+$/u, '') === short)
    .toSorted((a, b) => revisionOf(b.id) - revisionOf(a.id))[0];
}

export function revisionOf(arn: string): number {
  return Number(arn.slice(arn.lastIndexOf(':') + 1));
}

export function familyOf(arn: string): string {
  return lastPart(arn).replace(/:\d+$/u, '');
}

/** Tasks of a cluster that haven't stopped. */
export function tasksOf(world: World, place: Place, cluster: string): readonly Resource[] {
  return world.all(TASK, place).filter(({ properties }) => properties['Cluster'] === cluster);
}

export function servicesOf(world: World, place: Place, cluster: string): readonly Resource[] {
  return world.all(SERVICE, place).filter(({ state }) => state.get('cluster') === cluster);
}

/** Seconds since 1970, as the JSON protocols write times. */
export function now(): number {
  return Date.now() / 1000;
}

/** A text of a resource's state; empty where there is none. */
export function stateText(resource: Resource, name: string): string {
  const value = resource.state.get(name);
  return typeof value === 'string' ? value : '';
}

export function stateList(resource: Resource, name: string): readonly Json[] {
  const value = resource.state.get(name);
  // Whoever writes this entry writes a list.
  return (value ?? []) as readonly Json[];
}
