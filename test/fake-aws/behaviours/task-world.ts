import type { Behaviour } from '../behaviour.ts';
import type { TaskRunner } from '../task-runner.ts';
import type { Place, Properties } from '../values.ts';
import { type Resource, World } from '../world.ts';
import { callContext, createByCall, removeByCall, updateByCall } from './by-call.ts';
import { BEHAVIOURS } from './index.ts';

export const PLACE: Place = { account: '111122223333', region: 'eu-west-1' };
export const IMAGE = '111122223333.dkr.ecr.eu-west-1.amazonaws.com/app:v1';
const VPC_ID = 'vpc-1';
export const SUBNETS: readonly string[] = ['subnet-a', 'subnet-b'];
const GROUP_ARN = 'arn:aws:elasticloadbalancing:eu-west-1:111122223333:targetgroup/tasks/1';
const LISTENER = 'AWS::ElasticLoadBalancingV2::Listener';

/** Makes a resource by its type's own rules and waits for it, as CloudFormation would at pace 0. */
export function make(world: World, type: string, properties: Properties, name = 'Thing'): Resource {
  const behaviour = behaviourOf(type);
  const context = callContext(world, PLACE, name);
  const resource = createByCall(context, behaviour, properties);
  behaviour.stable?.(context, resource);
  return resource;
}

/** Changes one likewise. */
export function change(world: World, resource: Resource, properties: Properties): void {
  const behaviour = behaviourOf(resource.type);
  const context = callContext(world, PLACE, resource.id);
  updateByCall(context, behaviour, resource, properties);
  behaviour.stable?.(context, resource);
}

/** Deletes one likewise. */
export function unmake(world: World, resource: Resource): void {
  removeByCall(callContext(world, PLACE, resource.id), behaviourOf(resource.type), resource);
}

function behaviourOf(type: string): Behaviour {
  const found = BEHAVIOURS.get(type);
  if (found === undefined) throw new Error(`no behaviour of ${type}`);
  return found;
}

/** Puts something of another part of the world there, whatever rules it has. */
export function put(
  world: World,
  type: string,
  id: string,
  properties: Properties = {},
  attributes: Properties = {},
): Resource {
  return world.add({ ...PLACE, type, id, properties, attributes, stack: null });
}

/** What a service needs: a private network with endpoints, roles, a log group, an image, a target group behind a load balancer. */
export function taskWorld(options: { readonly runner?: TaskRunner; readonly paceMs?: number } = {}): World {
  const world = new World(options);
  put(world, 'AWS::EC2::VPC', VPC_ID, { CidrBlock: '10.0.0.0/16' });
  for (const [index, id] of SUBNETS.entries()) {
    const properties = { VpcId: VPC_ID, CidrBlock: `10.0.${index}.0/24` };
    put(world, 'AWS::EC2::Subnet', id, properties, { AvailabilityZone: `eu-west-1${'ab'.charAt(index)}` });
    put(world, 'AWS::EC2::SubnetRouteTableAssociation', `association-${id}`, {
      SubnetId: id,
      RouteTableId: 'rtb-1',
    });
  }
  put(world, 'AWS::EC2::RouteTable', 'rtb-1', { VpcId: VPC_ID });
  put(world, 'AWS::EC2::SecurityGroup', 'sg-1', { VpcId: VPC_ID }, { VpcId: VPC_ID });
  for (const service of ['ecr.api', 'ecr.dkr', 'logs', 'secretsmanager']) {
    put(world, 'AWS::EC2::VPCEndpoint', `vpce-${service}`, {
      VpcId: VPC_ID,
      VpcEndpointType: 'Interface',
      PrivateDnsEnabled: true,
      ServiceName: `com.amazonaws.eu-west-1.${service}`,
    });
  }
  put(world, 'AWS::EC2::VPCEndpoint', 'vpce-s3', {
    VpcId: VPC_ID,
    VpcEndpointType: 'Gateway',
    RouteTableIds: ['rtb-1'],
    ServiceName: 'com.amazonaws.eu-west-1.s3',
  });
  put(world, 'AWS::Logs::LogGroup', 'tasks');
  make(world, 'AWS::IAM::Role', { RoleName: 'execution', AssumeRolePolicyDocument: trustOf('ecs-tasks') });
  make(world, 'AWS::ECR::Repository', { RepositoryName: 'app' });
  push(world, 'v1');
  put(world, 'AWS::ElasticLoadBalancingV2::TargetGroup', GROUP_ARN, { TargetType: 'ip' });
  put(world, 'AWS::ElasticLoadBalancingV2::LoadBalancer', 'lb-1');
  put(world, LISTENER, 'listener-1', {
    LoadBalancerArn: 'lb-1',
    DefaultActions: [{ Type: 'forward', TargetGroupArn: GROUP_ARN }],
  });
  make(world, 'AWS::ECS::Cluster', { ClusterName: 'main' });
  return world;
}

/** Puts an image into the repository `app`. */
export function push(world: World, tag: string, manifest: Properties = {}): void {
  const bytes = Buffer.from(JSON.stringify(manifest));
  world.images.add(PLACE, 'app', {
    reference: tag,
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    bytes,
  });
}

/** A trust policy for a service: `ecs-tasks`. */
export function trustOf(service: string): Properties {
  return {
    Version: '2012-10-17',
    Statement: [
      { Effect: 'Allow', Action: 'sts:AssumeRole', Principal: { Service: `${service}.amazonaws.com` } },
    ],
  };
}

export const CONTAINER: Properties = {
  Name: 'app',
  Image: IMAGE,
  PortMappings: [{ ContainerPort: 8080 }],
  LogConfiguration: {
    LogDriver: 'awslogs',
    Options: {
      'awslogs-group': 'tasks',
      'awslogs-region': 'eu-west-1',
      'awslogs-stream-prefix': 'app',
    },
  },
};

/** A task definition for Fargate that can be registered and started. */
export function definitionOf(changes: Properties = {}, container: Properties = {}): Properties {
  return {
    Family: 'app',
    Cpu: '256',
    Memory: '512',
    NetworkMode: 'awsvpc',
    RequiresCompatibilities: ['FARGATE'],
    ExecutionRoleArn: 'arn:aws:iam::111122223333:role/execution',
    ContainerDefinitions: [{ ...CONTAINER, ...container }],
    ...changes,
  };
}

export function serviceOf(definition: Resource, changes: Properties = {}): Properties {
  return {
    Cluster: 'main',
    ServiceName: 'verify',
    LaunchType: 'FARGATE',
    TaskDefinition: definition.id,
    DesiredCount: 2,
    DeploymentConfiguration: { DeploymentCircuitBreaker: { Enable: true, Rollback: true } },
    LoadBalancers: [{ ContainerName: 'app', ContainerPort: 8080, TargetGroupArn: GROUP_ARN }],
    NetworkConfiguration: { AwsvpcConfiguration: { Subnets: SUBNETS, SecurityGroups: ['sg-1'] } },
    ...changes,
  };
}

/** The target group that services of these tests register with. */
export function targetGroup(world: World): Resource {
  const group = world.find(PLACE, 'AWS::ElasticLoadBalancingV2::TargetGroup', GROUP_ARN);
  if (group === undefined) throw new Error('no target group');
  return group;
}
