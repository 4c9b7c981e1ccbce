import {
  DescribeClustersCommand,
  DescribeServicesCommand,
  DescribeTaskDefinitionCommand,
  DescribeTasksCommand,
  ECSClient,
  ListServicesCommand,
  ListTasksCommand,
  RunTaskCommand,
  type RunTaskCommandInput,
  StopTaskCommand,
  UpdateServiceCommand,
} from '@aws-sdk/client-ecs';
import { afterEach, describe, expect, test } from 'vitest';
import {
  IMAGE,
  PLACE,
  SUBNETS,
  definitionOf,
  make,
  serviceOf,
  targetGroup,
  taskWorld,
  trustOf,
  unmake,
} from '../behaviours/task-world.ts';
import { targetsOf } from '../behaviours/elbv2-lookups.ts';
import { streamsOf } from '../log-store.ts';
import { type FakeAws, startFakeAws } from '../server.ts';
import type { TaskLaunch, TaskRunner } from '../task-runner.ts';
import type { Properties } from '../values.ts';
import type { World } from '../world.ts';
import { ECS } from './ecs.ts';

const TASK: RunTaskCommandInput = {
  cluster: 'main',
  taskDefinition: 'app',
  launchType: 'FARGATE',
  networkConfiguration: { awsvpcConfiguration: { subnets: [...SUBNETS], securityGroups: ['sg-1'] } },
};

let server: FakeAws | undefined;

afterEach(async () => {
  const faults = server?.faults ?? [];
  await server?.close();
  server = undefined;
  if (faults.length > 0) throw new AggregateError(faults, 'the local AWS itself is at fault');
});

/** The real client, at a local AWS with what a task needs. */
async function start(
  options: Parameters<typeof taskWorld>[0] = {},
): Promise<{ ecs: ECSClient; world: World }> {
  const world = taskWorld(options);
  server = await startFakeAws({ world, services: [ECS] });
  const ecs = new ECSClient({
    endpoint: server.endpoint,
    region: PLACE.region,
    maxAttempts: 1,
    credentials: {
      accessKeyId: server.environment(PLACE.account)['AWS_ACCESS_KEY_ID'] ?? '',
      secretAccessKey: 'none',
    },
  });
  return { ecs, world };
}

function define(world: World, changes: Properties = {}, container: Properties = {}): string {
  return make(world, 'AWS::ECS::TaskDefinition', definitionOf(changes, container)).id;
}

function service(world: World): void {
  const definition = make(world, 'AWS::ECS::TaskDefinition', definitionOf());
  make(world, 'AWS::ECS::Service', serviceOf(definition));
}

/** Runs nothing: keeps what it is told, and ends when the test says so. */
class Recorder implements TaskRunner {
  readonly launches: TaskLaunch[] = [];
  readonly runsServices: boolean;
  readonly #ends: ((codes: Readonly<Record<string, number>>) => void)[] = [];

  constructor(runsServices = false) {
    this.runsServices = runsServices;
  }

  run(launch: TaskLaunch): Promise<Readonly<Record<string, number>>> {
    this.launches.push(launch);
    return new Promise((resolve) => {
      this.#ends.push(resolve);
      launch.signal.addEventListener('abort', () => resolve({ app: 143 }));
    });
  }

  end(codes: Readonly<Record<string, number>>): void {
    for (const end of this.#ends.splice(0)) end(codes);
  }
}

describe('services', () => {
  test('are described with their deployment, events and what runs', async () => {
    const { ecs, world } = await start();
    service(world);
    const { services = [], failures } = await ecs.send(
      new DescribeServicesCommand({ cluster: 'main', services: ['verify', 'none'] }),
    );
    expect(services[0]).toMatchObject({
      serviceName: 'verify',
      status: 'ACTIVE',
      desiredCount: 2,
      runningCount: 2,
      pendingCount: 0,
      launchType: 'FARGATE',
      deploymentConfiguration: { deploymentCircuitBreaker: { enable: true, rollback: true } },
      deployments: [{ status: 'PRIMARY', rolloutState: 'COMPLETED', runningCount: 2, failedTasks: 0 }],
      loadBalancers: [{ containerName: 'app', containerPort: 8080 }],
      networkConfiguration: { awsvpcConfiguration: { subnets: SUBNETS } },
    });
    expect(services[0]?.createdAt).toBeInstanceOf(Date);
    expect(services[0]?.events?.[0]?.message).toBe('(service verify) has reached a steady state.');
    expect(failures).toEqual([
      { arn: 'arn:aws:ecs:eu-west-1:111122223333:service/main/none', reason: 'MISSING' },
    ]);
    const { serviceArns } = await ecs.send(new ListServicesCommand({ cluster: 'main' }));
    expect(serviceArns).toEqual([services[0]?.serviceArn]);
  });

  test('take another number of tasks, and all new ones when that is forced', async () => {
    const { ecs, world } = await start();
    service(world);
    const running = async (): Promise<readonly string[]> =>
      (await ecs.send(new ListTasksCommand({ cluster: 'main', serviceName: 'verify' }))).taskArns ?? [];
    const before = await running();
    const scaled = await ecs.send(
      new UpdateServiceCommand({ cluster: 'main', service: 'verify', desiredCount: 3 }),
    );
    expect(scaled.service).toMatchObject({ desiredCount: 3, runningCount: 3 });
    expect(await running()).toEqual(expect.arrayContaining([...before]));
    await ecs.send(
      new UpdateServiceCommand({ cluster: 'main', service: 'verify', forceNewDeployment: true }),
    );
    const after = await running();
    expect(after).toHaveLength(3);
    expect(after.filter((arn) => before.includes(arn))).toEqual([]);
    await ecs.send(new UpdateServiceCommand({ cluster: 'main', service: 'verify', desiredCount: 0 }));
    expect(await running()).toEqual([]);
    expect(world.all('AWS::EC2::NetworkInterface')).toEqual([]);
  });

  test('that are not there, and numbers that cannot be, are refused', async () => {
    const { ecs, world } = await start();
    service(world);
    await expect(
      ecs.send(new UpdateServiceCommand({ cluster: 'main', service: 'none', desiredCount: 1 })),
    ).rejects.toMatchObject({ name: 'ServiceNotFoundException', message: 'Service not found.' });
    await expect(
      ecs.send(new UpdateServiceCommand({ cluster: 'main', service: 'verify', desiredCount: -1 })),
    ).rejects.toMatchObject({ name: 'InvalidParameterException' });
    await expect(
      ecs.send(new DescribeServicesCommand({ cluster: 'none', services: ['verify'] })),
    ).rejects.toMatchObject({ name: 'ClusterNotFoundException', message: 'Cluster not found.' });
  });

  test('count in their cluster', async () => {
    const { ecs, world } = await start();
    service(world);
    const { clusters, failures } = await ecs.send(
      new DescribeClustersCommand({ clusters: ['main', 'none'] }),
    );
    expect(clusters).toMatchObject([
      { clusterName: 'main', status: 'ACTIVE', runningTasksCount: 2, activeServicesCount: 1 },
    ]);
    expect(failures?.[0]?.reason).toBe('MISSING');
  });
});

describe('task definitions', () => {
  test('are described as they were registered', async () => {
    const { ecs, world } = await start();
    const arn = define(world, { Tags: [{ Key: 'zone', Value: 'eu' }] });
    const { taskDefinition, tags } = await ecs.send(
      new DescribeTaskDefinitionCommand({ taskDefinition: 'app:1', include: ['TAGS'] }),
    );
    expect(taskDefinition).toMatchObject({
      taskDefinitionArn: arn,
      family: 'app',
      revision: 1,
      status: 'ACTIVE',
      cpu: '256',
      networkMode: 'awsvpc',
      containerDefinitions: [
        {
          name: 'app',
          image: IMAGE,
          logConfiguration: { logDriver: 'awslogs', options: { 'awslogs-group': 'tasks' } },
        },
      ],
    });
    expect(tags).toEqual([{ key: 'zone', value: 'eu' }]);
    await expect(
      ecs.send(new DescribeTaskDefinitionCommand({ taskDefinition: 'none' })),
    ).rejects.toMatchObject({ name: 'ClientException', message: 'Unable to describe task definition.' });
  });
});

describe('RunTask', () => {
  test('without a runner leaves a task that runs until it is stopped', async () => {
    const { ecs, world } = await start();
    const definition = define(world);
    const { tasks = [], failures } = await ecs.send(
      new RunTaskCommand({ ...TASK, count: 2, startedBy: 'me' }),
    );
    expect(failures).toEqual([]);
    expect(tasks).toHaveLength(2);
    expect(tasks[0]).toMatchObject({
      taskDefinitionArn: definition,
      lastStatus: 'RUNNING',
      group: 'family:app',
      startedBy: 'me',
      attachments: [{ type: 'ElasticNetworkInterface', status: 'ATTACHED' }],
    });
    const [first] = tasks.map(({ taskArn = '' }) => taskArn);
    const { task } = await ecs.send(new StopTaskCommand({ cluster: 'main', task: first, reason: 'enough' }));
    expect(task).toMatchObject({ lastStatus: 'STOPPED', stopCode: 'UserInitiated', stoppedReason: 'enough' });
    const stopped = await ecs.send(new ListTasksCommand({ cluster: 'main', desiredStatus: 'STOPPED' }));
    expect(stopped.taskArns).toEqual([first]);
    expect(world.all('AWS::EC2::NetworkInterface')).toHaveLength(1);
  });

  test('of an image that no registry holds answers, and the task says why it stopped', async () => {
    const { ecs, world } = await start();
    define(world, {}, { Image: IMAGE.replace(':v1', '@sha256:'.concat('0'.repeat(64))) });
    const { tasks = [] } = await ecs.send(new RunTaskCommand(TASK));
    const { tasks: described } = await ecs.send(
      new DescribeTasksCommand({ cluster: 'main', tasks: [tasks[0]?.taskArn ?? '', 'none'] }),
    );
    expect(described?.[0]).toMatchObject({
      lastStatus: 'STOPPED',
      stopCode: 'TaskFailedToStart',
      stoppedReason: expect.stringMatching(/^CannotPullContainerError: .*app@sha256:0{64}: not found$/),
      containers: [{ name: 'app', reason: expect.stringContaining('CannotPullContainerError') }],
    });
  });

  test('gives the runner containers in the order of their dependencies, with overrides and secrets', async () => {
    const runner = new Recorder();
    const { ecs, world } = await start({ runner });
    const secret = { Name: 'master', SecretString: '{"password":"p"}' };
    const { id: arn } = make(world, 'AWS::SecretsManager::Secret', secret);
    const [app = {}] = definitionOf()['ContainerDefinitions'] as readonly Properties[];
    define(world, {
      ContainerDefinitions: [
        {
          ...app,
          Command: ['serve'],
          Environment: [
            { Name: 'A', Value: '1' },
            { Name: 'B', Value: '2' },
          ],
          DependsOn: [{ ContainerName: 'first', Condition: 'SUCCESS' }],
        },
        {
          Name: 'first',
          Image: IMAGE,
          Essential: false,
          Secrets: [{ Name: 'PASSWORD', ValueFrom: `${arn}:password::` }],
        },
      ],
    });
    const overrides = {
      containerOverrides: [{ name: 'app', command: ['other'], environment: [{ name: 'A', value: '9' }] }],
    };
    const { tasks = [] } = await ecs.send(new RunTaskCommand({ ...TASK, overrides }));
    expect(tasks[0]?.stoppedReason).toBeUndefined();
    expect(runner.launches[0]).toMatchObject({
      family: 'app',
      region: 'eu-west-1',
      containers: [
        { name: 'first', essential: false, environment: { PASSWORD: 'p' } },
        {
          name: 'app',
          command: ['other'],
          environment: { A: '9', B: '2' },
          dependsOn: [{ container: 'first', condition: 'SUCCESS' }],
        },
      ],
    });
    const id = runner.launches[0]?.id ?? '';
    expect(tasks[0]?.taskArn).toMatch(new RegExp(`/${id}$`));
    runner.launches[0]?.log('app', 'hello');
    expect(
      streamsOf(world, PLACE, 'tasks')
        .get(`app/app/${id}`)
        ?.events.map(({ message }) => message),
    ).toEqual(['hello']);
    runner.end({ first: 0, app: 3 });
    await expect
      .poll(
        async () => (await ecs.send(new DescribeTasksCommand({ cluster: 'main', tasks: [id] }))).tasks?.[0],
      )
      .toMatchObject({
        lastStatus: 'STOPPED',
        stopCode: 'EssentialContainerExited',
        stoppedReason: 'Essential container in task exited',
        containers: [
          { name: 'app', exitCode: 3 },
          { name: 'first', exitCode: 0 },
        ],
      });
  });

  test('whose task is stopped tells its runner, and is over when that is', async () => {
    const runner = new Recorder();
    const { ecs, world } = await start({ runner });
    define(world);
    const { tasks = [] } = await ecs.send(new RunTaskCommand(TASK));
    const task = tasks[0]?.taskArn ?? '';
    const { task: stopping } = await ecs.send(new StopTaskCommand({ cluster: 'main', task }));
    expect(stopping).toMatchObject({ desiredStatus: 'STOPPED', stopCode: 'UserInitiated' });
    await expect
      .poll(
        async () => (await ecs.send(new DescribeTasksCommand({ cluster: 'main', tasks: [task] }))).tasks?.[0],
      )
      .toMatchObject({ lastStatus: 'STOPPED', stopCode: 'UserInitiated', containers: [{ exitCode: 143 }] });
  });

  test.each<[string, Partial<RunTaskCommandInput>, string, string]>([
    ['in a cluster that is not there', { cluster: 'none' }, 'ClusterNotFoundException', 'Cluster not found.'],
    [
      'of a definition that is not there',
      { taskDefinition: 'none' },
      'ClientException',
      'TaskDefinition not found.',
    ],
    [
      'without a network',
      { networkConfiguration: undefined },
      'InvalidParameterException',
      "Network Configuration must be provided when networkMode 'awsvpc' is specified.",
    ],
    ['eleven times', { count: 11 }, 'InvalidParameterException', 'count must be between 1 and 10.'],
    [
      'that overrides another container',
      { overrides: { containerOverrides: [{ name: 'web' }] } },
      'InvalidParameterException',
      'Override for container named web is not a container in the TaskDefinition.',
    ],
  ])('is refused %s', async (_, changes, name, message) => {
    const { ecs, world } = await start();
    define(world);
    await expect(ecs.send(new RunTaskCommand({ ...TASK, ...changes }))).rejects.toMatchObject({
      name,
      message,
    });
    expect(world.all('AWS::ECS::Task')).toEqual([]);
  });

  test('keeps its cluster from being deleted', async () => {
    const { ecs, world } = await start();
    define(world);
    await ecs.send(new RunTaskCommand(TASK));
    const cluster = world.find(PLACE, 'AWS::ECS::Cluster', 'main');
    if (cluster === undefined) throw new Error('no cluster');
    expect(() => unmake(world, cluster)).toThrow(
      expect.objectContaining({ code: 'ClusterContainsTasksException' }),
    );
  });
});

describe('a runner that runs services too', () => {
  test('runs each task, and a task whose container exits is replaced until the threshold is reached', async () => {
    const runner = new Recorder(true);
    const { ecs, world } = await start({ runner });
    service(world);
    expect(runner.launches).toHaveLength(2);
    runner.end({ app: 1 });
    await expect.poll(() => runner.launches.length).toBe(4);
    runner.end({ app: 1 });
    await expect
      .poll(async () => {
        const { services } = await ecs.send(
          new DescribeServicesCommand({ cluster: 'main', services: ['verify'] }),
        );
        return services?.[0]?.events?.[0]?.message;
      })
      .toBe('(service verify) is unable to consistently start tasks successfully.');
  });

  test('keeps nothing in the network for a service that is gone, whatever its processes still do', async () => {
    const runner = new Recorder(true);
    const { world } = await start({ runner });
    service(world);
    const [made] = world.all('AWS::ECS::Service');
    if (made === undefined) throw new Error('no service');
    unmake(world, made);
    expect(runner.launches.every(({ signal }) => signal.aborted)).toBe(true);
    expect(world.all('AWS::EC2::NetworkInterface')).toEqual([]);
    expect(targetsOf(targetGroup(world))).toEqual([]);
  });

  test('is left alone by services where it does not ask for them', async () => {
    const runner = new Recorder();
    const { world } = await start({ runner });
    service(world);
    expect(runner.launches).toEqual([]);
  });
});

test('a role that nobody may assume stops a task and not the call', async () => {
  const { ecs, world } = await start();
  make(world, 'AWS::IAM::Role', { RoleName: 'other', AssumeRolePolicyDocument: trustOf('lambda') });
  define(world, { ExecutionRoleArn: 'arn:aws:iam::111122223333:role/other' });
  const { tasks } = await ecs.send(new RunTaskCommand(TASK));
  expect(tasks?.[0]?.stoppedReason).toContain('ECS was unable to assume the role');
});
