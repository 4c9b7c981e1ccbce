import { expect, test } from 'vitest';
import { Harness } from '../cloudformation/harness.ts';
import type { Json, Properties } from '../values.ts';
import { BEHAVIOURS } from './index.ts';
import { trustOf } from './task-world.ts';

const ref = (name: string): Properties => ({ Ref: name });
const arn = (name: string): Properties => ({ 'Fn::GetAtt': [name, 'Arn'] });

/** A public network, a cluster and a service of one task. */
function template(tag: string): Properties {
  const resources: Readonly<Record<string, readonly [type: string, properties: Properties, after?: Json]>> = {
    Vpc: ['AWS::EC2::VPC', { CidrBlock: '10.0.0.0/16' }],
    Gateway: ['AWS::EC2::InternetGateway', {}],
    Attachment: ['AWS::EC2::VPCGatewayAttachment', { VpcId: ref('Vpc'), InternetGatewayId: ref('Gateway') }],
    Subnet: [
      'AWS::EC2::Subnet',
      { VpcId: ref('Vpc'), CidrBlock: '10.0.0.0/24', AvailabilityZone: 'eu-west-1a' },
    ],
    Table: ['AWS::EC2::RouteTable', { VpcId: ref('Vpc') }],
    Tabled: [
      'AWS::EC2::SubnetRouteTableAssociation',
      { SubnetId: ref('Subnet'), RouteTableId: ref('Table') },
    ],
    Route: [
      'AWS::EC2::Route',
      { RouteTableId: ref('Table'), DestinationCidrBlock: '0.0.0.0/0', GatewayId: ref('Gateway') },
      'Attachment',
    ],
    Role: ['AWS::IAM::Role', { AssumeRolePolicyDocument: trustOf('ecs-tasks') }],
    Cluster: ['AWS::ECS::Cluster', { ClusterName: 'main' }],
    Definition: [
      'AWS::ECS::TaskDefinition',
      {
        Family: 'app',
        Cpu: '256',
        Memory: '512',
        NetworkMode: 'awsvpc',
        RequiresCompatibilities: ['FARGATE'],
        ExecutionRoleArn: arn('Role'),
        ContainerDefinitions: [
          {
            Name: 'app',
            Image: { 'Fn::Sub': `\${AWS::AccountId}.dkr.ecr.\${AWS::Region}.amazonaws.com/app:${tag}` },
          },
        ],
      },
    ],
    Service: [
      'AWS::ECS::Service',
      {
        Cluster: ref('Cluster'),
        LaunchType: 'FARGATE',
        TaskDefinition: ref('Definition'),
        DeploymentConfiguration: { DeploymentCircuitBreaker: { Enable: true, Rollback: true } },
        NetworkConfiguration: {
          AwsvpcConfiguration: { Subnets: [ref('Subnet')], AssignPublicIp: 'ENABLED' },
        },
      },
      ['Route', 'Tabled'],
    ],
  };
  return {
    Resources: Object.fromEntries(
      Object.entries(resources).map(([name, [Type, Properties, DependsOn]]) => [
        name,
        { Type, Properties, ...(DependsOn === undefined ? {} : { DependsOn }) },
      ]),
    ),
  };
}

async function withRepository(): Promise<Harness> {
  const aws = new Harness([...BEHAVIOURS.values()]);
  const Repository = {
    Type: 'AWS::ECR::Repository',
    Properties: { RepositoryName: 'app', EmptyOnDelete: true },
  };
  await aws.deploy('registry', { Resources: { Repository } });
  return aws;
}

function push(aws: Harness, reference: string): void {
  const bytes = Buffer.from(JSON.stringify({ reference }));
  aws.world.images.add(aws.place, 'app', {
    reference,
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    bytes,
  });
}

const tasksOf = (aws: Harness): readonly Json[] =>
  aws.world.all('AWS::ECS::Task').map(({ properties }) => properties['TaskDefinition'] ?? null);

test('a stack whose service runs an image that no registry holds goes back, and names the image', async () => {
  const aws = await withRepository();
  await aws.deploy('tasks', template('v1'));
  expect(await aws.status('tasks')).toBe('ROLLBACK_COMPLETE');
  expect((await aws.reasons('tasks'))[0]).toMatch(
    /^Service: Resource handler returned message: "Error occurred during operation 'ECS Deployment Circuit Breaker was triggered'.*app:v1: not found/u,
  );
  const left = aws.world
    .everything()
    .filter(({ type }) => !/^AWS::(ECR|IAM::ServiceLinkedRole|SSM)/u.test(type));
  expect(left.map(({ type, id }) => `${type} ${id}`)).toEqual([]);
});

test('an update to such an image leaves the tasks that ran, and the next one with an image goes through', async () => {
  const aws = await withRepository();
  push(aws, 'v1');
  await aws.deploy('tasks', template('v1'));
  expect(await aws.status('tasks')).toBe('CREATE_COMPLETE');
  const [first] = tasksOf(aws);
  expect(first).toMatch(/app:1$/);
  await aws.deploy('tasks', template('v2'));
  expect(await aws.status('tasks')).toBe('UPDATE_ROLLBACK_COMPLETE');
  expect(tasksOf(aws)).toEqual([first]);
  push(aws, 'v2');
  await aws.deploy('tasks', template('v2'));
  expect(await aws.status('tasks')).toBe('UPDATE_COMPLETE');
  expect(tasksOf(aws)).toEqual([expect.stringMatching(/app:3$/)]);
});

test('a stack that is deleted ends its tasks before its subnet goes', async () => {
  const aws = await withRepository();
  push(aws, 'v1');
  await aws.deploy('tasks', template('v1'));
  await aws.call('DeleteStack', { StackName: 'tasks' });
  expect(await aws.status('tasks')).toBeUndefined();
  expect(tasksOf(aws)).toEqual([]);
  expect(aws.world.all('AWS::EC2::NetworkInterface')).toEqual([]);
});
