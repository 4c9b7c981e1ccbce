import { describe, expect, test } from 'vitest';
import type { Properties } from '../values.ts';
import { type Resource, World, globalPlace } from '../world.ts';
import { ACCOUNT } from './account.ts';
import { desiredCountOf } from './ecs-deployments.ts';
import { PLACE, change, definitionOf, make, push, serviceOf, taskWorld, unmake } from './task-world.ts';

const TOPIC = 'AWS::SNS::Topic';
const TOPIC_ARN = 'arn:aws:sns:eu-west-1:111122223333:alarms';
const TARGET = 'AWS::ApplicationAutoScaling::ScalableTarget';
const SCALING = 'AWS::ApplicationAutoScaling::ScalingPolicy';

function topic(world: World): Resource {
  return make(world, TOPIC, { TopicName: 'alarms' });
}

test('every behaviour is of another type', () => {
  expect(new Set(ACCOUNT.map(({ type }) => type)).size).toBe(ACCOUNT.length);
});

describe('SNS', () => {
  test('a topic is known by its ARN, and its name is taken then', () => {
    const world = new World();
    expect(topic(world)).toMatchObject({
      id: TOPIC_ARN,
      attributes: { TopicArn: TOPIC_ARN, TopicName: 'alarms' },
    });
    expect(() => topic(world)).toThrow(expect.objectContaining({ code: 'AlreadyExists' }));
  });

  test('a subscription by e-mail waits for somebody to confirm it; one of a queue does not', () => {
    const world = new World();
    topic(world);
    const subscribe = (Protocol: string, Endpoint: string): Resource =>
      make(world, 'AWS::SNS::Subscription', { TopicArn: TOPIC_ARN, Protocol, Endpoint }, Protocol);
    const mail = subscribe('email', 'ops@example.com');
    expect(mail.id).toMatch(/^arn:aws:sns:eu-west-1:111122223333:alarms:[0-9a-f-]{36}$/);
    expect(mail.state.get('PendingConfirmation')).toBe(true);
    const queue = subscribe('sqs', 'arn:aws:sqs:eu-west-1:111122223333:q');
    expect(queue.state.get('PendingConfirmation')).toBe(false);
  });

  test.each<[string, string, Properties, string]>([
    ['a topic with a space', TOPIC, { TopicName: 'a b' }, 'Invalid parameter: Topic Name'],
    [
      'a FIFO topic without its suffix',
      TOPIC,
      { TopicName: 'a', FifoTopic: true },
      'Invalid parameter: Topic Name',
    ],
    [
      'a subscription of no topic',
      'AWS::SNS::Subscription',
      { TopicArn: `${TOPIC_ARN}2`, Protocol: 'email', Endpoint: 'a@b.c' },
      'Topic does not exist',
    ],
    [
      'a subscription by pigeon',
      'AWS::SNS::Subscription',
      { TopicArn: TOPIC_ARN, Protocol: 'pigeon', Endpoint: 'a' },
      'Does not support this protocol string',
    ],
    [
      'a subscription of no address',
      'AWS::SNS::Subscription',
      { TopicArn: TOPIC_ARN, Protocol: 'email', Endpoint: 'ops' },
      'Invalid parameter: Endpoint',
    ],
    [
      'a policy of no topic',
      'AWS::SNS::TopicPolicy',
      { Topics: [`${TOPIC_ARN}2`], PolicyDocument: {} },
      'Topic does not exist',
    ],
    [
      'a policy about another topic',
      'AWS::SNS::TopicPolicy',
      {
        Topics: [TOPIC_ARN],
        PolicyDocument: {
          Version: '2012-10-17',
          Statement: [{ Effect: 'Allow', Principal: '*', Action: 'sns:Publish', Resource: `${TOPIC_ARN}2` }],
        },
      },
      'Policy statement resource must match the topic',
    ],
    [
      'a policy about nothing',
      'AWS::SNS::TopicPolicy',
      {
        Topics: [TOPIC_ARN],
        PolicyDocument: {
          Version: '2012-10-17',
          Statement: [{ Effect: 'Allow', Principal: '*', Action: 'sns:Publish' }],
        },
      },
      'Policy statement resource must match the topic',
    ],
    [
      'a policy of other services',
      'AWS::SNS::TopicPolicy',
      {
        Topics: [TOPIC_ARN],
        PolicyDocument: {
          Version: '2012-10-17',
          Statement: [{ Effect: 'Allow', Principal: '*', Action: 's3:GetObject', Resource: '*' }],
        },
      },
      'Policy statement action out of service scope!',
    ],
  ])('refuses %s', (_, type, properties, sentence) => {
    const world = new World();
    topic(world);
    expect(() => make(world, type, properties)).toThrow(sentence);
  });
});

describe('Budgets', () => {
  const subscriber = { Address: 'ops@example.com', SubscriptionType: 'EMAIL' };
  const budget = (changes: Properties = {}, count = 1): Properties => ({
    Budget: {
      BudgetName: 'zone',
      BudgetType: 'COST',
      TimeUnit: 'MONTHLY',
      BudgetLimit: { Amount: 1, Unit: 'USD' },
      ...changes,
    },
    NotificationsWithSubscribers: Array.from({ length: count }, () => ({
      Notification: {},
      Subscribers: [subscriber],
    })),
  });
  const TYPE = 'AWS::Budgets::Budget';

  test('an account has a budget once, whatever region asks', () => {
    const world = new World();
    expect(make(world, TYPE, budget())).toMatchObject({ ...globalPlace(PLACE), id: 'zone' });
    expect(() => make(world, TYPE, budget())).toThrow(
      expect.objectContaining({
        code: 'DuplicateRecordException',
        message: expect.stringContaining('the budget already exists.'),
      }),
    );
  });

  test.each<[string, Properties, string]>([
    ['with a colon in its name', budget({ BudgetName: 'a:b' }), 'is not valid'],
    ['without a limit', { ...budget(), Budget: { BudgetName: 'b' } }, 'One of BudgetLimit'],
    ['with six notifications', budget({}, 6), 'must not exceed 5'],
    [
      'with a notification twice',
      budget({}, 2),
      'Error creating notification: zone - the notification already exists.',
    ],
    [
      'that tells nobody',
      { ...budget(), NotificationsWithSubscribers: [{ Notification: {}, Subscribers: [] }] },
      '1 to 10 email subscribers',
    ],
  ])('refuses one %s', (_, properties, sentence) => {
    expect(() => make(new World(), TYPE, properties)).toThrow(sentence);
  });
});

describe('SSM', () => {
  const TYPE = 'AWS::SSM::Parameter';

  test('a parameter gives its type and value, and its name is taken then', () => {
    const world = new World();
    const made = make(world, TYPE, { Name: '/cdk-bootstrap/q/version', Type: 'String', Value: '33' });
    expect(made.attributes).toEqual({
      Arn: 'arn:aws:ssm:eu-west-1:111122223333:parameter/cdk-bootstrap/q/version',
      Type: 'String',
      Value: '33',
    });
    change(world, made, { Value: '34' });
    expect(made.attributes['Value']).toBe('34');
    expect(() => make(world, TYPE, { Name: made.id, Type: 'String', Value: '1' })).toThrow(
      expect.objectContaining({ code: 'ParameterAlreadyExists' }),
    );
  });

  test.each<[string, Properties, string]>([
    ['under a name of AWS', { Name: '/aws/x' }, 'can\'t be prefixed with "aws" or "ssm"'],
    ['that is secret', { Type: 'SecureString' }, 'The parameter type is not supported.'],
    ['over 4 KiB', { Value: 'x'.repeat(4097) }, 'between 1 and 4096 bytes'],
    ['against its own pattern', { AllowedPattern: '\\d+' }, 'cannot be validated against allowedPattern'],
    ['deeper than 15 levels', { Name: '/a'.repeat(16) }, 'must not exceed 15 levels'],
  ])('refuses one %s', (_, changes, sentence) => {
    const properties = { Name: 'p', Type: 'String', Value: 'v', ...changes };
    expect(() => make(new World(), TYPE, properties)).toThrow(sentence);
  });
});

describe('ECR', () => {
  const TYPE = 'AWS::ECR::Repository';

  test('a repository has its URI, and goes with its images only where that was asked for', () => {
    const world = new World();
    const made = make(world, TYPE, { RepositoryName: 'app' });
    expect(made.attributes['RepositoryUri']).toBe('111122223333.dkr.ecr.eu-west-1.amazonaws.com/app');
    push(world, 'v1');
    expect(() => unmake(world, made)).toThrow(
      expect.objectContaining({ code: 'RepositoryNotEmptyException' }),
    );
    change(world, made, { EmptyOnDelete: true });
    unmake(world, made);
    make(world, TYPE, { RepositoryName: 'app' });
    expect(world.images.find(PLACE, 'app', 'v1')).toBeUndefined();
  });

  test('refuses a name in capitals, one that is taken, and rules that are not JSON', () => {
    const world = new World();
    make(world, TYPE, { RepositoryName: 'app' });
    expect(() => make(world, TYPE, { RepositoryName: 'App' })).toThrow("'repositoryName' failed to satisfy");
    expect(() => make(world, TYPE, { RepositoryName: 'app' })).toThrow(
      "The repository with name 'app' already exists in the registry with id '111122223333'",
    );
    const rules = { RepositoryName: 'other', LifecyclePolicy: { LifecyclePolicyText: '{' } };
    expect(() => make(world, TYPE, rules)).toThrow('Lifecycle policy validation failure');
  });
});

describe('Application Auto Scaling', () => {
  const target = {
    ResourceId: 'service/main/verify',
    ScalableDimension: 'ecs:service:DesiredCount',
    ServiceNamespace: 'ecs',
    MinCapacity: 1,
    MaxCapacity: 4,
  };
  const policy = {
    PolicyName: 'cpu',
    PolicyType: 'TargetTrackingScaling',
    ScalingTargetId: 'service/main/verify|ecs:service:DesiredCount|ecs',
    TargetTrackingScalingPolicyConfiguration: { TargetValue: 50 },
  };

  function scaled(): { world: World; service: Resource } {
    const world = taskWorld();
    const definition = make(world, 'AWS::ECS::TaskDefinition', definitionOf());
    return { world, service: make(world, 'AWS::ECS::Service', serviceOf(definition)) };
  }

  test('a target is known by resource, dimension and namespace, and holds its service within its bounds', () => {
    const { world, service } = scaled();
    const made = make(world, TARGET, { ...target, MinCapacity: 3 });
    expect(made.id).toBe('service/main/verify|ecs:service:DesiredCount|ecs');
    expect(desiredCountOf(service)).toBe(3);
    change(world, made, { MinCapacity: 1, MaxCapacity: 2 });
    expect(desiredCountOf(service)).toBe(2);
    const { id } = make(world, SCALING, policy);
    expect(id).toMatch(/:resource\/ecs\/service\/main\/verify:policyName\/cpu$/);
  });

  test('refuses a target without a service, or with its bounds the wrong way round', () => {
    const { world } = scaled();
    expect(() => make(world, TARGET, { ...target, ResourceId: 'service/main/none' })).toThrow(
      "ECS service doesn't exist: service/main/none",
    );
    expect(() => make(world, TARGET, { ...target, MinCapacity: 5 })).toThrow(
      'Minimum capacity cannot be greater than maximum capacity',
    );
  });

  test('refuses a second policy for a metric, and targets that cannot be tracked', () => {
    const { world } = scaled();
    make(world, TARGET, target);
    const tracking = (PolicyName: string, PredefinedMetricType: string, TargetValue = 50): Properties => ({
      ...policy,
      PolicyName,
      TargetTrackingScalingPolicyConfiguration: {
        TargetValue,
        PredefinedMetricSpecification: { PredefinedMetricType },
      },
    });
    const CPU = 'ECSServiceAverageCPUUtilization';
    const MEMORY = 'ECSServiceAverageMemoryUtilization';
    make(world, SCALING, tracking('cpu', CPU));
    const memory = make(world, SCALING, tracking('memory', MEMORY));
    const sentence = 'Only one TargetTrackingScaling policy for a given metric specification is allowed.';
    expect(() => make(world, SCALING, tracking('more', CPU))).toThrow(sentence);
    expect(() => change(world, memory, tracking('memory', CPU))).toThrow(sentence);
    change(world, memory, tracking('memory', MEMORY, 60));
    for (const value of [0, -1]) {
      expect(() => change(world, memory, tracking('memory', MEMORY, value))).toThrow('greater than 0');
    }
  });

  test('refuses a policy without a target, without its configuration, or with a label of another form', () => {
    const { world } = scaled();
    expect(() => make(world, SCALING, policy)).toThrow(
      'No scalable target registered for service namespace: ecs, resource ID: service/main/verify, scalable dimension: ecs:service:DesiredCount',
    );
    make(world, TARGET, target);
    const { TargetTrackingScalingPolicyConfiguration: _, ...empty } = policy;
    expect(() => make(world, SCALING, empty)).toThrow('is required for policy type TargetTrackingScaling');
    const specification = { PredefinedMetricType: 'ALBRequestCountPerTarget', ResourceLabel: 'app/x' };
    const labelled = { TargetValue: 1, PredefinedMetricSpecification: specification };
    expect(() =>
      make(world, SCALING, { ...policy, TargetTrackingScalingPolicyConfiguration: labelled }),
    ).toThrow('Resource label does not match required format: app/x');
  });
});

describe('clusters', () => {
  test('have one set of capacity providers, which are there', () => {
    const world = taskWorld();
    const TYPE = 'AWS::ECS::ClusterCapacityProviderAssociations';
    const properties = {
      Cluster: 'main',
      CapacityProviders: ['FARGATE'],
      DefaultCapacityProviderStrategy: [],
    };
    expect(() => make(world, TYPE, { ...properties, Cluster: 'other' })).toThrow('Cluster not found.');
    expect(() => make(world, TYPE, { ...properties, CapacityProviders: ['mine'] })).toThrow(
      'The specified capacity provider was not found.',
    );
    const strategy = [{ CapacityProvider: 'FARGATE_SPOT' }];
    expect(() => make(world, TYPE, { ...properties, DefaultCapacityProviderStrategy: strategy })).toThrow(
      'not associated with the cluster',
    );
    expect(make(world, TYPE, properties).id).toBe('main');
    expect(() => make(world, TYPE, properties)).toThrow('already exists');
  });

  test('refuse names with dots and a name that is taken', () => {
    const world = taskWorld();
    expect(() => make(world, 'AWS::ECS::Cluster', { ClusterName: 'a.b' })).toThrow('Invalid identifier');
    expect(() => make(world, 'AWS::ECS::Cluster', { ClusterName: 'main' })).toThrow('already exists');
  });
});
