import { appendLog } from '../log-store.ts';
import { Refusal } from '../refusal.ts';
import type { ContainerDependency, ContainerLaunch } from '../task-runner.ts';
import { type Json, type Place, type Properties, textsAt } from '../values.ts';
import type { Resource, World } from '../world.ts';
import { addInterface, removeInterfaces } from './ec2-interfaces.ts';
import { isEssential, startOrder } from './ecs-containers.ts';
import { launchProblem, logTargetOf } from './ecs-launch.ts';
import { TASK, ecsArn, familyOf, memoryOf, now } from './ecs-lookups.ts';
import type { TaskNetwork } from './ecs-reach.ts';
import { secretsOf } from './ecs-secrets.ts';
import { objectsAt, requiredText } from './property-values.ts';

/** What one task is started with. */
export interface TaskRequest {
  readonly definition: Resource;
  readonly cluster: string;
  readonly network: TaskNetwork;
  /** `service:verify`, or `family:…` for those of RunTask. */
  readonly group: string;
  /** Id of a service's deployment; a caller's own text. */
  readonly startedBy: string;
  readonly launchType: string;
  /** As RunTask gives them. @default none */
  readonly overrides?: Properties;
  /** Of whom processes are run: of a service's tasks only where the runner wants that. */
  readonly service: boolean;
  /** Called when it runs, and when it has stopped. */
  readonly changed?: (task: Resource) => void;
}

const ID_DIGITS = 32;

/**
 * Starts a task: at once at pace 0. What keeps it from starting ends up in its `stoppedReason`, as in AWS. While it is there, it has a
 * network interface in the first of its subnets that has an address left.
 */
export function startTask(world: World, place: Place, request: TaskRequest): Resource {
  const { definition, cluster, network, group, startedBy, launchType, overrides = {} } = request;
  const id = world.hex(ID_DIGITS);
  const arn = ecsArn(place, `task/${cluster}/${id}`);
  const task = world.add({
    ...place,
    type: TASK,
    id,
    stack: null,
    properties: {
      Cluster: cluster,
      TaskDefinition: definition.id,
      Group: group,
      StartedBy: startedBy,
      LaunchType: launchType,
      Overrides: overrides,
    },
    attributes: { Arn: arn },
    state: new Map<string, Json>([
      ['lastStatus', 'PROVISIONING'],
      ['desiredStatus', 'RUNNING'],
      ['createdAt', now()],
    ]),
  });
  const problem = attach(world, task, network) ?? launchProblem(world, place, definition, network);
  world.later(() => {
    if (task.state.get('lastStatus') === 'STOPPED') return;
    if (problem !== undefined) stopped(world, task, { code: 'TaskFailedToStart', reason: problem });
    else begin(world, task, request);
    request.changed?.(task);
  });
  return task;
}

export interface StopReason {
  /** `stopCode` of ECS's `Task`. */
  readonly code: string;
  readonly reason: string;
}

/** Tells a task to stop. One that runs as a process is over when its process is; any other at once. */
export function stopTask(world: World, task: Resource, why: StopReason): void {
  task.state.set('desiredStatus', 'STOPPED');
  if (task.state.get('stopCode') === undefined) task.state.set('stopCode', why.code);
  if (task.state.get('stoppedReason') === undefined) task.state.set('stoppedReason', why.reason);
  const controller = memoryOf(world).controllers.get(task.id);
  if (controller === undefined) stopped(world, task, why);
  else controller.abort();
}

/** The address that a running task has in its subnet. */
export function addressOfTask(task: Resource): string {
  return requiredText(task.attributes, 'PrivateIpAddress');
}

function attach(world: World, task: Resource, network: TaskNetwork): string | undefined {
  let refusal: Refusal | undefined;
  const used = (subnet: string): number =>
    world
      .all(TASK, task)
      .filter(
        ({ attributes, properties }) =>
          attributes['SubnetId'] === subnet && properties['Group'] === task.properties['Group'],
      ).length;
  // Tasks of a service spread over its Availability Zones.
  const subnets = network.subnets.toSorted((a, b) => used(a) - used(b));
  for (const subnet of subnets) {
    try {
      const { id, attributes } = addInterface(world, task, {
        owner: task.id,
        subnet,
        groups: network.securityGroups,
        description: ecsArn(task, `attachment/${task.id}`),
        public: network.publicAddress,
      });
      task.attributes = {
        ...task.attributes,
        SubnetId: subnet,
        NetworkInterfaceId: id,
        PrivateIpAddress: attributes['PrimaryPrivateIpAddress'] ?? '',
      };
      return undefined;
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      refusal = error;
    }
  }
  return refusal === undefined
    ? undefined
    : `Unexpected EC2 error while attempting to create network interface: ${refusal.code}: ${refusal.message}`;
}

function begin(world: World, task: Resource, request: TaskRequest): void {
  task.state.set('lastStatus', 'RUNNING');
  task.state.set('startedAt', now());
  const { runner } = world;
  if (runner === null || (request.service && runner.runsServices !== true)) return;
  const controller = new AbortController();
  const { controllers } = memoryOf(world);
  controllers.set(task.id, controller);
  const { definition } = request;
  const over = (why: StopReason, exitCodes: Readonly<Record<string, number>>): void => {
    controllers.delete(task.id);
    task.state.set('exitCodes', exitCodes);
    stopped(world, task, why);
    request.changed?.(task);
  };
  runner
    .run({
      account: task.account,
      region: task.region,
      id: task.id,
      family: familyOf(definition.id),
      containers: launches(world, task, request),
      signal: controller.signal,
      log: (container, line) => writeLog(world, task, definition, container, line),
    })
    .then(
      (exitCodes) =>
        over({ code: 'EssentialContainerExited', reason: 'Essential container in task exited' }, exitCodes),
      (error: unknown) =>
        over({ code: 'TaskFailedToStart', reason: `CannotStartContainerError: ${String(error)}` }, {}),
    );
}

function launches(
  world: World,
  task: Resource,
  { definition, overrides = {} }: TaskRequest,
): ContainerLaunch[] {
  const changes = objectsAt(overrides, 'containerOverrides');
  return startOrder(objectsAt(definition.properties, 'ContainerDefinitions')).map((container) => {
    const name = requiredText(container, 'Name');
    const change = changes.find((one) => one['name'] === name) ?? {};
    const command =
      change['command'] === undefined ? textsAt(container, 'Command') : textsAt(change, 'command');
    return {
      name,
      image: requiredText(container, 'Image'),
      command: [...textsAt(container, 'EntryPoint'), ...command],
      environment: {
        ...variables(container, 'Environment', ['Name', 'Value']),
        ...secretsOf(world, task, container),
        ...variables(change, 'environment', ['name', 'value']),
      },
      essential: isEssential(container),
      dependsOn: objectsAt(container, 'DependsOn').map((one) => ({
        container: requiredText(one, 'ContainerName'),
        // Registering the definition has checked it.
        condition: requiredText(one, 'Condition') as ContainerDependency['condition'],
      })),
    };
  });
}

function variables(
  from: Properties,
  list: string,
  [name, value]: readonly [string, string],
): Readonly<Record<string, string>> {
  return Object.fromEntries(
    objectsAt(from, list).map((one) => [requiredText(one, name), requiredText(one, value)]),
  );
}

function writeLog(world: World, task: Resource, definition: Resource, container: string, line: string): void {
  const own = objectsAt(definition.properties, 'ContainerDefinitions').find(
    (one) => one['Name'] === container,
  );
  const target = own && logTargetOf(task, own, task.id);
  if (target === undefined) return;
  // A group that was deleted since swallows what is written: the driver drops it.
  if (world.find(target.place, 'AWS::Logs::LogGroup', target.group) === undefined) return;
  appendLog(world, target.place, target.group, target.stream, line);
}

function stopped(world: World, task: Resource, why: StopReason): void {
  task.state.set('desiredStatus', 'STOPPED');
  task.state.set('lastStatus', 'STOPPED');
  if (task.state.get('stopCode') === undefined) task.state.set('stopCode', why.code);
  if (task.state.get('stoppedReason') === undefined) task.state.set('stoppedReason', why.reason);
  task.state.set('stoppedAt', now());
  removeInterfaces(world, task, task.id);
  world.remove(task);
  memoryOf(world).stopped.push(task);
}
