import {
  CLUSTER,
  existingCluster,
  findCluster,
  findService,
  findTaskDefinition,
  lastPart,
  servicesOf,
} from '../behaviours/ecs-lookups.ts';
import { wrong } from '../behaviours/ecs-service-checks.ts';
import { updateService } from '../behaviours/ecs-service.ts';
import { flagAt, numberAt, objectsAt, requiredText } from '../behaviours/property-values.ts';
import type { Answer, Call, Service } from '../call.ts';
import { Refusal } from '../refusal.ts';
import { textAt, textsAt } from '../values.ts';
import { camelCased, clusterShape, definitionShape, serviceShape } from './ecs-shapes.ts';
import { describeTasks, listTasks, runTask, stop } from './ecs-tasks.ts';
import { page } from './pages.ts';

// DescribeServices and DescribeClusters.
const SERVICES_MAX = 10;
const DESIRED_MAX = 5000;

/**
 * Amazon ECS, API version 2014-11-13, in JSON 1.1 (https://docs.aws.amazon.com/AmazonECS/latest/APIReference/): what runs and operates
 * tasks. Clusters, services and task definitions are made by CloudFormation.
 */
export const ECS: Service = {
  signingName: 'ecs',
  protocol: 'json',
  actions: {
    DescribeClusters: describeClusters,
    DescribeServices: describeServices,
    DescribeTaskDefinition: describeTaskDefinition,
    DescribeTasks: describeTasks,
    ListClusters: listClusters,
    ListServices: listServices,
    ListTasks: listTasks,
    RunTask: runTask,
    StopTask: stop,
    UpdateService: update,
  },
};

function describeClusters({ world, account, region, input }: Call): Answer {
  const names = textsAt(input, 'clusters');
  const wanted = names.length === 0 ? ['default'] : names;
  const found = wanted.map((name) => findCluster(world, { account, region }, name));
  return {
    result: {
      clusters: found.flatMap((cluster) => (cluster === undefined ? [] : [clusterShape(world, cluster)])),
      failures: wanted.flatMap((name, index) =>
        found[index] === undefined
          ? [{ arn: `arn:aws:ecs:${region}:${account}:cluster/${lastPart(name)}`, reason: 'MISSING' }]
          : [],
      ),
    },
  };
}

function listClusters({ world, account, region, input }: Call): Answer {
  const clusters = world.all(CLUSTER, { account, region });
  return {
    result: page(
      input,
      'clusterArns',
      clusters.map(({ attributes }) => requiredText(attributes, 'Arn')),
    ),
  };
}

function describeServices({ world, account, region, input }: Call): Answer {
  const place = { account, region };
  const cluster = existingCluster(world, place, textAt(input, 'cluster')).id;
  const wanted = textsAt(input, 'services');
  if (wanted.length === 0) throw wrong('Services cannot be empty.');
  if (wanted.length > SERVICES_MAX) throw wrong(`Services cannot contain more than ${SERVICES_MAX} items.`);
  const found = wanted.map((name) => findService(world, place, cluster, name));
  return {
    result: {
      services: found.flatMap((service) => (service === undefined ? [] : [serviceShape(world, service)])),
      failures: wanted.flatMap((name, index) =>
        found[index] === undefined
          ? [
              {
                arn: `arn:aws:ecs:${region}:${account}:service/${cluster}/${lastPart(name)}`,
                reason: 'MISSING',
              },
            ]
          : [],
      ),
    },
  };
}

function listServices({ world, account, region, input }: Call): Answer {
  const place = { account, region };
  const cluster = existingCluster(world, place, textAt(input, 'cluster')).id;
  return {
    result: page(
      input,
      'serviceArns',
      servicesOf(world, place, cluster).map(({ id }) => id),
    ),
  };
}

function update({ world, account, region, input }: Call): Answer {
  const place = { account, region };
  const cluster = existingCluster(world, place, textAt(input, 'cluster')).id;
  const service = findService(world, place, cluster, requiredText(input, 'service'));
  if (service === undefined) throw new Refusal('ServiceNotFoundException', 'Service not found.');
  const desiredCount = numberAt(input, 'desiredCount');
  if (desiredCount !== undefined && (desiredCount < 0 || desiredCount > DESIRED_MAX)) {
    throw wrong(`desiredCount must be between 0 and ${DESIRED_MAX}.`);
  }
  const taskDefinition = textAt(input, 'taskDefinition');
  updateService(world, service, {
    ...(desiredCount === undefined ? {} : { desiredCount }),
    ...(taskDefinition === undefined ? {} : { taskDefinition }),
    force: flagAt(input, 'forceNewDeployment') ?? false,
  });
  return { result: { service: serviceShape(world, service) } };
}

function describeTaskDefinition({ world, account, region, input }: Call): Answer {
  const name = requiredText(input, 'taskDefinition');
  const definition = findTaskDefinition(world, { account, region }, name);
  if (definition === undefined) throw new Refusal('ClientException', 'Unable to describe task definition.');
  const withTags = textsAt(input, 'include').includes('TAGS');
  return {
    result: {
      taskDefinition: definitionShape(world, definition),
      ...(withTags ? { tags: camelCased(objectsAt(definition.properties, 'Tags')) } : {}),
    },
  };
}
