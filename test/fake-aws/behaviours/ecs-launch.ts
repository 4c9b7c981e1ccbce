import { type Place, type Properties, isProperties, textAt, textsAt } from '../values.ts';
import type { Resource, World } from '../world.ts';
import { imageAddress, pullProblem, registryOf } from './ecs-images.ts';
import { type TaskNetwork, reachesInternet, reachesService } from './ecs-reach.ts';
import { SecretProblem, secretsOf } from './ecs-secrets.ts';
import { roleWithArn, trusts } from './iam-lookups.ts';
import { flagAt, objectsAt, requiredText } from './property-values.ts';

const LOG_GROUP = 'AWS::Logs::LogGroup';

/** Where a container's lines go. */
export interface LogTarget {
  readonly place: Place;
  readonly group: string;
  readonly stream: string;
}

/**
 * Why a task can't start, in ECS's words, or undefined where it can. AWS accepts the task definition all the same and says this in the
 * task's `stoppedReason`. What the execution role's policy allows isn't evaluated.
 * Source: "Amazon ECS stopped tasks error messages"
 * (https://docs.aws.amazon.com/AmazonECS/latest/developerguide/stopped-task-error-codes.html).
 */
export function launchProblem(
  world: World,
  place: Place,
  definition: Resource,
  network: TaskNetwork,
): string | undefined {
  const { properties } = definition;
  const containers = objectsAt(properties, 'ContainerDefinitions');
  const path = pathOf(world, place, network);
  const architecture = textAt(properties, 'RuntimePlatform.CpuArchitecture') ?? 'X86_64';
  return (
    roleProblem(world, properties) ??
    first(containers, (container) => secretProblem(world, place, container, path)) ??
    first(containers, (container) =>
      imageProblem(world, requiredText(container, 'Image'), architecture, path),
    ) ??
    first(containers, (container) => logProblem(world, place, container, path))
  );
}

/** The stream that a container's `awslogs` driver writes; undefined for containers without one. */
export function logTargetOf(place: Place, container: Properties, task: string): LogTarget | undefined {
  const configuration = container['LogConfiguration'];
  if (!isProperties(configuration) || configuration['LogDriver'] !== 'awslogs') return undefined;
  const options = isProperties(configuration['Options']) ? configuration['Options'] : {};
  return {
    place: { account: place.account, region: requiredText(options, 'awslogs-region') },
    group: requiredText(options, 'awslogs-group'),
    stream: `${requiredText(options, 'awslogs-stream-prefix')}/${requiredText(container, 'Name')}/${task}`,
  };
}

/** What a task reaches from the subnet that it may get; it must work from every one. */
interface Path {
  readonly internet: boolean;
  /** Does an endpoint lead to this service of the region? */
  service(name: string): boolean;
  readonly region: string;
}

function pathOf(world: World, place: Place, network: TaskNetwork): Path {
  const { subnets, publicAddress } = network;
  const internet = subnets.every((subnet) => reachesInternet(world, place, subnet, publicAddress));
  return {
    internet,
    service: (name) => internet || subnets.every((subnet) => reachesService(world, place, subnet, name)),
    region: place.region,
  };
}

function roleProblem(world: World, definition: Properties): string | undefined {
  for (const name of ['ExecutionRoleArn', 'TaskRoleArn']) {
    const arn = textAt(definition, name);
    if (arn === undefined) continue;
    const role = roleWithArn(world, arn);
    if (role === undefined || !trusts(role, 'ecs-tasks.amazonaws.com')) {
      return `ECS was unable to assume the role '${arn}' that was provided for this task. Please verify that the role being passed has the proper trust relationship and permissions and that your IAM user has permissions to pass this role.`;
    }
  }
  return undefined;
}

function secretProblem(world: World, place: Place, container: Properties, path: Path): string | undefined {
  try {
    secretsOf(world, place, container);
  } catch (error) {
    if (error instanceof SecretProblem) return error.message;
    throw error;
  }
  const services = objectsAt(container, 'Secrets').map((one) =>
    requiredText(one, 'ValueFrom').startsWith('arn:aws:secretsmanager:') ? 'secretsmanager' : 'ssm',
  );
  const missing = services.find((service) => !path.service(service));
  return missing === undefined
    ? undefined
    : `ResourceInitializationError: unable to pull secrets or registry auth: unable to retrieve secret from ${missing}: There is a connection issue between the task and ${missing}. Check your task network configuration.`;
}

function imageProblem(world: World, image: string, architecture: string, path: Path): string | undefined {
  const address = imageAddress(image);
  if (address === undefined) {
    // What other registries hold isn't known here: what is reached is there.
    return path.internet
      ? undefined
      : `CannotPullContainerError: The task cannot pull ${image} from the registry ${registryOf(image)}. There is a connection issue between the task and the registry. Check your task network configuration.`;
  }
  const inRegion = address.region === path.region;
  const reached =
    path.internet || (inRegion && ['ecr.api', 'ecr.dkr', 's3'].every((name) => path.service(name)));
  if (!reached) {
    return `ResourceInitializationError: unable to pull secrets or registry auth: The task cannot pull registry auth from Amazon ECR: There is a connection issue between the task and Amazon ECR. Check your task network configuration. (image ${image})`;
  }
  return pullProblem(world, image, architecture);
}

function logProblem(world: World, place: Place, container: Properties, path: Path): string | undefined {
  const target = logTargetOf(place, container, '');
  if (target === undefined) return undefined;
  const prefix =
    'ResourceInitializationError: failed to validate logger args: create stream has been retried 1 times: failed to create Cloudwatch log stream:';
  if (!path.service('logs')) {
    return `${prefix} There is a connection issue between the task and CloudWatch. Check your network configuration.`;
  }
  if (world.find(target.place, LOG_GROUP, target.group) !== undefined) return undefined;
  if (flagAt(container, 'LogConfiguration.Options.awslogs-create-group') === true) {
    world.add({
      ...target.place,
      type: LOG_GROUP,
      id: target.group,
      properties: { LogGroupName: target.group },
      attributes: {
        Arn: `arn:aws:logs:${target.place.region}:${target.place.account}:log-group:${target.group}:*`,
      },
      stack: null,
    });
    return undefined;
  }
  return `${prefix} ResourceNotFoundException: The specified log group does not exist. (${target.group})`;
}

function first<T>(all: readonly T[], problemOf: (one: T) => string | undefined): string | undefined {
  for (const one of all) {
    const problem = problemOf(one);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

/** Names of the containers of a task definition. */
export function containerNames(definition: Resource): readonly string[] {
  return objectsAt(definition.properties, 'ContainerDefinitions').map((one) => requiredText(one, 'Name'));
}

/** A task's network as `AwsvpcConfiguration` of a template gives it. */
export function networkOf(configuration: Properties): TaskNetwork {
  return {
    subnets: textsAt(configuration, 'Subnets'),
    securityGroups: textsAt(configuration, 'SecurityGroups'),
    publicAddress: configuration['AssignPublicIp'] === 'ENABLED',
  };
}
