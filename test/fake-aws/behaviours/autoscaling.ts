import type { Behaviour } from '../behaviour.ts';
import { Refusal } from '../refusal.ts';
import { type Place, type Properties, textAt, valueAt } from '../values.ts';
import type { Resource, World } from '../world.ts';
import { desiredCountOf, scale } from './ecs-deployments.ts';
import { findService } from './ecs-lookups.ts';
import { ensureLinkedRole } from './iam-linked-roles.ts';
import { numberAt, requiredText } from './property-values.ts';
import { alreadyExists } from './refusals.ts';
import { uuid } from './sns.ts';

export const SCALABLE_TARGET = 'AWS::ApplicationAutoScaling::ScalableTarget';
export const SCALING_POLICY = 'AWS::ApplicationAutoScaling::ScalingPolicy';
const NAME_MAX = 256;

/**
 * https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-applicationautoscaling-scalabletarget.html and
 * RegisterScalableTarget. Namespaces other than `ecs` aren't known here.
 */
const scalableTarget: Behaviour = {
  type: SCALABLE_TARGET,

  create({ world, place }, properties) {
    const resourceId = requiredText(properties, 'ResourceId');
    const dimension = requiredText(properties, 'ScalableDimension');
    const namespace = requiredText(properties, 'ServiceNamespace');
    const id = targetId(resourceId, dimension, namespace);
    if (world.find(place, SCALABLE_TARGET, id) !== undefined) throw alreadyExists(SCALABLE_TARGET, id);
    if (namespace !== 'ecs') throw invalid(`Unsupported service namespace: ${namespace}`);
    if (dimension !== 'ecs:service:DesiredCount') {
      throw invalid(`Unsupported service namespace, resource type or scalable dimension: ${dimension}`);
    }
    const service = scaledService(world, place, resourceId);
    if (service === undefined) throw invalid(`ECS service doesn't exist: ${resourceId}`);
    ensureLinkedRole(world, place, 'ecs.application-autoscaling.amazonaws.com');
    bound(world, service, properties);
    return { id, attributes: { Id: id } };
  },

  update({ world, place }, _, properties) {
    const service = scaledService(world, place, requiredText(properties, 'ResourceId'));
    checkBounds(properties);
    if (service !== undefined) bound(world, service, properties);
    return undefined;
  },
};

/** https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-applicationautoscaling-scalingpolicy.html and PutScalingPolicy. */
const scalingPolicy: Behaviour = {
  type: SCALING_POLICY,

  create({ world, place }, properties) {
    const name = requiredText(properties, 'PolicyName');
    if (name === '' || name.length > NAME_MAX) throw invalid(`Invalid policy name: ${name}`);
    const target = targetOf(world, place, properties);
    checkPolicy(properties);
    checkMetric(world, target, properties);
    const taken = world
      .all(SCALING_POLICY, place)
      .some(
        ({ state, properties: other }) => other['PolicyName'] === name && state.get('target') === target.id,
      );
    if (taken) throw alreadyExists(SCALING_POLICY, name);
    const of = `${requiredText(target.properties, 'ServiceNamespace')}/${requiredText(target.properties, 'ResourceId')}`;
    const arn = `arn:aws:autoscaling:${place.region}:${place.account}:scalingPolicy:${uuid(world.hex(12))}:resource/${of}:policyName/${name}`;
    return { id: arn, attributes: { Arn: arn }, state: new Map([['target', target.id]]) };
  },

  update({ world, place }, resource, properties) {
    checkPolicy(properties);
    checkMetric(world, targetOf(world, place, properties), properties, resource.id);
    return undefined;
  },
};

export const AUTO_SCALING: readonly Behaviour[] = [scalableTarget, scalingPolicy];

/** Ref of a scalable target: resource, dimension and namespace. */
export function targetId(resource: string, dimension: string, namespace: string): string {
  return [resource, dimension, namespace].join('|');
}

/** Sets a target's bounds, as RegisterScalableTarget does for one that is there. */
export function registerBounds(world: World, target: Resource, bounds: Properties): void {
  const properties = { ...target.properties, ...bounds };
  checkBounds(properties);
  target.properties = properties;
  const service = scaledService(world, target, requiredText(properties, 'ResourceId'));
  if (service !== undefined) bound(world, service, properties);
}

export function noTarget(namespace: string, resource: string, dimension: string): Refusal {
  return new Refusal(
    'ObjectNotFoundException',
    `No scalable target registered for service namespace: ${namespace}, resource ID: ${resource}, scalable dimension: ${dimension}`,
  );
}

/** A number of tasks outside of the bounds is brought inside; AWS waits for a policy to do that (believed: at once). */
function bound(world: World, service: Resource, properties: Properties): void {
  const [least, most] = checkBounds(properties);
  const desired = desiredCountOf(service);
  const wanted = Math.min(Math.max(desired, least), most);
  if (wanted !== desired) scale(world, service, wanted);
}

function checkBounds(properties: Properties): readonly [number, number] {
  const least = numberAt(properties, 'MinCapacity') ?? 0;
  const most = numberAt(properties, 'MaxCapacity') ?? 0;
  if (least < 0) throw invalid('Minimum capacity cannot be negative');
  if (least > most) throw invalid('Minimum capacity cannot be greater than maximum capacity');
  return [least, most];
}

function scaledService(world: World, place: Place, resourceId: string): Resource | undefined {
  const [, cluster, name] = /^service\/([^/]+)\/([^/]+)$/u.exec(resourceId) ?? [];
  return cluster === undefined || name === undefined ? undefined : findService(world, place, cluster, name);
}

function targetOf(world: World, place: Place, properties: Properties): Resource {
  const resource = textAt(properties, 'ResourceId') ?? '';
  const dimension = textAt(properties, 'ScalableDimension') ?? '';
  const namespace = textAt(properties, 'ServiceNamespace') ?? '';
  const id = textAt(properties, 'ScalingTargetId') ?? targetId(resource, dimension, namespace);
  const found = world.find(place, SCALABLE_TARGET, id);
  if (found !== undefined) return found;
  const [first = resource, second = dimension, third = namespace] = id.split('|');
  throw noTarget(third, first, second);
}

function checkPolicy(properties: Properties): void {
  const type = requiredText(properties, 'PolicyType');
  const configuration: Readonly<Record<string, string>> = {
    TargetTrackingScaling: 'TargetTrackingScalingPolicyConfiguration',
    StepScaling: 'StepScalingPolicyConfiguration',
    PredictiveScaling: 'PredictiveScalingPolicyConfiguration',
  };
  const needed = configuration[type];
  if (needed === undefined) throw invalid(`Unsupported policy type: ${type}`);
  if (properties[needed] === undefined) throw invalid(`${needed} is required for policy type ${type}`);
  const path = 'TargetTrackingScalingPolicyConfiguration';
  const value = numberAt(properties, `${path}.TargetValue`);
  // "TargetTrackingScalingPolicyConfiguration", TargetValue: "from 8.515920e-109 to 1.174271e+108".
  if (type === 'TargetTrackingScaling' && (value === undefined || value <= 0)) {
    throw invalid(`Target value must be greater than 0: ${value}`);
  }
  const metric = textAt(properties, `${path}.PredefinedMetricSpecification.PredefinedMetricType`);
  const label = textAt(properties, `${path}.PredefinedMetricSpecification.ResourceLabel`);
  // PredefinedMetricSpecification: the label is "app/<load balancer>/<id>/targetgroup/<target group>/<id>".
  if (metric !== 'ALBRequestCountPerTarget') return;
  if (!/^app\/[^/]+\/[^/]+\/targetgroup\/[^/]+\/[^/]+$/u.test(label ?? '')) {
    throw invalid(`Resource label does not match required format: ${label ?? ''}`);
  }
}

/**
 * "Target tracking scaling policies", Considerations: several of them for a target, "provided that each of them uses a different metric". The
 * sentence is auto scaling's own: hashicorp/terraform-provider-aws issue 41179.
 */
function checkMetric(world: World, target: Resource, properties: Properties, self?: string): void {
  const metric = metricOf(properties);
  if (metric === undefined) return;
  const taken = world
    .all(SCALING_POLICY, target)
    .some(
      (other) =>
        other.id !== self && other.state.get('target') === target.id && metricOf(other.properties) === metric,
    );
  if (taken) {
    throw invalid('Only one TargetTrackingScaling policy for a given metric specification is allowed.');
  }
}

/** What a target tracking policy tracks, in a form that can be compared. */
function metricOf(properties: Properties): string | undefined {
  const path = 'TargetTrackingScalingPolicyConfiguration';
  const type = textAt(properties, `${path}.PredefinedMetricSpecification.PredefinedMetricType`);
  const label = textAt(properties, `${path}.PredefinedMetricSpecification.ResourceLabel`) ?? '';
  if (type !== undefined) return `${type} ${label}`;
  const customized = valueAt(properties, `${path}.CustomizedMetricSpecification`);
  return customized === undefined ? undefined : JSON.stringify(customized);
}

function invalid(sentence: string): Refusal {
  return new Refusal('ValidationException', sentence);
}
