import { Refusal } from '../refusal.ts';
import { type Json, type Place, type Properties, isProperties, textAt } from '../values.ts';
import type { Resource, World } from '../world.ts';
import { objectsAt } from './property-values.ts';

export const LOAD_BALANCER = 'AWS::ElasticLoadBalancingV2::LoadBalancer';
export const TARGET_GROUP = 'AWS::ElasticLoadBalancingV2::TargetGroup';
export const LISTENER = 'AWS::ElasticLoadBalancingV2::Listener';
export const LISTENER_RULE = 'AWS::ElasticLoadBalancingV2::ListenerRule';

// "Errors" of each call in Elastic Load Balancing's API reference, version 2015-12-01.
const NOT_FOUND: Readonly<Record<string, readonly [code: string, sentence: string]>> = {
  [LOAD_BALANCER]: ['LoadBalancerNotFound', 'One or more load balancers not found'],
  [TARGET_GROUP]: ['TargetGroupNotFound', 'One or more target groups not found'],
  [LISTENER]: ['ListenerNotFound', 'One or more listeners not found'],
  [LISTENER_RULE]: ['RuleNotFound', 'One or more rules not found'],
};

/** What exists of one of Elastic Load Balancing's types. Throws its `…NotFound` otherwise. */
export function existingElb(world: World, place: Place, type: string, arn: string): Resource {
  const found = world.find(place, type, arn);
  if (found !== undefined) return found;
  const [code, sentence] = NOT_FOUND[type] ?? ['ValidationError', 'not found'];
  throw new Refusal(code, sentence);
}

/** A wrong value, as Elastic Load Balancing answers it. */
export function invalid(sentence: string): Refusal {
  return new Refusal('ValidationError', sentence);
}

/** The target groups that actions forward to. */
export function targetGroupsOf(actions: readonly Properties[]): readonly string[] {
  return actions.flatMap((action) => {
    const single = textAt(action, 'TargetGroupArn');
    const several = objectsAt(action, 'ForwardConfig.TargetGroups').flatMap(
      (entry) => textAt(entry, 'TargetGroupArn') ?? [],
    );
    return [...new Set([...(single === undefined ? [] : [single]), ...several])];
  });
}

/** Actions of a listener or a rule. */
function actionsOf({ type, properties }: Resource): readonly Properties[] {
  return objectsAt(properties, type === LISTENER ? 'DefaultActions' : 'Actions');
}

/** The load balancer that a listener or a rule belongs to. */
function loadBalancerArnOf(world: World, one: Resource): string | undefined {
  if (one.type === LISTENER) return textAt(one.properties, 'LoadBalancerArn');
  const listener = world.find(one, LISTENER, textAt(one.properties, 'ListenerArn') ?? '');
  return listener && textAt(listener.properties, 'LoadBalancerArn');
}

/** The load balancers whose listeners or rules forward to a target group: ECS wants one before a service registers with it. */
export function loadBalancersOf(world: World, place: Place, targetGroup: string): readonly string[] {
  const users = [LISTENER, LISTENER_RULE].flatMap((type) =>
    world.all(type, place).filter((one) => targetGroupsOf(actionsOf(one)).includes(targetGroup)),
  );
  return [...new Set(users.flatMap((one) => loadBalancerArnOf(world, one) ?? []))];
}

/** A target as DescribeTargetHealth shows it. */
export interface Target {
  /** An address for targets of type `ip`. */
  readonly id: string;
  readonly port: number;
  readonly zone: string;
  readonly health: 'initial' | 'healthy' | 'unhealthy' | 'draining';
}

/** Who is registered with a target group. */
export function targetsOf(group: Resource): readonly Target[] {
  const kept = group.state.get('targets');
  if (!Array.isArray(kept)) return [];
  return kept.filter(isTarget).map(({ id, port, zone, health }) => ({ id, port, zone, health }));
}

/** Sets who is registered with a target group: ECS does, for the tasks of its services. */
export function setTargets(group: Resource, targets: readonly Target[]): void {
  group.state.set(
    'targets',
    targets.map(({ id, port, zone, health }) => ({ id, port, zone, health })),
  );
}

function isTarget(value: Json): value is Json & Target {
  return isProperties(value) && typeof value['id'] === 'string' && typeof value['port'] === 'number';
}
