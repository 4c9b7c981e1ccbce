import { aws_ecs as ecs, type aws_logs as logs, Duration, Size } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import type { RegionSize } from '../../topology/types.ts';
import { PORTS } from '../names.ts';
import { STOP_TIMEOUT_S } from '../task-environment.ts';
import type { TaskRoles } from './task-roles.ts';

/** Of the container that targets are registered for. */
export const SERVICE_CONTAINER = 'service';
/** Of a one-off task; docs/OPERATIONS.md says how to run it. */
const ONE_OFF_CONTAINER = 'command';
/** The migrator gives up by itself after 100 s (KEYHEARTH_PREPARE_MS) and says why. */
const MIGRATOR_TIMEOUT = Duration.seconds(120);
const UNPRIVILEGED_USER = '1000:1000';
const OPEN_FILES = 65_535;
/**
 * Lines wait here while CloudWatch can't take them, then they are lost. The other way, a full pipe would stop the process: then a fault
 * of CloudWatch, which no verification needs, would stop all of them.
 */
const LOG_BUFFER = Size.mebibytes(16);

type Variables = Readonly<Record<string, string>>;

export interface TaskDefinitionsProps {
  readonly image: ecs.ContainerImage;
  readonly size: Pick<Required<RegionSize>, 'taskVcpu' | 'taskMemoryMb'>;
  readonly roles: TaskRoles;
  readonly environments: {
    readonly service: Variables;
    readonly migrator: Variables;
    readonly oneOff: Variables;
  };
  readonly peerSecret: ecs.Secret;
  /** By variable: what the service needs to get into a ClickHouse server; empty where events go elsewhere. */
  readonly eventSecrets: Readonly<Record<string, ecs.Secret>>;
  /** Goes to the migrator alone. */
  readonly masterPassword: ecs.Secret;
  readonly log: logs.ILogGroup;
  readonly oneOffLog: logs.ILogGroup;
}

/** What runs: the service with the migrator before it, and the tasks that people start for a single command. */
export class TaskDefinitions extends Construct {
  readonly service: ecs.FargateTaskDefinition;
  readonly oneOff: ecs.FargateTaskDefinition;

  constructor(scope: Construct, id: string, props: TaskDefinitionsProps) {
    super(scope, id);
    this.service = this.#service(props);
    this.oneOff = this.#oneOff(props);
  }

  #service({
    image,
    size,
    roles,
    environments,
    log,
    ...secrets
  }: TaskDefinitionsProps): ecs.FargateTaskDefinition {
    const definition = definitionOf(this, 'Service', roles, size.taskVcpu * 1024, size.taskMemoryMb);
    const service = definition.addContainer(SERVICE_CONTAINER, {
      ...this.#confined('Service'),
      image,
      command: ['/app/main.mjs'],
      environment: { ...environments.service },
      secrets: { KEYHEARTH_PEER_SECRET: secrets.peerSecret, ...secrets.eventSecrets },
      portMappings: [{ containerPort: PORTS.service }],
      logging: logTo(log),
      stopTimeout: Duration.seconds(STOP_TIMEOUT_S),
      // Of life only. Who gets requests is decided by /readyz, which the load balancer asks.
      healthCheck: {
        command: ['CMD', 'node', '/app/healthcheck.mjs'],
        interval: Duration.seconds(10),
        timeout: Duration.seconds(5),
        retries: 3,
        startPeriod: Duration.seconds(120),
      },
    });
    // Fargate has no tmpfs; the root is read-only.
    definition.addVolume({ name: 'scratch' });
    service.addMountPoints({ sourceVolume: 'scratch', containerPath: '/tmp', readOnly: false });
    const migrator = definition.addContainer('migrator', {
      ...this.#confined('Migrator'),
      image,
      command: ['/app/prepare.mjs'],
      essential: false,
      environment: { ...environments.migrator },
      secrets: { KEYHEARTH_MASTER_PASSWORD: secrets.masterPassword },
      startTimeout: MIGRATOR_TIMEOUT,
      logging: logTo(log),
    });
    service.addContainerDependencies({
      container: migrator,
      condition: ecs.ContainerDependencyCondition.SUCCESS,
    });
    return definition;
  }

  #oneOff({ image, roles, environments, oneOffLog }: TaskDefinitionsProps): ecs.FargateTaskDefinition {
    const definition = definitionOf(this, 'OneOff', roles, 256, 512);
    definition.addContainer(ONE_OFF_CONTAINER, {
      ...this.#confined('Command'),
      image,
      // Harmless; whoever runs it says what else it is to do.
      command: ['/app/tasks.mjs', 'list'],
      environment: { ...environments.oneOff },
      logging: logTo(oneOffLog),
    });
    return definition;
  }

  /** What no container here may do without. */
  #confined(
    id: string,
  ): Pick<ecs.ContainerDefinitionOptions, 'linuxParameters' | 'readonlyRootFilesystem' | 'ulimits' | 'user'> {
    const linuxParameters = new ecs.LinuxParameters(this, `${id}Linux`, { initProcessEnabled: true });
    linuxParameters.dropCapabilities(ecs.Capability.ALL);
    return {
      linuxParameters,
      readonlyRootFilesystem: true,
      user: UNPRIVILEGED_USER,
      ulimits: [{ name: ecs.UlimitName.NOFILE, softLimit: OPEN_FILES, hardLimit: OPEN_FILES }],
    };
  }
}

function definitionOf(
  scope: Construct,
  id: string,
  { task, execution }: TaskRoles,
  cpu: number,
  memoryLimitMiB: number,
): ecs.FargateTaskDefinition {
  return new ecs.FargateTaskDefinition(scope, id, {
    cpu,
    memoryLimitMiB,
    taskRole: task,
    executionRole: execution,
    runtimePlatform: {
      cpuArchitecture: ecs.CpuArchitecture.ARM64,
      operatingSystemFamily: ecs.OperatingSystemFamily.LINUX,
    },
  });
}

function logTo(logGroup: logs.ILogGroup): ecs.LogDriver {
  return ecs.LogDriver.awsLogs({
    logGroup,
    streamPrefix: 'keyhearth',
    mode: ecs.AwsLogDriverMode.NON_BLOCKING,
    maxBufferSize: LOG_BUFFER,
  });
}
