import { describe, expect, test } from 'vitest';
import type { Properties } from '../values.ts';
import { World } from '../world.ts';
import { findTaskDefinition } from './ecs-lookups.ts';
import { CONTAINER, PLACE, definitionOf, make, unmake } from './task-world.ts';

const TYPE = 'AWS::ECS::TaskDefinition';

test('a task definition gets the next revision of its family, and a deregistered one is still described', () => {
  const world = new World();
  const first = make(world, TYPE, definitionOf());
  expect(first.id).toBe('arn:aws:ecs:eu-west-1:111122223333:task-definition/app:1');
  unmake(world, first);
  const second = make(world, TYPE, definitionOf());
  expect(second.id).toMatch(/app:2$/);
  expect(findTaskDefinition(world, PLACE, 'app:1')).toBe(first);
  expect(findTaskDefinition(world, PLACE, 'app')).toBe(second);
});

test('an image, roles, secrets and log groups that are not there keep nobody from registering', () => {
  const container = { Image: '999999999999.dkr.ecr.us-east-1.amazonaws.com/none:none' };
  expect(make(new World(), TYPE, definitionOf({}, container)).id).toMatch(/app:1$/);
});

test.each([
  ['256', '2048'],
  ['512', '4096'],
  ['1024', '8192'],
  ['.25 vCPU', '0.5 GB'],
  ['4096', '30720'],
  ['8192', '20480'],
  ['16384', '122880'],
  ['1 vCPU', '3GB'],
])('Fargate has %s with %s', (Cpu, Memory) => {
  expect(make(new World(), TYPE, definitionOf({ Cpu, Memory })).id).toMatch(/app:1$/);
});

describe('a task definition is refused', () => {
  const second = { Name: 'side', Image: CONTAINER['Image'] ?? '', Essential: false };
  const both = (first: Properties, other: Properties = {}): Properties => ({
    ContainerDefinitions: [
      { ...CONTAINER, ...first },
      { ...second, ...other },
    ],
  });

  test.each<[string, Properties, Properties, string]>([
    [
      'with too much memory for its CPU',
      { Cpu: '256', Memory: '4096' },
      {},
      'No Fargate configuration exists for given values: 256 CPU, 4096 memory',
    ],
    [
      'with memory between two steps',
      { Cpu: '8192', Memory: '17408' },
      {},
      'No Fargate configuration exists',
    ],
    ['without CPU', { Cpu: '' }, {}, "Fargate requires that 'cpu' be defined at the task level."],
    ['without memory', { Memory: '' }, {}, "Fargate requires that 'memory' be defined at the task level."],
    [
      'in another network mode',
      { NetworkMode: 'bridge' },
      {},
      "Fargate only supports network mode 'awsvpc'.",
    ],
    ['under a name with a dot', { Family: 'a.b' }, {}, 'Family contains invalid characters.'],
    ['with something else for a role', { TaskRoleArn: 'role' }, {}, 'Role is not valid'],
    [
      'with a path of the host',
      { Volumes: [{ Name: 'a', Host: { SourcePath: '/a' } }] },
      {},
      'host.sourcePath should not be set for volumes in Fargate.',
    ],
    [
      'with too little storage',
      { EphemeralStorage: { SizeInGiB: 20 } },
      {},
      'Ephemeral storage size must be between 21 and 200 GiB.',
    ],
    ['without containers', { ContainerDefinitions: [] }, {}, 'Container list cannot be empty.'],
    ['over its size', {}, { Command: ['x'.repeat(70_000)] }, "Max allowed length is '65536' bytes."],
    ['without an essential container', {}, { Essential: false }, 'does not have any essential containers'],
    ['with a name that has a dot', {}, { Name: 'a.b' }, 'Container.name contains invalid characters.'],
    ['without an image', {}, { Image: '' }, 'Container.image should not be null or empty.'],
    ['with two containers of a name', both({}, { Name: 'app' }), {}, 'Container.name should be unique.'],
    [
      'with a volume that is not there',
      {},
      { MountPoints: [{ SourceVolume: 'scratch' }] },
      "Unknown volume 'scratch'.",
    ],
    [
      'with other ports outside',
      {},
      { PortMappings: [{ ContainerPort: 80, HostPort: 8080 }] },
      'the host ports and container ports in port mappings must match',
    ],
    [
      'with a port twice',
      {},
      { PortMappings: [{ ContainerPort: 80 }, { ContainerPort: 80 }] },
      'Duplicate port mapping: 80/tcp',
    ],
    [
      "with a secret under a variable's name",
      {},
      { Environment: [{ Name: 'A', Value: '' }], Secrets: [{ Name: 'A', ValueFrom: 'b' }] },
      "such as 'A'",
    ],
    [
      'with a health check that runs too often',
      {},
      { HealthCheck: { Command: ['CMD'], Interval: 4 } },
      'Health check interval must be between 5 and 300.',
    ],
    [
      'with a soft limit above the hard one',
      {},
      { Ulimits: [{ Name: 'nofile', SoftLimit: 2, HardLimit: 1 }] },
      'soft limit must not exceed hard limit',
    ],
    [
      'with a file system in memory',
      {},
      { LinuxParameters: { Tmpfs: [] } },
      'Fargate compatible task definitions do not support tmpfs',
    ],
    [
      'with more capabilities',
      {},
      { LinuxParameters: { Capabilities: { Add: ['NET_ADMIN'] } } },
      'do not support adding capabilities',
    ],
    ['that is privileged', {}, { Privileged: true }, 'do not support privileged containers'],
    [
      'with a host name',
      {},
      { Hostname: 'a' },
      'Hostname is not supported on container when networkMode=awsvpc.',
    ],
    ['that stops for too long', {}, { StopTimeout: 121 }, 'stopTimeout must be at most 120 seconds'],
    [
      'with another log driver',
      {},
      { LogConfiguration: { LogDriver: 'syslog' } },
      'Fargate only supports log drivers',
    ],
    ...(
      [
        ['a buffer that is no size', { 'max-buffer-size': 'huge' }, "max-buffer-size is not a size: 'huge'"],
        ['an empty buffer', { 'max-buffer-size': '0m' }, "max-buffer-size is not a size: '0m'"],
        ['an unknown mode', { mode: 'sometimes' }, "mode must be blocking or non-blocking; not 'sometimes'"],
        [
          'an unknown option',
          { 'awslogs-colour': 'red' },
          'Log driver awslogs disallows options: awslogs-colour',
        ],
      ] as const
    ).map(([what, changes, sentence]): [string, Properties, Properties, string] => [
      `with logs of ${what}`,
      {},
      {
        LogConfiguration: {
          LogDriver: 'awslogs',
          Options: { 'awslogs-group': 'a', 'awslogs-region': 'b', 'awslogs-stream-prefix': 'c', ...changes },
        },
      },
      sentence,
    ]),
    [
      'without a prefix for its log streams',
      {},
      {
        LogConfiguration: { LogDriver: 'awslogs', Options: { 'awslogs-group': 'a', 'awslogs-region': 'b' } },
      },
      'Log driver awslogs requires options: awslogs-stream-prefix',
    ],
    [
      'that waits for a container that is not there',
      {},
      { DependsOn: [{ ContainerName: 'x', Condition: 'START' }] },
      'Container dependency x is not in the task definition.',
    ],
    [
      'that waits for an essential container to end',
      both({ DependsOn: [{ ContainerName: 'side', Condition: 'SUCCESS' }] }, { Essential: true }),
      {},
      'A dependency container with SUCCESS or COMPLETE condition cannot be an essential container',
    ],
    [
      'that waits for the health of a container without a check',
      both({ DependsOn: [{ ContainerName: 'side', Condition: 'HEALTHY' }] }),
      {},
      'must have a health check',
    ],
    [
      'whose containers wait for each other',
      both(
        { DependsOn: [{ ContainerName: 'side', Condition: 'START' }] },
        { DependsOn: [{ ContainerName: 'app', Condition: 'START' }] },
      ),
      {},
      'Container dependencies contain a cycle.',
    ],
  ])('%s', (_, changes, container, sentence) => {
    const world = new World();
    expect(() => make(world, TYPE, { ...definitionOf({}, container), ...changes })).toThrow(
      expect.objectContaining({ code: 'ClientException', message: expect.stringContaining(sentence) }),
    );
    expect(world.all(TYPE)).toEqual([]);
  });

  test.each([
    ['images of ECR', {}, 'ECR images'],
    ['logs', { Image: 'nginx' }, 'log driver awslogs'],
  ])('without an execution role for %s', (_, container, what) => {
    const { ExecutionRoleArn: _role, ...rest } = definitionOf({}, container);
    expect(() => make(new World(), TYPE, rest)).toThrow(
      `Fargate requires task definition to have execution role ARN to support ${what}.`,
    );
  });
});
