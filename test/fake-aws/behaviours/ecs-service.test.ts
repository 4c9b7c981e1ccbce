import { describe, expect, test } from 'vitest';
import type { Properties } from '../values.ts';
import type { Resource, World } from '../world.ts';
import { deploymentsOf, desiredCountOf, serviceTasks } from './ecs-deployments.ts';
import { targetsOf } from './elbv2-lookups.ts';
import { requiredText } from './property-values.ts';
import {
  IMAGE,
  PLACE,
  change,
  definitionOf,
  make,
  push,
  put,
  serviceOf,
  targetGroup,
  taskWorld,
  trustOf,
  unmake,
} from './task-world.ts';

const SERVICE = 'AWS::ECS::Service';
const INTERFACE = 'AWS::EC2::NetworkInterface';

function define(world: World, changes: Properties = {}, container: Properties = {}): Resource {
  return make(world, 'AWS::ECS::TaskDefinition', definitionOf(changes, container));
}

describe('a service', () => {
  test('runs as many tasks as it wants, each with an interface in a subnet and an address in the target group', () => {
    const world = taskWorld();
    const service = make(world, SERVICE, serviceOf(define(world)));
    expect(service.id).toBe('arn:aws:ecs:eu-west-1:111122223333:service/main/verify');
    expect(service.attributes).toEqual({ ServiceArn: service.id, Name: 'verify' });
    const tasks = serviceTasks(world, service);
    expect(tasks.map(({ state }) => state.get('lastStatus'))).toEqual(['RUNNING', 'RUNNING']);
    const interfaces = world.all(INTERFACE, PLACE);
    expect(new Set(interfaces.map(({ properties }) => properties['SubnetId']))).toEqual(
      new Set(['subnet-a', 'subnet-b']),
    );
    expect(targetsOf(targetGroup(world)).map(({ id, port }) => `${id}:${port}`)).toEqual(
      tasks.map(({ attributes }) => `${requiredText(attributes, 'PrivateIpAddress')}:8080`),
    );
  });

  test('of an image that no registry holds ends the breaker, and says which image; registering its definition was fine', () => {
    const world = taskWorld();
    const image = IMAGE.replace(':v1', ':v2');
    const definition = define(world, {}, { Image: image });
    expect(() => make(world, SERVICE, serviceOf(definition))).toThrow(
      expect.objectContaining({
        code: 'GeneralServiceException',
        message: expect.stringMatching(
          `ECS Deployment Circuit Breaker was triggered'.*CannotPullContainerError.*${image}: not found`,
        ),
      }),
    );
    expect(world.all(INTERFACE, PLACE)).toEqual([]);
  });

  test('without a breaker fails as one that never gets stable', () => {
    const world = taskWorld();
    const definition = define(world, {}, { Image: IMAGE.replace('app:v1', 'other:v1') });
    expect(() => make(world, SERVICE, serviceOf(definition, { DeploymentConfiguration: {} }))).toThrow(
      expect.objectContaining({ code: 'NotStabilized', message: expect.stringContaining('other:v1') }),
    );
  });

  test('goes back to what it ran when its next task definition cannot start', () => {
    const world = taskWorld();
    const good = define(world);
    const service = make(world, SERVICE, serviceOf(good));
    const before = serviceTasks(world, service).map(({ id }) => id);
    const bad = define(world, {}, { Image: IMAGE.replace(':v1', ':v2') });
    expect(() => change(world, service, { TaskDefinition: bad.id })).toThrow('Circuit Breaker');
    expect(serviceTasks(world, service).map(({ id }) => id)).toEqual(before);
    expect(deploymentsOf(service)[0]).toMatchObject({ taskDefinition: good.id, rolloutState: 'COMPLETED' });
    // What CloudFormation does next: it goes back too, and finds nothing to do.
    change(world, service, { TaskDefinition: good.id });
    expect(serviceTasks(world, service).map(({ id }) => id)).toEqual(before);
  });

  test('replaces its tasks and their targets when it is given another task definition', () => {
    const world = taskWorld();
    const service = make(world, SERVICE, serviceOf(define(world)));
    const before = serviceTasks(world, service).map(({ id }) => id);
    push(world, 'v2');
    const next = define(world, {}, { Image: IMAGE.replace(':v1', ':v2') });
    expect(next.id).toMatch(/task-definition\/app:2$/);
    change(world, service, { TaskDefinition: next.id });
    const after = serviceTasks(world, service);
    expect(after).toHaveLength(2);
    expect(after.map(({ id }) => id)).not.toEqual(before);
    expect(after.every(({ properties }) => properties['TaskDefinition'] === next.id)).toBe(true);
    expect(targetsOf(targetGroup(world))).toHaveLength(2);
  });

  test('keeps the number of tasks that something else set when its template names none', () => {
    const world = taskWorld();
    const { DesiredCount: _, ...open } = serviceOf(define(world));
    const service = make(world, SERVICE, open);
    expect(desiredCountOf(service)).toBe(1);
    make(world, 'AWS::ApplicationAutoScaling::ScalableTarget', {
      ResourceId: 'service/main/verify',
      ScalableDimension: 'ecs:service:DesiredCount',
      ServiceNamespace: 'ecs',
      MinCapacity: 3,
      MaxCapacity: 8,
    });
    change(world, service, { EnableExecuteCommand: true });
    expect(serviceTasks(world, service)).toHaveLength(3);
  });

  test('that is deleted takes its tasks, interfaces and targets along, and only then its cluster can go', () => {
    const world = taskWorld();
    const service = make(world, SERVICE, serviceOf(define(world)));
    const cluster = world.find(PLACE, 'AWS::ECS::Cluster', 'main');
    if (cluster === undefined) throw new Error('no cluster');
    expect(() => unmake(world, cluster)).toThrow(
      expect.objectContaining({
        code: 'ClusterContainsServicesException',
        message: 'The Cluster cannot be deleted while Services are active.',
      }),
    );
    unmake(world, service);
    expect(world.all(INTERFACE, PLACE)).toEqual([]);
    expect(targetsOf(targetGroup(world))).toEqual([]);
    unmake(world, cluster);
    expect(world.all('AWS::ECS::Cluster', PLACE)).toEqual([]);
  });

  test('whose tasks take a while is stable when they run, not before', async () => {
    const world = taskWorld({ paceMs: 5 });
    const service = make(world, SERVICE, serviceOf(define(world)));
    expect(deploymentsOf(service)[0]?.rolloutState).toBe('IN_PROGRESS');
    await expect.poll(() => deploymentsOf(service)[0]?.rolloutState).toBe('COMPLETED');
  });
});

describe('a service is refused', () => {
  test.each<[string, Properties, string]>([
    ['in a cluster that is not there', { Cluster: 'other' }, 'Cluster not found.'],
    ['with a task definition that is not there', { TaskDefinition: 'app:7' }, 'TaskDefinition not found.'],
    [
      'for a launch type that its tasks are not made for',
      { LaunchType: 'EXTERNAL' },
      'does not support launch_type EXTERNAL',
    ],
    [
      'without a network',
      { NetworkConfiguration: {} },
      "Network Configuration must be provided when networkMode 'awsvpc'",
    ],
    [
      'in a subnet that is not there',
      { NetworkConfiguration: { AwsvpcConfiguration: { Subnets: ['subnet-x'] } } },
      "The subnet ID 'subnet-x' does not exist",
    ],
    [
      'in subnets of two VPCs',
      { NetworkConfiguration: { AwsvpcConfiguration: { Subnets: ['subnet-a', 'subnet-other'] } } },
      'All specified subnets must be from the same VPC.',
    ],
    [
      'with a security group of another VPC',
      {
        NetworkConfiguration: {
          AwsvpcConfiguration: { Subnets: ['subnet-a'], SecurityGroups: ['sg-other'] },
        },
      },
      'does not appear to belong to the same VPC as the input subnets',
    ],
    [
      'with a container that its task does not have',
      { LoadBalancers: [{ ContainerName: 'web', ContainerPort: 8080, TargetGroupArn: 'tg' }] },
      'The target group with targetGroupArn tg does not exist.',
    ],
    [
      'with a grace period and no load balancer',
      { LoadBalancers: [], HealthCheckGracePeriodSeconds: 60 },
      'Health check grace period is only valid',
    ],
    [
      'that could never be deployed anew',
      { DeploymentConfiguration: { MinimumHealthyPercent: 100, MaximumPercent: 100 } },
      'Both maximumPercent and minimumHealthyPercent cannot be 100',
    ],
    [
      'that balances zones without room for one task more',
      {
        AvailabilityZoneRebalancing: 'ENABLED',
        DeploymentConfiguration: { MinimumHealthyPercent: 50, MaximumPercent: 100 },
      },
      'Availability Zone rebalancing requires maximumPercent to be greater than 100.',
    ],
    [
      'with alarms that are not there',
      { DeploymentConfiguration: { Alarms: { Enable: true, Rollback: true, AlarmNames: ['Faults'] } } },
      'The following alarms do not exist: [Faults]',
    ],
    [
      'with more tasks than a service may have',
      { DesiredCount: 5001 },
      'desiredCount must be between 0 and 5000.',
    ],
  ])('%s', (_, changes, sentence) => {
    const world = taskWorld();
    put(world, 'AWS::EC2::Subnet', 'subnet-other', { VpcId: 'vpc-2', CidrBlock: '10.1.0.0/24' });
    put(world, 'AWS::EC2::SecurityGroup', 'sg-other', { VpcId: 'vpc-2' }, { VpcId: 'vpc-2' });
    const properties = serviceOf(define(world), changes);
    expect(() => make(world, SERVICE, properties)).toThrow(sentence);
    expect(world.all(SERVICE, PLACE)).toEqual([]);
  });

  test('a second time under the same name', () => {
    const world = taskWorld();
    const definition = define(world);
    make(world, SERVICE, serviceOf(definition));
    expect(() => make(world, SERVICE, serviceOf(definition))).toThrow(
      'Creation of service was not idempotent.',
    );
  });

  test('before its target group is behind a load balancer, with another kind of target, container or port', () => {
    const world = taskWorld();
    const definition = define(world);
    const listener = world.all('AWS::ElasticLoadBalancingV2::Listener')[0];
    if (listener === undefined) throw new Error('no listener');
    const loose = listener.properties;
    const group = targetGroup(world);
    listener.properties = {};
    expect(() => make(world, SERVICE, serviceOf(definition))).toThrow(
      `The target group with targetGroupArn ${group.id} does not have an associated load balancer.`,
    );
    listener.properties = loose;
    const target = { ContainerName: 'app', ContainerPort: 8080, TargetGroupArn: group.id };
    for (const [wrong, sentence] of [
      [{ ContainerName: 'web' }, 'The container web does not exist in the task definition.'],
      [{ ContainerPort: 80 }, 'The container app did not have a container port 80 defined.'],
    ] as const) {
      const properties = serviceOf(definition, { LoadBalancers: [{ ...target, ...wrong }] });
      expect(() => make(world, SERVICE, properties)).toThrow(sentence);
    }
    group.properties = { TargetType: 'instance' };
    expect(() => make(world, SERVICE, serviceOf(definition))).toThrow(
      'incompatible with the awsvpc network mode',
    );
  });

  test('in an account whose service-linked role of ECS was deleted', () => {
    const world = taskWorld();
    const definition = define(world);
    for (const role of world.all('AWS::IAM::ServiceLinkedRole')) world.remove(role);
    expect(() => make(world, SERVICE, serviceOf(definition))).toThrow(
      'Unable to assume the service linked role. Please verify that the ECS service linked role exists.',
    );
  });
});

describe('tasks cannot start', () => {
  function reason(prepare: (world: World) => Resource): string {
    const world = taskWorld();
    const definition = prepare(world);
    try {
      make(world, SERVICE, serviceOf(definition));
    } catch (error) {
      return error instanceof Error ? error.message : '';
    }
    return 'started';
  }

  function without(world: World, type: string, id: string): void {
    const one = world.all(type).find((resource) => resource.id === id);
    if (one === undefined) throw new Error(`no ${id}`);
    world.remove(one);
  }

  test.each<[string, (world: World) => Resource, string]>([
    [
      'without their execution role',
      (world) => define(world, { ExecutionRoleArn: 'arn:aws:iam::111122223333:role/none' }),
      'unable to assume the role',
    ],
    [
      'with a role that trusts somebody else',
      (world) => {
        make(world, 'AWS::IAM::Role', { RoleName: 'lambda', AssumeRolePolicyDocument: trustOf('lambda') });
        return define(world, { TaskRoleArn: 'arn:aws:iam::111122223333:role/lambda' });
      },
      'unable to assume the role',
    ],
    [
      'without their log group',
      (world) => {
        without(world, 'AWS::Logs::LogGroup', 'tasks');
        return define(world);
      },
      'The specified log group does not exist.',
    ],
    [
      'without a secret of theirs',
      (world) =>
        define(
          world,
          {},
          {
            Secrets: [
              { Name: 'A', ValueFrom: 'arn:aws:secretsmanager:eu-west-1:111122223333:secret:none-AbCdEf' },
            ],
          },
        ),
      "Secrets Manager can't find the specified secret",
    ],
    [
      'where no endpoint leads to the registry',
      (world) => {
        without(world, 'AWS::EC2::VPCEndpoint', 'vpce-ecr.dkr');
        return define(world);
      },
      `connection issue between the task and Amazon ECR. Check your task network configuration. (image ${IMAGE})`,
    ],
    [
      'where no endpoint leads to the layers in S3',
      (world) => {
        without(world, 'AWS::EC2::VPCEndpoint', 'vpce-s3');
        return define(world);
      },
      'connection issue between the task and Amazon ECR',
    ],
    [
      'from another registry without a way to the internet',
      (world) => define(world, {}, { Image: 'nginx:1' }),
      'cannot pull nginx:1 from the registry docker.io',
    ],
    [
      'of an image for another processor',
      (world) => {
        push(world, 'arm', { manifests: [{ platform: { os: 'linux', architecture: 'arm64' } }] });
        return define(world, {}, { Image: IMAGE.replace(':v1', ':arm') });
      },
      "does not contain descriptor matching platform 'linux/amd64'",
    ],
  ])('%s', (_, prepare, sentence) => {
    expect(reason(prepare)).toContain(sentence);
  });

  test('from another registry where a NAT gateway leads out they can', () => {
    expect(
      reason((world) => {
        put(world, 'AWS::EC2::Route', 'route-1', {
          RouteTableId: 'rtb-1',
          DestinationCidrBlock: '0.0.0.0/0',
          NatGatewayId: 'nat-1',
        });
        return define(world, {}, { Image: 'nginx:1' });
      }),
    ).toBe('started');
  });

  test('unless they may make their log group themselves', () => {
    const world = taskWorld();
    const options = {
      'awslogs-group': 'new',
      'awslogs-region': 'eu-west-1',
      'awslogs-stream-prefix': 'a',
      'awslogs-create-group': 'true',
    };
    const definition = define(world, {}, { LogConfiguration: { LogDriver: 'awslogs', Options: options } });
    make(world, SERVICE, serviceOf(definition));
    expect(world.find(PLACE, 'AWS::Logs::LogGroup', 'new')).toBeDefined();
  });
});
