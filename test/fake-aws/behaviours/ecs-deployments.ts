import { type Json, type Properties, isProperties, textAt } from '../values.ts';
import type { Resource, World } from '../world.ts';
import { removeInterfaces } from './ec2-interfaces.ts';
import { SUBNET } from './ec2-lookups.ts';
import { findTaskDefinition, now, stateList, stateText, tasksOf } from './ecs-lookups.ts';
import { networkOf } from './ecs-launch.ts';
import { addressOfTask, startTask, stopTask } from './ecs-tasks.ts';
import { TARGET_GROUP, setTargets, targetsOf } from './elbv2-lookups.ts';
import { flagAt, numberOf, requiredText } from './property-values.ts';

/** A deployment of a service, as DescribeServices shows it. */
export interface Deployment {
  readonly id: string;
  readonly status: 'ACTIVE' | 'PRIMARY';
  readonly taskDefinition: string;
  readonly failedTasks: number;
  readonly rolloutState: 'COMPLETED' | 'FAILED' | 'IN_PROGRESS';
  readonly rolloutStateReason: string;
  /** Seconds since 1970. */
  readonly createdAt: number;
}

/** Why CloudFormation gives a service up. */
export interface Failure {
  readonly code: string;
  readonly message: string;
}

const ID_DIGITS = 19;
const EVENTS_MAX = 100;
// "Failure threshold" in "How the Amazon ECS deployment circuit breaker detects failures"
// (https://docs.aws.amazon.com/AmazonECS/latest/developerguide/deployment-circuit-breaker.html).
const THRESHOLD_SHARE = 0.5;
const THRESHOLD_MIN = 3;
const THRESHOLD_MAX = 200;

export function deploymentsOf(service: Resource): readonly Deployment[] {
  // Only this file writes them.
  return stateList(service, 'deployments') as unknown as readonly Deployment[];
}

export function desiredCountOf(service: Resource): number {
  return numberOf(service.state.get('desiredCount')) ?? 0;
}

export function failureOf(service: Resource): Failure | undefined {
  const failure = service.state.get('failure');
  if (!isProperties(failure)) return undefined;
  return { code: requiredText(failure, 'code'), message: requiredText(failure, 'message') };
}

/** Tasks of a service that haven't stopped. */
export function serviceTasks(world: World, service: Resource): readonly Resource[] {
  const group = `service:${nameOf(service)}`;
  return tasksOf(world, service, stateText(service, 'cluster')).filter(
    ({ properties }) => properties['Group'] === group,
  );
}

/** Replaces all of a service's tasks by ones of its task definition; the old ones go once the new ones run. */
export function deploy(world: World, service: Resource): void {
  service.state.delete('failure');
  const id = `ecs-svc/${BigInt(`0x${world.hex(12)}`)
    .toString()
    .padStart(ID_DIGITS, '0')}`;
  const deployment: Deployment = {
    id,
    status: 'PRIMARY',
    taskDefinition: stateText(service, 'taskDefinition'),
    failedTasks: 0,
    rolloutState: 'IN_PROGRESS',
    rolloutStateReason: `ECS deployment ${id} in progress.`,
    createdAt: now(),
  };
  // One that never got ready gives way to the next; the last one that did is what a rollback returns to.
  const ready = deploymentsOf(service).filter(({ rolloutState }) => rolloutState === 'COMPLETED');
  keep(service, [deployment, ...ready.slice(0, 1).map((one) => ({ ...one, status: 'ACTIVE' as const }))]);
  fill(world, service);
  settle(world, service);
}

/** Sets how many tasks a service has. */
export function scale(world: World, service: Resource, desired: number): void {
  service.state.set('desiredCount', desired);
  const name = nameOf(service);
  const running = serviceTasks(world, service);
  for (const task of running.slice(desired)) {
    stopTask(world, task, {
      code: 'ServiceSchedulerInitiated',
      reason: `Scaling activity initiated by (service ${name})`,
    });
  }
  fill(world, service);
  settle(world, service);
  registerTargets(world, service);
}

/** Ends all tasks of a service that is deleted. */
export function drain(world: World, service: Resource): void {
  service.state.set('desiredCount', 0);
  for (const task of serviceTasks(world, service)) {
    stopTask(world, task, { code: 'ServiceSchedulerInitiated', reason: 'Service is being deleted' });
    // The service is gone, whatever its processes still do; what they hold in the network goes with it.
    removeInterfaces(world, task, task.id);
    world.remove(task);
  }
  registerTargets(world, service);
}

/** Registers the tasks that run with the service's target groups, and nobody else of it. */
export function registerTargets(world: World, service: Resource): void {
  const former = new Set(stateList(service, 'targets'));
  const running = serviceTasks(world, service).filter(
    ({ state }) => state.get('lastStatus') === 'RUNNING' && state.get('desiredStatus') === 'RUNNING',
  );
  const own: Json[] = [];
  for (const entry of loadBalancers(service)) {
    const group = world.find(service, TARGET_GROUP, requiredText(entry, 'TargetGroupArn'));
    if (group === undefined) continue;
    const others = targetsOf(group).filter(({ id }) => !former.has(id));
    const targets = running.map((task) => ({
      id: addressOfTask(task),
      port: numberOf(entry['ContainerPort']) ?? 0,
      zone: zoneOf(world, task),
      health: 'healthy' as const,
    }));
    own.push(...targets.map(({ id }) => id));
    setTargets(group, [...others, ...targets]);
  }
  service.state.set('targets', own);
}

export function loadBalancers(service: Resource): readonly Properties[] {
  return stateList(service, 'loadBalancers').filter((one) => isProperties(one));
}

/** Adds to what DescribeServices shows of a service's events. */
function note(world: World, service: Resource, text: string): void {
  const event = {
    id: world.hex(32),
    createdAt: now(),
    message: `(service ${nameOf(service)}) ${text}`,
  };
  service.state.set('events', [event, ...stateList(service, 'events')].slice(0, EVENTS_MAX));
}

/** Starts what a service lacks of the tasks of its primary deployment. */
function fill(world: World, service: Resource): void {
  const primary = primaryOf(service);
  const definition = findTaskDefinition(world, service, primary?.taskDefinition ?? '');
  if (primary === undefined || definition === undefined) return;
  const own = tasksIn(world, service, primary).length;
  for (let missing = desiredCountOf(service) - own; missing > 0; missing -= 1) {
    // A task that fails at once ends the deployment.
    if (primaryOf(service)?.id !== primary.id || primaryOf(service)?.rolloutState === 'FAILED') return;
    startTask(world, service, {
      definition,
      cluster: stateText(service, 'cluster'),
      network: networkOf(networkConfiguration(service)),
      group: `service:${nameOf(service)}`,
      startedBy: primary.id,
      launchType: textAt(service.properties, 'LaunchType') ?? 'FARGATE',
      service: true,
      changed: (task) => taskChanged(world, service, task),
    });
    if (failureOf(service) !== undefined) return;
  }
}

function taskChanged(world: World, service: Resource, task: Resource): void {
  const primary = primaryOf(service);
  const code = task.state.get('stopCode');
  const isGone = world.find(service, service.type, service.id) === undefined;
  if (isGone || primary === undefined) return;
  if (task.properties['StartedBy'] === primary.id && task.state.get('lastStatus') === 'STOPPED') {
    if (code === 'TaskFailedToStart' || code === 'EssentialContainerExited') failed(world, service, task);
  }
  settle(world, service);
}

/**
 * What fails to start fails every time: the attempts up to the breaker's threshold aren't played through. What exits is started again
 * until then.
 */
function failed(world: World, service: Resource, task: Resource): void {
  const primary = primaryOf(service);
  if (primary === undefined) return;
  const threshold = Math.min(
    Math.max(Math.ceil(desiredCountOf(service) * THRESHOLD_SHARE), THRESHOLD_MIN),
    THRESHOLD_MAX,
  );
  const atOnce = task.state.get('stopCode') === 'TaskFailedToStart';
  const failedTasks = atOnce ? threshold : primary.failedTasks + 1;
  replacePrimary(service, { ...primary, failedTasks });
  if (failedTasks < threshold) {
    world.later(() => {
      fill(world, service);
      registerTargets(world, service);
    });
    return;
  }
  note(world, service, 'is unable to consistently start tasks successfully.');
  if (primary.rolloutState === 'IN_PROGRESS') giveUp(world, service, stateText(task, 'stoppedReason'));
}

function giveUp(world: World, service: Resource, reason: string): void {
  const breaker = deploymentConfiguration(service, 'DeploymentCircuitBreaker');
  if (flagAt(breaker, 'Enable') !== true) {
    // AWS tries on until CloudFormation's three hours are over; here the end comes at once.
    service.state.set('failure', { code: 'NotStabilized', message: `Exceeded attempts to wait: ${reason}` });
    return;
  }
  const [primary, previous] = deploymentsOf(service);
  if (primary === undefined) return;
  note(world, service, `(deployment ${primary.id}) deployment failed: tasks failed to start.`);
  service.state.set('failure', {
    code: 'GeneralServiceException',
    message: `Error occurred during operation 'ECS Deployment Circuit Breaker was triggered'. ${reason}`,
  });
  const rollsBack = flagAt(breaker, 'Rollback') === true && previous !== undefined;
  stopTasksOf(world, service, (startedBy) => startedBy === primary.id, primary.id);
  if (!rollsBack) {
    const rolloutStateReason = 'ECS deployment circuit breaker: tasks failed to start.';
    replacePrimary(service, { ...primary, rolloutState: 'FAILED', rolloutStateReason });
    return;
  }
  service.state.set('taskDefinition', previous.taskDefinition);
  note(world, service, `rolling back to deployment ${previous.id}.`);
  const rolloutStateReason = `ECS deployment circuit breaker: rolling back to deploymentId ${previous.id}.`;
  keep(service, [{ ...previous, status: 'PRIMARY', rolloutStateReason }]);
}

/** Ends a deployment whose tasks all run. */
function settle(world: World, service: Resource): void {
  const primary = primaryOf(service);
  if (primary?.rolloutState !== 'IN_PROGRESS' || failureOf(service) !== undefined) return;
  const running = tasksIn(world, service, primary).filter(
    ({ state }) => state.get('lastStatus') === 'RUNNING' && state.get('desiredStatus') === 'RUNNING',
  );
  if (running.length < desiredCountOf(service)) return;
  const rolloutStateReason = `ECS deployment ${primary.id} completed.`;
  keep(service, [{ ...primary, rolloutState: 'COMPLETED', rolloutStateReason }]);
  stopTasksOf(world, service, (startedBy) => startedBy !== primary.id, primary.id);
  registerTargets(world, service);
  note(world, service, 'has reached a steady state.');
}

function stopTasksOf(
  world: World,
  service: Resource,
  which: (startedBy: Json | undefined) => boolean,
  deployment: string,
): void {
  for (const task of serviceTasks(world, service)) {
    if (!which(task.properties['StartedBy'])) continue;
    stopTask(world, task, {
      code: 'ServiceSchedulerInitiated',
      reason: `Scaling activity initiated by (deployment ${deployment})`,
    });
  }
}

function tasksIn(world: World, service: Resource, deployment: Deployment): readonly Resource[] {
  return serviceTasks(world, service).filter(({ properties }) => properties['StartedBy'] === deployment.id);
}

function primaryOf(service: Resource): Deployment | undefined {
  return deploymentsOf(service)[0];
}

function replacePrimary(service: Resource, deployment: Deployment): void {
  keep(service, [deployment, ...deploymentsOf(service).slice(1)]);
}

function keep(service: Resource, deployments: readonly Deployment[]): void {
  // A deployment is made of JSON.
  service.state.set('deployments', deployments as unknown as Json);
}

function deploymentConfiguration(service: Resource, part: string): Properties {
  const all = service.state.get('deploymentConfiguration');
  const value = isProperties(all) ? all[part] : undefined;
  return isProperties(value) ? value : {};
}

function networkConfiguration(service: Resource): Properties {
  const value = service.state.get('network');
  return isProperties(value) ? value : {};
}

function zoneOf(world: World, task: Resource): string {
  const subnet = world.find(task, SUBNET, requiredText(task.attributes, 'SubnetId'));
  return subnet === undefined ? '' : requiredText(subnet.attributes, 'AvailabilityZone');
}

function nameOf(service: Resource): string {
  return requiredText(service.attributes, 'Name');
}
