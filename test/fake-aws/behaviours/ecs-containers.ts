import { Refusal } from '../refusal.ts';
import { type Json, type Properties, isProperties, textAt, textsAt, valueAt } from '../values.ts';
import { flagAt, numberAt, objectsAt, requiredText, scalarText } from './property-values.ts';

// "Amazon ECS task definition parameters for Fargate"
// (https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task_definition_parameters.html), "ContainerDefinition",
// "HealthCheck" in ECS's API reference, "Amazon ECS service quotas".
const CONTAINERS_MAX = 10;
const STOP_SECONDS_MAX = 120;
const START_SECONDS_MIN = 2;
const CONDITIONS = new Set(['COMPLETE', 'HEALTHY', 'START', 'SUCCESS']);
const LOG_DRIVERS = new Set(['awslogs', 'splunk', 'awsfirelens']);
// "LogConfiguration", options, in ECS's API reference: those of awslogs.
const LOG_OPTIONS = new Set([
  'awslogs-create-group',
  'awslogs-datetime-format',
  'awslogs-group',
  'awslogs-multiline-pattern',
  'awslogs-region',
  'awslogs-stream-prefix',
  'max-buffer-size',
  'mode',
]);
const HEALTH_RANGES = {
  Interval: [5, 300],
  Timeout: [2, 120],
  Retries: [1, 10],
  StartPeriod: [0, 300],
} as const;
/** LinuxParameters that Fargate doesn't have. */
const NOT_ON_FARGATE = ['Devices', 'MaxSwap', 'SharedMemorySize', 'Swappiness', 'Tmpfs'];
/** What "awsvpc" leaves no room for, as its parameters say. */
const NOT_ON_AWSVPC: Readonly<Record<string, string>> = {
  Links: 'Links are not supported when networkMode=awsvpc.',
  Hostname: 'Hostname is not supported on container when networkMode=awsvpc.',
  ExtraHosts: 'Extra hosts are not supported when networkMode=awsvpc.',
};

export interface TaskShape {
  readonly fargate: boolean;
  readonly networkMode: string;
  readonly volumes: readonly string[];
}

/** Is the task over when this container is? */
export function isEssential(container: Properties): boolean {
  return flagAt(container, 'Essential') ?? true;
}

/** @throws Refusal `ClientException`, as RegisterTaskDefinition does */
export function checkContainers(containers: readonly Properties[], shape: TaskShape): void {
  if (containers.length === 0) throw client('Container list cannot be empty.');
  if (containers.length > CONTAINERS_MAX) {
    throw client(`Too many containers: a task definition has at most ${CONTAINERS_MAX}.`);
  }
  const names = containers.map((container) => requiredText(container, 'Name'));
  if (new Set(names).size !== names.length) throw client('Container.name should be unique.');
  if (!containers.some((container) => isEssential(container))) {
    throw client('Task definition does not have any essential containers.');
  }
  for (const container of containers) checkContainer(container, containers, shape);
  startOrder(containers);
}

/** Containers in an order in which each comes after those that it depends on. Throws a Refusal where there is none. */
export function startOrder(containers: readonly Properties[]): readonly Properties[] {
  const order: Properties[] = [];
  let left = containers;
  while (left.length > 0) {
    const waiting = new Set(left.map((container) => requiredText(container, 'Name')));
    const free = left.filter((container) => !dependencies(container).some((name) => waiting.has(name)));
    if (free.length === 0) throw client('Container dependencies contain a cycle.');
    order.push(...free);
    left = left.filter((container) => !free.includes(container));
  }
  return order;
}

function dependencies(container: Properties): readonly string[] {
  return objectsAt(container, 'DependsOn').map((one) => requiredText(one, 'ContainerName'));
}

function checkContainer(container: Properties, all: readonly Properties[], shape: TaskShape): void {
  if (!/^[\w-]{1,255}$/u.test(requiredText(container, 'Name'))) {
    throw client('Container.name contains invalid characters.');
  }
  const image = requiredText(container, 'Image');
  if (image === '') throw client('Container.image should not be null or empty.');
  if (!/^[\w./:@-]{1,255}$/u.test(image)) throw client('Container.image contains invalid characters.');
  checkDependencies(container, all);
  checkPorts(container, shape);
  checkEnvironment(container);
  checkHealth(container);
  checkMounts(container, shape);
  checkUlimits(container);
  if (shape.networkMode === 'awsvpc') {
    const wrong = Object.keys(NOT_ON_AWSVPC).find((name) => container[name] !== undefined);
    if (wrong !== undefined) throw client(NOT_ON_AWSVPC[wrong] ?? wrong);
  }
  if (shape.fargate) checkFargate(container);
}

function checkDependencies(container: Properties, all: readonly Properties[]): void {
  for (const dependency of objectsAt(container, 'DependsOn')) {
    const name = requiredText(dependency, 'ContainerName');
    const condition = requiredText(dependency, 'Condition');
    const other = all.find((one) => one['Name'] === name);
    if (other === undefined) throw client(`Container dependency ${name} is not in the task definition.`);
    if (!CONDITIONS.has(condition)) throw client(`Invalid container dependency condition: ${condition}`);
    // "ContainerDependency": COMPLETE and SUCCESS "can't be set on an essential container"; HEALTHY needs health checks.
    if ((condition === 'SUCCESS' || condition === 'COMPLETE') && isEssential(other)) {
      throw client(
        'A dependency container with SUCCESS or COMPLETE condition cannot be an essential container',
      );
    }
    if (condition === 'HEALTHY' && other['HealthCheck'] === undefined) {
      throw client('A dependency container with HEALTHY condition must have a health check');
    }
  }
}

function checkPorts(container: Properties, { networkMode }: TaskShape): void {
  const taken = new Set<string>();
  for (const mapping of objectsAt(container, 'PortMappings')) {
    const port = numberAt(mapping, 'ContainerPort');
    const host = numberAt(mapping, 'HostPort') ?? port;
    if (networkMode === 'awsvpc' && host !== port) {
      throw client(
        'When networkMode=awsvpc, the host ports and container ports in port mappings must match.',
      );
    }
    const key = `${port}/${requiredText(mapping, 'Protocol') || 'tcp'}`;
    if (taken.has(key)) throw client(`Duplicate port mapping: ${key}`);
    taken.add(key);
  }
}

function checkEnvironment(container: Properties): void {
  const names = new Set(objectsAt(container, 'Environment').map((one) => requiredText(one, 'Name')));
  for (const secret of objectsAt(container, 'Secrets')) {
    const name = requiredText(secret, 'Name');
    if (names.has(name)) {
      throw client(
        `The secret name must be unique and not shared with any new or existing environment variables set on the container, such as '${name}'.`,
      );
    }
    names.add(name);
  }
}

function checkHealth(container: Properties): void {
  for (const [name, [least, most]] of Object.entries(HEALTH_RANGES)) {
    const value = numberAt(container, `HealthCheck.${name}`);
    if (value !== undefined && (value < least || value > most)) {
      throw client(`Health check ${name.toLowerCase()} must be between ${least} and ${most}.`);
    }
  }
}

function checkMounts(container: Properties, { volumes }: TaskShape): void {
  for (const mount of objectsAt(container, 'MountPoints')) {
    const name = requiredText(mount, 'SourceVolume');
    if (!volumes.includes(name)) throw client(`Unknown volume '${name}'.`);
  }
}

function checkUlimits(container: Properties): void {
  for (const limit of objectsAt(container, 'Ulimits')) {
    if ((numberAt(limit, 'SoftLimit') ?? 0) > (numberAt(limit, 'HardLimit') ?? 0)) {
      throw client(`Ulimit ${requiredText(limit, 'Name')}: soft limit must not exceed hard limit.`);
    }
  }
}

function checkFargate(container: Properties): void {
  const name = requiredText(container, 'Name');
  if (flagAt(container, 'Privileged') === true) {
    throw client('Fargate compatible task definitions do not support privileged containers.');
  }
  const wrong = NOT_ON_FARGATE.find((one) => valueAt(container, `LinuxParameters.${one}`) !== undefined);
  if (wrong !== undefined) {
    const word = wrong.charAt(0).toLowerCase() + wrong.slice(1);
    throw client(`Fargate compatible task definitions do not support ${word}`);
  }
  // "KernelCapabilities": "For tasks that use the Fargate launch type, … add" takes SYS_PTRACE alone.
  if (textsAt(container, 'LinuxParameters.Capabilities.Add').some((one) => one !== 'SYS_PTRACE')) {
    throw client('Fargate compatible task definitions do not support adding capabilities except SYS_PTRACE.');
  }
  if ((numberAt(container, 'StopTimeout') ?? 0) > STOP_SECONDS_MAX) {
    throw client(`Container '${name}': stopTimeout must be at most ${STOP_SECONDS_MAX} seconds on Fargate.`);
  }
  if ((numberAt(container, 'StartTimeout') ?? START_SECONDS_MIN) < START_SECONDS_MIN) {
    throw client(`Container '${name}': startTimeout must be at least ${START_SECONDS_MIN} seconds.`);
  }
  checkLogs(container);
}

function checkLogs(container: Properties): void {
  if (container['LogConfiguration'] === undefined) return;
  const driver = requiredText(container, 'LogConfiguration.LogDriver');
  if (!LOG_DRIVERS.has(driver)) {
    throw client(`Fargate only supports log drivers ${[...LOG_DRIVERS].join(', ')}; not '${driver}'.`);
  }
  if (driver !== 'awslogs') return;
  // "Use the awslogs log driver": the prefix is required on Fargate.
  const missing = ['awslogs-region', 'awslogs-group', 'awslogs-stream-prefix'].filter(
    (option) => valueAt(container, `LogConfiguration.Options.${option}`) === undefined,
  );
  if (missing.length > 0) throw client(`Log driver awslogs requires options: ${missing.join(', ')}`);
  checkLogOptions(valueAt(container, 'LogConfiguration.Options'));
}

/** The first sentence is ECS's own: aws/amazon-ecs-agent issue 872. */
function checkLogOptions(options: Json | undefined): void {
  if (!isProperties(options)) return;
  const unknown = Object.keys(options).filter((name) => !LOG_OPTIONS.has(name));
  if (unknown.length > 0) throw client(`Log driver awslogs disallows options: ${unknown.join(', ')}`);
  const mode = textAt(options, 'mode') ?? 'blocking';
  if (mode !== 'blocking' && mode !== 'non-blocking') {
    throw client(`Log driver awslogs option mode must be blocking or non-blocking; not '${mode}'.`);
  }
  // A number with or without a unit, as Docker takes sizes.
  const size = scalarText(options['max-buffer-size'] ?? '1m');
  if (!/^[1-9]\d*(?:b|[kmg]b?)?$/iu.test(size)) {
    throw client(`Log driver awslogs option max-buffer-size is not a size: '${size}'.`);
  }
}

export function client(sentence: string): Refusal {
  return new Refusal('ClientException', sentence);
}
