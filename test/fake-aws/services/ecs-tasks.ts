import { checkNetwork, runnableDefinition, wrong } from '../behaviours/ecs-service-checks.ts';
import { containerNames } from '../behaviours/ecs-launch.ts';
import { TASK, existingCluster, familyOf, lastPart, memoryOf } from '../behaviours/ecs-lookups.ts';
import type { TaskNetwork } from '../behaviours/ecs-reach.ts';
import { startTask, stopTask } from '../behaviours/ecs-tasks.ts';
import { numberAt, objectsAt, requiredText } from '../behaviours/property-values.ts';
import type { Answer, Call } from '../call.ts';
import { type Properties, isProperties, textAt, textsAt, valueAt } from '../values.ts';
import type { Resource, World } from '../world.ts';
import { taskShape } from './ecs-shapes.ts';
import { page } from './pages.ts';

// RunTask (https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_RunTask.html).
const RUN_MAX = 10;

/** Starts tasks that no service owns. What keeps one from starting is in its `stoppedReason`; the call itself succeeds. */
export function runTask({ world, account, region, input }: Call): Answer {
  const place = { account, region };
  const cluster = existingCluster(world, place, textAt(input, 'cluster'));
  const launchType = launchTypeOf(input);
  const name = requiredText(input, 'taskDefinition');
  if (name === '') throw wrong('TaskDefinition can not be blank.');
  const definition = runnableDefinition(world, place, name, launchType);
  const network = networkOf(input);
  checkNetwork(world, place, definition, network);
  const count = numberAt(input, 'count') ?? 1;
  if (count < 1 || count > RUN_MAX) throw wrong(`count must be between 1 and ${RUN_MAX}.`);
  const overrides = valueAt(input, 'overrides');
  const changed = isProperties(overrides) ? overrides : {};
  checkOverrides(definition, changed);
  const tasks = Array.from({ length: count }, () =>
    startTask(world, place, {
      definition,
      cluster: cluster.id,
      network: network ?? { subnets: [], securityGroups: [], publicAddress: false },
      group: textAt(input, 'group') ?? `family:${familyOf(definition.id)}`,
      startedBy: textAt(input, 'startedBy') ?? '',
      launchType,
      overrides: changed,
      service: false,
    }),
  );
  return { result: { tasks: tasks.map((task) => taskShape(world, task)), failures: [] } };
}

export function describeTasks({ world, account, region, input }: Call): Answer {
  const cluster = existingCluster(world, { account, region }, textAt(input, 'cluster'));
  const wanted = textsAt(input, 'tasks');
  if (wanted.length === 0) throw wrong('Tasks cannot be empty.');
  const all = tasksIn(world, cluster);
  const found = wanted.map((one) => all.find(({ id }) => id === lastPart(one)));
  return {
    result: {
      tasks: found.flatMap((task) => (task === undefined ? [] : [taskShape(world, task)])),
      failures: wanted.flatMap((arn, index) =>
        found[index] === undefined ? [{ arn, reason: 'MISSING' }] : [],
      ),
    },
  };
}

export function listTasks({ world, account, region, input }: Call): Answer {
  const cluster = existingCluster(world, { account, region }, textAt(input, 'cluster'));
  const service = textAt(input, 'serviceName');
  const family = textAt(input, 'family');
  const startedBy = textAt(input, 'startedBy');
  const desired = textAt(input, 'desiredStatus') ?? 'RUNNING';
  const arns = tasksIn(world, cluster)
    .filter(
      ({ properties, state }) =>
        state.get('desiredStatus') === desired &&
        (service === undefined || properties['Group'] === `service:${lastPart(service)}`) &&
        (family === undefined || familyOf(requiredText(properties, 'TaskDefinition')) === family) &&
        (startedBy === undefined || properties['StartedBy'] === startedBy),
    )
    .map(({ attributes }) => requiredText(attributes, 'Arn'));
  return { result: page(input, 'taskArns', arns) };
}

export function stop({ world, account, region, input }: Call): Answer {
  const cluster = existingCluster(world, { account, region }, textAt(input, 'cluster'));
  const id = lastPart(requiredText(input, 'task'));
  const task = tasksIn(world, cluster).find((one) => one.id === id);
  if (task === undefined) throw wrong('The referenced task was not found.');
  if (task.state.get('lastStatus') !== 'STOPPED') {
    stopTask(world, task, {
      code: 'UserInitiated',
      reason: textAt(input, 'reason') ?? 'Task stopped by user',
    });
  }
  return { result: { task: taskShape(world, task) } };
}

/** Running and stopped ones. */
function tasksIn(world: World, cluster: Resource): readonly Resource[] {
  return [...world.all(TASK), ...memoryOf(world).stopped].filter(
    ({ properties, account, region }) =>
      properties['Cluster'] === cluster.id && account === cluster.account && region === cluster.region,
  );
}

function launchTypeOf(input: Properties): string {
  const provider = objectsAt(input, 'capacityProviderStrategy')[0]?.['capacityProvider'];
  const isFargate = typeof provider === 'string' && provider.startsWith('FARGATE');
  return textAt(input, 'launchType') ?? (isFargate ? 'FARGATE' : 'EC2');
}

function networkOf(input: Properties): TaskNetwork | undefined {
  const network = valueAt(input, 'networkConfiguration.awsvpcConfiguration');
  if (!isProperties(network)) return undefined;
  return {
    subnets: textsAt(network, 'subnets'),
    securityGroups: textsAt(network, 'securityGroups'),
    publicAddress: network['assignPublicIp'] === 'ENABLED',
  };
}

function checkOverrides(definition: Resource, overrides: Properties): void {
  const names = containerNames(definition);
  for (const override of objectsAt(overrides, 'containerOverrides')) {
    const name = requiredText(override, 'name');
    if (names.includes(name)) continue;
    throw wrong(`Override for container named ${name} is not a container in the TaskDefinition.`);
  }
}
