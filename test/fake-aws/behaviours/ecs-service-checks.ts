import { Refusal } from '../refusal.ts';
import { type Place, type Properties, isProperties, textAt, textsAt, valueAt } from '../values.ts';
import type { Resource, World } from '../world.ts';
import { COMPOSITE_ALARM, ALARM } from './cloudwatch.ts';
import { SECURITY_GROUP, SUBNET } from './ec2-lookups.ts';
import { findTaskDefinition, memoryOf } from './ecs-lookups.ts';
import { type TaskNetwork, vpcOf } from './ecs-reach.ts';
import { TARGET_GROUP, loadBalancersOf } from './elbv2-lookups.ts';
import { linkedRole } from './iam-linked-roles.ts';
import { flagAt, numberAt, objectsAt, requiredText } from './property-values.ts';

// "Amazon ECS service quotas" (https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-quotas.html), AwsVpcConfiguration.
const TASKS_MAX = 5000;
const TARGET_GROUPS_MAX = 5;
const SUBNETS_MAX = 16;
const GROUPS_MAX = 5;

export function wrong(sentence: string): Refusal {
  return new Refusal('InvalidParameterException', sentence);
}

/** An active task definition that a launch type can run. Throws as CreateService and RunTask do. */
export function runnableDefinition(world: World, place: Place, name: string, launchType: string): Resource {
  const definition = findTaskDefinition(world, place, name);
  if (definition === undefined) throw new Refusal('ClientException', 'TaskDefinition not found.');
  if (memoryOf(world).inactive.has(definition.id)) {
    throw new Refusal('ClientException', 'TaskDefinition is inactive');
  }
  const compatible = textsAt(definition.properties, 'RequiresCompatibilities');
  if (launchType !== 'EC2' && !compatible.includes(launchType)) {
    throw wrong(`Task definition does not support launch_type ${launchType}.`);
  }
  return definition;
}

/** Throws where a task of this definition couldn't lie in these subnets and groups. */
export function checkNetwork(
  world: World,
  place: Place,
  definition: Resource,
  network: TaskNetwork | undefined,
): void {
  if (definition.properties['NetworkMode'] !== 'awsvpc') return;
  if (network === undefined || network.subnets.length === 0) {
    throw wrong("Network Configuration must be provided when networkMode 'awsvpc' is specified.");
  }
  const { subnets, securityGroups } = network;
  if (subnets.length > SUBNETS_MAX) throw wrong(`subnets can have at most ${SUBNETS_MAX} items.`);
  if (securityGroups.length > GROUPS_MAX) {
    throw wrong(`securityGroups can have at most ${GROUPS_MAX} items.`);
  }
  for (const subnet of subnets) {
    if (world.find(place, SUBNET, subnet) === undefined) {
      throw wrong(
        `Error retrieving subnet information for [${subnet}]: The subnet ID '${subnet}' does not exist (ErrorCode: InvalidSubnetID.NotFound)`,
      );
    }
  }
  const [vpc, ...others] = new Set(subnets.map((subnet) => vpcOf(world, place, subnet)));
  // "All specified subnets must be from the same VPC."
  if (others.length > 0) throw wrong('All specified subnets must be from the same VPC.');
  for (const group of securityGroups) checkGroup(world, place, group, vpc);
}

function checkGroup(world: World, place: Place, group: string, vpc: string | undefined): void {
  const found = world.find(place, SECURITY_GROUP, group);
  if (found === undefined) {
    throw wrong(
      `Error retrieving security group information for [${group}]: The security group '${group}' does not exist (ErrorCode: InvalidGroup.NotFound)`,
    );
  }
  if (found.attributes['VpcId'] !== vpc) {
    throw wrong(`Security group ${group} does not appear to belong to the same VPC as the input subnets.`);
  }
}

/** Rules of CreateService and UpdateService (https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_CreateService.html). */
export function checkService(world: World, place: Place, definition: Resource, properties: Properties): void {
  // "Using service-linked roles for Amazon ECS".
  if (linkedRole(world, place, 'ecs.amazonaws.com') === undefined) {
    throw wrong(
      'Unable to assume the service linked role. Please verify that the ECS service linked role exists.',
    );
  }
  if (
    properties['LaunchType'] !== undefined &&
    objectsAt(properties, 'CapacityProviderStrategy').length > 0
  ) {
    throw wrong(
      'Specifying both a launch type and capacity provider strategy is not supported. Remove one and try again.',
    );
  }
  const desired = numberAt(properties, 'DesiredCount') ?? 0;
  if (desired < 0 || desired > TASKS_MAX) throw wrong(`desiredCount must be between 0 and ${TASKS_MAX}.`);
  const targets = objectsAt(properties, 'LoadBalancers');
  if (targets.length > TARGET_GROUPS_MAX) {
    throw wrong(`load balancers can have at most ${TARGET_GROUPS_MAX} items.`);
  }
  for (const target of targets) checkTarget(world, place, definition, target);
  if (targets.length === 0 && (numberAt(properties, 'HealthCheckGracePeriodSeconds') ?? 0) > 0) {
    throw wrong('Health check grace period is only valid for services configured to use load balancers');
  }
  checkPercentages(properties);
  checkAlarms(world, place, properties);
}

function checkPercentages(properties: Properties): void {
  const least = numberAt(properties, 'DeploymentConfiguration.MinimumHealthyPercent') ?? 100;
  const most = numberAt(properties, 'DeploymentConfiguration.MaximumPercent') ?? 200;
  if (least === 100 && most === 100) {
    throw wrong(
      'Both maximumPercent and minimumHealthyPercent cannot be 100 as this will block deployments.',
    );
  }
  if (least > most) throw wrong('minimumHealthyPercent cannot be greater than maximumPercent.');
  // "Balancing an Amazon ECS service across Availability Zones": not with a maximumPercent of 100 or less.
  if (textAt(properties, 'AvailabilityZoneRebalancing') === 'ENABLED' && most <= 100) {
    throw wrong('Availability Zone rebalancing requires maximumPercent to be greater than 100.');
  }
}

function checkAlarms(world: World, place: Place, properties: Properties): void {
  const alarms = valueAt(properties, 'DeploymentConfiguration.Alarms');
  if (!isProperties(alarms) || flagAt(alarms, 'Enable') !== true) return;
  const missing = textsAt(alarms, 'AlarmNames').filter((name) =>
    [ALARM, COMPOSITE_ALARM].every((type) => world.find(place, type, name) === undefined),
  );
  if (missing.length > 0) throw wrong(`The following alarms do not exist: [${missing.join(', ')}]`);
}

function checkTarget(world: World, place: Place, definition: Resource, target: Properties): void {
  const arn = requiredText(target, 'TargetGroupArn');
  const group = world.find(place, TARGET_GROUP, arn);
  if (group === undefined) throw wrong(`The target group with targetGroupArn ${arn} does not exist.`);
  if (loadBalancersOf(world, place, arn).length === 0) {
    throw wrong(`The target group with targetGroupArn ${arn} does not have an associated load balancer.`);
  }
  const type = textAt(group.properties, 'TargetType') ?? 'instance';
  if (definition.properties['NetworkMode'] === 'awsvpc' && type !== 'ip') {
    throw wrong(
      `The provided target group ${arn} has target type ${type}, which is incompatible with the awsvpc network mode specified in the task definition.`,
    );
  }
  const name = requiredText(target, 'ContainerName');
  const port = numberAt(target, 'ContainerPort');
  const container = objectsAt(definition.properties, 'ContainerDefinitions').find(
    (one) => one['Name'] === name,
  );
  if (container === undefined) throw wrong(`The container ${name} does not exist in the task definition.`);
  if (!objectsAt(container, 'PortMappings').some((mapping) => numberAt(mapping, 'ContainerPort') === port)) {
    throw wrong(`The container ${name} did not have a container port ${port} defined.`);
  }
}
