import { deploymentsOf, desiredCountOf, loadBalancers, serviceTasks } from '../behaviours/ecs-deployments.ts';
import {
  ecsArn,
  familyOf,
  findTaskDefinition,
  memoryOf,
  revisionOf,
  servicesOf,
  stateList,
  stateText,
  tasksOf,
} from '../behaviours/ecs-lookups.ts';
import { numberAt, objectsAt, requiredText } from '../behaviours/property-values.ts';
import { type Json, type Properties, isProperties, textAt } from '../values.ts';
import type { Resource, World } from '../world.ts';

/** Maps whose keys are a caller's own. */
const OWN_KEYS = new Set(['Options', 'DockerLabels', 'DriverOpts', 'Labels']);
const PLATFORM_VERSION = '1.4.0';

/** A template's `PascalCase` as ECS's API has it: `camelCase`, except for the keys of maps. */
export function camelCased(value: Json): Json {
  // A list stays a list.
  if (Array.isArray(value)) return (value as readonly Json[]).map((entry) => camelCased(entry));
  if (!isProperties(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, entry]) => [
      name.charAt(0).toLowerCase() + name.slice(1),
      OWN_KEYS.has(name) ? entry : camelCased(entry),
    ]),
  );
}

/** ECS's `Cluster`. */
export function clusterShape(world: World, cluster: Resource): Properties {
  const tasks = tasksOf(world, cluster, cluster.id);
  const inStatus = (wanted: (status: string) => boolean): number =>
    tasks.filter((task) => wanted(stateText(task, 'lastStatus'))).length;
  return {
    clusterArn: requiredText(cluster.attributes, 'Arn'),
    clusterName: cluster.id,
    status: 'ACTIVE',
    registeredContainerInstancesCount: 0,
    runningTasksCount: inStatus((status) => status === 'RUNNING'),
    pendingTasksCount: inStatus((status) => status === 'PROVISIONING' || status === 'PENDING'),
    activeServicesCount: servicesOf(world, cluster, cluster.id).length,
    statistics: [],
    settings: camelCased(objectsAt(cluster.properties, 'ClusterSettings')),
    capacityProviders: cluster.properties['CapacityProviders'] ?? [],
    defaultCapacityProviderStrategy: [],
    tags: camelCased(objectsAt(cluster.properties, 'Tags')),
  };
}

/** ECS's `TaskDefinition`. */
export function definitionShape(world: World, definition: Resource): Properties {
  const { Tags: _tags, ContainerDefinitions: _containers, ...rest } = definition.properties;
  const converted = camelCased(rest);
  return {
    ...(isProperties(converted) ? converted : {}),
    taskDefinitionArn: definition.id,
    family: familyOf(definition.id),
    revision: revisionOf(definition.id),
    status: memoryOf(world).inactive.has(definition.id) ? 'INACTIVE' : 'ACTIVE',
    compatibilities: ['EC2', 'FARGATE'],
    containerDefinitions: objectsAt(definition.properties, 'ContainerDefinitions').map((container) => {
      const shape = camelCased(container);
      return {
        cpu: 0,
        environment: [],
        mountPoints: [],
        volumesFrom: [],
        essential: true,
        ...(isProperties(shape) ? shape : {}),
      };
    }),
    volumes: camelCased(objectsAt(definition.properties, 'Volumes')),
  };
}

/** ECS's `Service`. */
export function serviceShape(world: World, service: Resource): Properties {
  const { properties, attributes } = service;
  const cluster = stateText(service, 'cluster');
  const tasks = serviceTasks(world, service);
  const counts = (startedBy?: string): Properties => {
    const own = tasks.filter((task) => startedBy === undefined || task.properties['StartedBy'] === startedBy);
    const running = own.filter((task) => stateText(task, 'lastStatus') === 'RUNNING').length;
    return { runningCount: running, pendingCount: own.length - running };
  };
  const launchType = textAt(properties, 'LaunchType');
  return {
    serviceArn: service.id,
    serviceName: requiredText(attributes, 'Name'),
    clusterArn: ecsArn(service, `cluster/${cluster}`),
    status: 'ACTIVE',
    desiredCount: desiredCountOf(service),
    ...counts(),
    ...(launchType === undefined ? {} : { launchType }),
    platformVersion: PLATFORM_VERSION,
    platformFamily: 'Linux',
    taskDefinition: stateText(service, 'taskDefinition'),
    deploymentConfiguration: camelCased(service.state.get('deploymentConfiguration') ?? {}),
    deployments: deploymentsOf(service).map((deployment) => ({
      id: deployment.id,
      status: deployment.status,
      taskDefinition: deployment.taskDefinition,
      desiredCount: deployment.status === 'PRIMARY' ? desiredCountOf(service) : 0,
      ...counts(deployment.id),
      failedTasks: deployment.failedTasks,
      createdAt: deployment.createdAt,
      updatedAt: deployment.createdAt,
      rolloutState: deployment.rolloutState,
      rolloutStateReason: deployment.rolloutStateReason,
      ...(launchType === undefined ? {} : { launchType }),
    })),
    networkConfiguration: { awsvpcConfiguration: camelCased(service.state.get('network') ?? {}) },
    loadBalancers: camelCased(loadBalancers(service)),
    serviceRegistries: [],
    events: stateList(service, 'events'),
    createdAt: service.state.get('createdAt') ?? 0,
    healthCheckGracePeriodSeconds: numberAt(properties, 'HealthCheckGracePeriodSeconds') ?? 0,
    schedulingStrategy: textAt(properties, 'SchedulingStrategy') ?? 'REPLICA',
    enableECSManagedTags: properties['EnableECSManagedTags'] ?? false,
    enableExecuteCommand: properties['EnableExecuteCommand'] ?? false,
    propagateTags: textAt(properties, 'PropagateTags') ?? 'NONE',
    tags: camelCased(objectsAt(properties, 'Tags')),
  };
}

/** ECS's `Task`. */
export function taskShape(world: World, task: Resource): Properties {
  const { properties, attributes, state } = task;
  const arn = requiredText(attributes, 'Arn');
  const definition = findTaskDefinition(world, task, requiredText(properties, 'TaskDefinition'));
  const own = definition?.properties ?? {};
  const times = ['createdAt', 'startedAt', 'stoppedAt', 'stopCode', 'stoppedReason'].flatMap((name) => {
    const value = state.get(name);
    return value === undefined ? [] : [[name, value] as const];
  });
  return {
    taskArn: arn,
    clusterArn: ecsArn(task, `cluster/${requiredText(properties, 'Cluster')}`),
    taskDefinitionArn: requiredText(properties, 'TaskDefinition'),
    group: requiredText(properties, 'Group'),
    startedBy: requiredText(properties, 'StartedBy'),
    launchType: requiredText(properties, 'LaunchType'),
    lastStatus: stateText(task, 'lastStatus'),
    desiredStatus: stateText(task, 'desiredStatus'),
    ...Object.fromEntries(times),
    cpu: textAt(own, 'Cpu') ?? '0',
    memory: textAt(own, 'Memory') ?? '0',
    platformVersion: PLATFORM_VERSION,
    platformFamily: 'Linux',
    connectivity: 'CONNECTED',
    version: 1,
    overrides: properties['Overrides'] ?? {},
    attachments: [attachmentShape(task)],
    containers: objectsAt(own, 'ContainerDefinitions').map((container) =>
      containerShape(task, arn, container),
    ),
    tags: [],
  };
}

function attachmentShape(task: Resource): Properties {
  const details = {
    subnetId: 'SubnetId',
    networkInterfaceId: 'NetworkInterfaceId',
    privateIPv4Address: 'PrivateIpAddress',
  };
  return {
    id: task.id,
    type: 'ElasticNetworkInterface',
    status: stateText(task, 'lastStatus') === 'STOPPED' ? 'DELETED' : 'ATTACHED',
    details: Object.entries(details).map(([name, attribute]) => ({
      name,
      value: requiredText(task.attributes, attribute),
    })),
  };
}

function containerShape(task: Resource, taskArn: string, container: Properties): Properties {
  const name = requiredText(container, 'Name');
  const codes = task.state.get('exitCodes');
  const exitCode = isProperties(codes) ? codes[name] : undefined;
  const failed = stateText(task, 'stopCode') === 'TaskFailedToStart';
  return {
    containerArn: `${taskArn.replace(':task/', ':container/')}/${name}`,
    taskArn,
    name,
    image: requiredText(container, 'Image'),
    // One that is over before its task is isn't told apart.
    lastStatus: stateText(task, 'lastStatus'),
    networkInterfaces: [],
    ...(exitCode === undefined ? {} : { exitCode }),
    ...(failed ? { reason: stateText(task, 'stoppedReason') } : {}),
  };
}
