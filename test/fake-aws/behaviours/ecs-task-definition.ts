import type { Behaviour } from '../behaviour.ts';
import { physicalName } from '../cloudformation/names.ts';
import { type Properties, textAt, textsAt, valueAt } from '../values.ts';
import { checkContainers, client } from './ecs-containers.ts';
import { imageAddress } from './ecs-images.ts';
import { TASK_DEFINITION, ecsArn, memoryOf } from './ecs-lookups.ts';
import { numberAt, objectsAt, requiredText } from './property-values.ts';

const FAMILY_MAX = 255;
const BYTES_MAX = 65_536;
const STORAGE_GIB = [21, 200] as const;
const MIB = 1024;

// "Task CPU and memory" (https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-tasks-services.html), in CPU units and MiB:
// least, most, step. Those of 32 vCPU are believed.
const FARGATE_SIZES: Readonly<Record<number, readonly [number, number, number]>> = {
  512: [1024, 4 * MIB, MIB],
  1024: [2048, 8 * MIB, MIB],
  2048: [4096, 16 * MIB, MIB],
  4096: [8192, 30 * MIB, MIB],
  8192: [16_384, 60 * MIB, 4 * MIB],
  16_384: [32_768, 120 * MIB, 8 * MIB],
  32_768: [60 * MIB, 244 * MIB, 4 * MIB],
};
const SMALLEST: readonly number[] = [512, 1024, 2048];

/**
 * https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-ecs-taskdefinition.html and ECS's
 * RegisterTaskDefinition. Whether images, secrets, log groups and roles are there is asked when a task starts, as in AWS.
 */
export const taskDefinition: Behaviour = {
  type: TASK_DEFINITION,

  create(context, properties) {
    const { world, place } = context;
    const family = textAt(properties, 'Family') ?? physicalName(context, FAMILY_MAX);
    if (!/^[\w-]{1,255}$/u.test(family)) throw client('Family contains invalid characters.');
    checkDefinition(properties);
    const { revisions } = memoryOf(world);
    const key = `${place.account}/${place.region}/${family}`;
    const revision = (revisions.get(key) ?? 0) + 1;
    revisions.set(key, revision);
    const arn = ecsArn(place, `task-definition/${family}:${revision}`);
    return { id: arn, attributes: { TaskDefinitionArn: arn } };
  },

  // DeregisterTaskDefinition: "Existing tasks and services that reference an INACTIVE task definition continue to run without disruption."
  remove({ world }, resource) {
    memoryOf(world).inactive.set(resource.id, resource);
  },
};

/** Must it run on Fargate? */
function isFargate(definition: Properties): boolean {
  return textsAt(definition, 'RequiresCompatibilities').includes('FARGATE');
}

function checkDefinition(properties: Properties): void {
  const length = Buffer.byteLength(JSON.stringify(properties));
  if (length > BYTES_MAX) {
    throw client(`Actual length: '${length}'. Max allowed length is '${BYTES_MAX}' bytes.`);
  }
  const fargate = isFargate(properties);
  const networkMode = textAt(properties, 'NetworkMode') ?? 'bridge';
  const volumes = objectsAt(properties, 'Volumes');
  const containers = objectsAt(properties, 'ContainerDefinitions');
  for (const role of ['TaskRoleArn', 'ExecutionRoleArn']) {
    const arn = textAt(properties, role);
    if (arn !== undefined && !/^arn:aws[a-z-]*:iam::\d{12}:role\/.+/u.test(arn)) {
      throw client('Role is not valid');
    }
  }
  if (fargate) checkFargate(properties, networkMode);
  checkContainers(containers, {
    fargate,
    networkMode,
    volumes: volumes.map((volume) => requiredText(volume, 'Name')),
  });
  if (fargate) checkExecutionRole(properties, containers);
}

function checkFargate(properties: Properties, networkMode: string): void {
  if (networkMode !== 'awsvpc') throw client("Fargate only supports network mode 'awsvpc'.");
  const cpu = cpuUnits(requiredText(properties, 'Cpu'));
  const memory = memoryMib(requiredText(properties, 'Memory'));
  if (Number.isNaN(cpu)) throw client("Fargate requires that 'cpu' be defined at the task level.");
  if (Number.isNaN(memory)) throw client("Fargate requires that 'memory' be defined at the task level.");
  if (!isFargateSize(cpu, memory)) {
    throw client(
      `No Fargate configuration exists for given values: ${cpu} CPU, ${memory} memory. See the Amazon ECS documentation for the valid values.`,
    );
  }
  const storage = numberAt(properties, 'EphemeralStorage.SizeInGiB');
  if (storage !== undefined && (storage < STORAGE_GIB[0] || storage > STORAGE_GIB[1])) {
    throw client(`Ephemeral storage size must be between ${STORAGE_GIB.join(' and ')} GiB.`);
  }
  for (const volume of objectsAt(properties, 'Volumes')) {
    if (valueAt(volume, 'Host.SourcePath') !== undefined) {
      throw client('host.sourcePath should not be set for volumes in Fargate.');
    }
    if (volume['DockerVolumeConfiguration'] !== undefined) {
      throw client('Fargate compatible task definitions do not support dockerVolumeConfiguration.');
    }
  }
}

function checkExecutionRole(properties: Properties, containers: readonly Properties[]): void {
  if (properties['ExecutionRoleArn'] !== undefined) return;
  const needs = (what: string): never => {
    throw client(`Fargate requires task definition to have execution role ARN to support ${what}.`);
  };
  for (const container of containers) {
    if (imageAddress(requiredText(container, 'Image')) !== undefined) needs('ECR images');
    if (textAt(container, 'LogConfiguration.LogDriver') === 'awslogs') needs('log driver awslogs');
    if (objectsAt(container, 'Secrets').length > 0) needs('secrets');
  }
}

function isFargateSize(cpu: number, memory: number): boolean {
  if (cpu === 256) return SMALLEST.includes(memory);
  const size = FARGATE_SIZES[cpu];
  if (size === undefined) return false;
  const [least, most, step] = size;
  return memory >= least && memory <= most && (memory - least) % step === 0;
}

/** `1024`, `1 vCPU` and `1vcpu` are the same. */
function cpuUnits(text: string): number {
  const [, vcpu] = /^([\d.]+)\s*vcpu$/iu.exec(text) ?? [];
  return vcpu === undefined ? numberIn(text) : Number(vcpu) * MIB;
}

/** `2048`, `2 GB` and `2GB` are the same. */
function memoryMib(text: string): number {
  const [, gib] = /^([\d.]+)\s*gb$/iu.exec(text) ?? [];
  return gib === undefined ? numberIn(text) : Number(gib) * MIB;
}

function numberIn(text: string): number {
  return /^\d+$/u.test(text) ? Number(text) : Number.NaN;
}
