import { expect, test } from 'vitest';
import { PLACE, definitionOf, make, serviceOf, taskWorld } from '../behaviours/task-world.ts';
import type { Answer, Service } from '../call.ts';
import type { Properties } from '../values.ts';
import { World } from '../world.ts';
import { APPLICATION_AUTO_SCALING } from './application-autoscaling.ts';
import { CLOUDWATCH_API } from './cloudwatch.ts';
import { SNS_API } from './sns.ts';

function ask(world: World, service: Service, action: string, input: Properties): Answer | Promise<Answer> {
  const does = service.actions[action];
  if (does === undefined) throw new Error(`no action ${action}`);
  return does({
    ...PLACE,
    world,
    action,
    input,
    method: 'POST',
    path: '/',
    query: new URLSearchParams(),
    headers: {},
    body: Buffer.alloc(0),
    endpoint: '',
  });
}

test('SNS shows a subscription by e-mail as pending', () => {
  const world = new World();
  const { id: TopicArn } = make(world, 'AWS::SNS::Topic', { TopicName: 'alarms' });
  make(world, 'AWS::SNS::Subscription', { TopicArn, Protocol: 'email', Endpoint: 'ops@example.com' });
  expect(ask(world, SNS_API, 'ListSubscriptionsByTopic', { TopicArn })).toMatchObject({
    result: {
      Subscriptions: { member: [{ SubscriptionArn: 'PendingConfirmation', Endpoint: 'ops@example.com' }] },
    },
  });
  expect(ask(world, SNS_API, 'GetTopicAttributes', { TopicArn })).toMatchObject({
    result: { Attributes: { entry: expect.arrayContaining([{ key: 'SubscriptionsPending', value: '1' }]) } },
  });
  expect(() => ask(world, SNS_API, 'Publish', { TopicArn: 'none' })).toThrow('Topic does not exist');
});

test('CloudWatch keeps the state that an alarm is set to', () => {
  const world = new World();
  make(world, 'AWS::CloudWatch::Alarm', {
    AlarmName: 'Faults',
    Namespace: 'N',
    MetricName: 'M',
    Statistic: 'Sum',
    Period: 60,
    EvaluationPeriods: 1,
    Threshold: 1,
    ComparisonOperator: 'GreaterThanThreshold',
  });
  const state = (): Answer | Promise<Answer> =>
    ask(world, CLOUDWATCH_API, 'DescribeAlarms', { AlarmNames: ['Faults'] });
  const as = (StateValue: string): object => ({
    result: { MetricAlarms: { member: [{ AlarmName: 'Faults', StateValue }] } },
  });
  expect(state()).toMatchObject(as('INSUFFICIENT_DATA'));
  const set = { AlarmName: 'Faults', StateValue: 'ALARM', StateReason: 'test' };
  void ask(world, CLOUDWATCH_API, 'SetAlarmState', set);
  expect(state()).toMatchObject(as('ALARM'));
  expect(() => ask(world, CLOUDWATCH_API, 'SetAlarmState', { ...set, AlarmName: 'none' })).toThrow(
    'Unknown alarm',
  );
  expect(() => ask(world, CLOUDWATCH_API, 'SetAlarmState', { ...set, StateValue: 'red' })).toThrow(
    'Invalid state value',
  );
});

test('CloudWatch gives a dashboard back in every region', () => {
  const world = new World();
  const DashboardBody = '{"widgets":[]}';
  make(world, 'AWS::CloudWatch::Dashboard', { DashboardName: 'zone', DashboardBody });
  expect(ask(world, CLOUDWATCH_API, 'GetDashboard', { DashboardName: 'zone' })).toMatchObject({
    result: { DashboardBody },
  });
  expect(ask(world, CLOUDWATCH_API, 'ListDashboards', {})).toMatchObject({
    result: { DashboardEntries: { member: [{ DashboardName: 'zone' }] } },
  });
});

test('Application Auto Scaling changes the bounds of a target that is there', () => {
  const world = taskWorld();
  const definition = make(world, 'AWS::ECS::TaskDefinition', definitionOf());
  make(world, 'AWS::ECS::Service', serviceOf(definition));
  const key = {
    ServiceNamespace: 'ecs',
    ResourceId: 'service/main/verify',
    ScalableDimension: 'ecs:service:DesiredCount',
  };
  expect(() =>
    ask(world, APPLICATION_AUTO_SCALING, 'RegisterScalableTarget', { ...key, MinCapacity: 1 }),
  ).toThrow('No scalable target registered');
  make(world, 'AWS::ApplicationAutoScaling::ScalableTarget', { ...key, MinCapacity: 1, MaxCapacity: 4 });
  void ask(world, APPLICATION_AUTO_SCALING, 'RegisterScalableTarget', { ...key, MinCapacity: 3 });
  expect(
    ask(world, APPLICATION_AUTO_SCALING, 'DescribeScalableTargets', { ServiceNamespace: 'ecs' }),
  ).toMatchObject({
    result: { ScalableTargets: [{ ...key, MinCapacity: 3, MaxCapacity: 4 }] },
  });
  expect(world.all('AWS::ECS::Task')).toHaveLength(3);
});
