import { describe, expect, test } from 'vitest';
import type { Properties } from '../values.ts';
import { type Resource, World, globalPlace } from '../world.ts';
import { PLACE, make } from './task-world.ts';

const TOPIC_ARN = 'arn:aws:sns:eu-west-1:111122223333:alarms';
const ALARM = 'AWS::CloudWatch::Alarm';
const COMPOSITE = 'AWS::CloudWatch::CompositeAlarm';
const DASHBOARD = 'AWS::CloudWatch::Dashboard';

const PLAIN_ALARM: Properties = {
  AlarmName: 'Faults',
  Namespace: 'AWS/ECS',
  MetricName: 'CPUUtilization',
  Statistic: 'Average',
  Period: 60,
  EvaluationPeriods: 3,
  Threshold: 1,
  ComparisonOperator: 'GreaterThanThreshold',
};

describe('CloudWatch', () => {
  const sum = { Id: 'total', Expression: 'a + b' };
  const metric = (Id: string): Properties => ({
    Id,
    ReturnData: false,
    MetricStat: { Period: 60, Stat: 'Sum', Metric: { Namespace: 'N', MetricName: Id } },
  });
  const { Namespace: _n, MetricName: _m, Statistic: _s, Period: _p, ...bare } = PLAIN_ALARM;

  test('an alarm has its ARN, and metric and composite alarms share their names', () => {
    const world = new World();
    const alarm = make(world, ALARM, PLAIN_ALARM);
    expect(alarm.attributes['Arn']).toBe('arn:aws:cloudwatch:eu-west-1:111122223333:alarm:Faults');
    const composite = { AlarmName: 'Faults', AlarmRule: 'ALARM("Faults")' };
    expect(() => make(world, COMPOSITE, composite)).toThrow(
      expect.objectContaining({ code: 'AlreadyExists' }),
    );
    expect(make(world, COMPOSITE, { ...composite, AlarmName: 'All' }).id).toBe('All');
  });

  test('an alarm may watch a formula over metrics, and a query', () => {
    const world = new World();
    const Metrics = [{ ...sum, ReturnData: true }, metric('a'), metric('b')];
    expect(make(world, ALARM, { ...bare, Metrics }).id).toBe('Faults');
    const query = {
      Id: 'q',
      Period: 60,
      ReturnData: true,
      Expression: 'SELECT MAX(AuroraReplicaLag) FROM "AWS/RDS"',
    };
    expect(make(world, ALARM, { ...bare, AlarmName: 'Query', Metrics: [query] }).id).toBe('Query');
  });

  test.each<[string, Properties, string]>([
    ['with a name over 255 characters', { AlarmName: 'a'.repeat(256) }, 'less than or equal to 255'],
    [
      'that acts in another region',
      { AlarmActions: ['arn:aws:sns:us-east-1:111122223333:alarms'] },
      'Invalid region us-east-1 specified. Only eu-west-1 is supported.',
    ],
    ['that acts on no ARN', { OKActions: ['alarms'] }, 'Invalid arn syntax: alarms'],
    [
      'with six actions',
      { AlarmActions: Array.from({ length: 6 }, (_, n) => `${TOPIC_ARN}${n}`) },
      'must not have more than 5 elements',
    ],
    [
      'with more breaches than periods',
      { DatapointsToAlarm: 4 },
      'Datapoints to alarm must be less than or equal to evaluation periods.',
    ],
    [
      'over more than a day',
      { Period: 600, EvaluationPeriods: 145 },
      'Metrics cannot be checked across more than a day',
    ],
    ['of a period that there is not', { Period: 90 }, 'Period must be 10, 20, 30 or a multiple of 60'],
    [
      'of two statistics',
      { ExtendedStatistic: 'p99' },
      'One and only one of Statistic or ExtendedStatistic is required.',
    ],
    [
      'of the 101st percentile',
      { Statistic: null, ExtendedStatistic: 'p101' },
      'p101 for parameter ExtendedStatistic is not supported',
    ],
    ['without a period', { Period: null }, 'The parameter Period is required.'],
    ['without a threshold', { Threshold: null }, 'Exactly one of Threshold or ThresholdMetricId'],
    ['of a metric and a formula', { Metrics: [sum] }, 'mutually exclusive'],
  ])('refuses an alarm %s', (_, changes, sentence) => {
    // What is null here is left away.
    const given = Object.entries({ ...PLAIN_ALARM, ...changes }).filter(([, value]) => value !== null);
    expect(() => make(new World(), ALARM, Object.fromEntries(given))).toThrow(sentence);
  });

  test.each<[string, readonly Properties[], string]>([
    ['that returns nothing', [metric('a')], 'Exactly one element of the metrics list should return data.'],
    ['with an id twice', [{ ...metric('a'), ReturnData: true }, metric('a')], 'ids must be unique'],
    [
      'with an id in capitals',
      [{ ...metric('A'), ReturnData: true }],
      'ids must start with a lowercase letter',
    ],
    [
      'over a metric that it does not have',
      [{ ...sum, ReturnData: true }, metric('a')],
      'unknown identifier b',
    ],
  ])('refuses a formula %s', (_, Metrics, sentence) => {
    expect(() => make(new World(), ALARM, { ...bare, Metrics })).toThrow(sentence);
  });

  test.each([
    'IF(a >= 100, 100 * (FILL(a, 0) + FILL(b, REPEAT)) / a, 0)',
    'SUM([a, b]) > -1 AND RATE(b) < .5',
    "SERVICE_QUOTA(a) && (b || SUM(METRICS('a'))) ^ 2",
  ])('an alarm may watch %s', (Expression) => {
    const Metrics = [{ Id: 'total', Expression, ReturnData: true }, metric('a'), metric('b')];
    expect(make(new World(), ALARM, { ...bare, Metrics }).id).toBe('Faults');
  });

  test.each([
    ['(a + b', "Error in expression 'total': unexpected end"],
    ['a + b)', "Error in expression 'total': unexpected ')'"],
    ['a + * b', "Error in expression 'total': unexpected '*'"],
    ['a b', "Error in expression 'total': unexpected 'b'"],
    ['IF(a,', "Error in expression 'total': unexpected end"],
    ['a ; b', 'unexpected character at position 1'],
    ['NOPE(a)', 'unknown function NOPE'],
    ["SUM(SEARCH('{AWS/ECS} x', 'Sum', 60))", 'SEARCH is not supported on Metric Alarms.'],
  ])('refuses the formula %s', (Expression, sentence) => {
    const Metrics = [{ Id: 'total', Expression, ReturnData: true }, metric('a'), metric('b')];
    expect(() => make(new World(), ALARM, { ...bare, Metrics })).toThrow(sentence);
  });

  test.each([
    'SELECT rubbish',
    'SELECT MAX(a) FROM',
    'SELECT MEDIAN(a) FROM "AWS/RDS"',
    'SELECT MAX(a) FROM "AWS/RDS" WHERE b = c',
    "SELECT MAX(a) FROM \"AWS/RDS\" WHERE b = 'c' OR d = 'e'",
  ])('refuses the query %s', (Expression) => {
    const Metrics = [{ Id: 'q', Period: 60, Expression }];
    expect(() => make(new World(), ALARM, { ...bare, Metrics })).toThrow('invalid Metrics Insights query');
  });

  test('refuses a query without a period, and a metric by a statistic that there is not', () => {
    const Expression = `SELECT AVG(a) FROM SCHEMA("AWS/RDS", b) WHERE b != 'c' GROUP BY b ORDER BY AVG() DESC LIMIT 5`;
    const Metrics = [{ Id: 'q', Expression }];
    expect(() => make(new World(), ALARM, { ...bare, Metrics })).toThrow('Period must not be null');
    make(new World(), ALARM, { ...bare, Metrics: [{ ...Metrics[0], Period: 60 }] });
    const measured = (Stat: string): Properties => ({
      ...bare,
      Metrics: [{ Id: 'a', MetricStat: { Period: 60, Stat, Metric: { Namespace: 'N', MetricName: 'a' } } }],
    });
    expect(() => make(new World(), ALARM, measured('Median'))).toThrow('Median for parameter Stat is not');
    for (const fits of ['p99.9', 'tm90', 'TM(10%:90%)', 'PR(:300)', 'IQM']) {
      make(new World(), ALARM, measured(fits));
    }
  });

  test('refuses a composite alarm over alarms that are not there', () => {
    expect(() =>
      make(new World(), COMPOSITE, { AlarmName: 'All', AlarmRule: 'ALARM("x") OR ALARM(y)' }),
    ).toThrow('Could not save the composite alarm as alarms [x, y] in the alarm rule do not exist');
  });

  test('an account has a dashboard once, and its body is JSON with widgets', () => {
    const world = new World();
    const DashboardBody = JSON.stringify({ widgets: [{ type: 'text', properties: {} }] });
    const made = make(world, DASHBOARD, { DashboardName: 'zone', DashboardBody });
    expect(made).toMatchObject(globalPlace(PLACE));
    expect(() => make(world, DASHBOARD, { DashboardName: 'zone', DashboardBody })).toThrow('already exists');
    expect(() => make(world, DASHBOARD, { DashboardName: 'a b', DashboardBody })).toThrow(
      'invalid characters',
    );
    for (const body of ['{', '{}', '{"widgets":[{}]}']) {
      expect(() => make(world, DASHBOARD, { DashboardName: 'other', DashboardBody: body })).toThrow(
        expect.objectContaining({ code: 'InvalidParameterInput' }),
      );
    }
  });
});

describe('a dashboard', () => {
  const widget = (changes: Properties = {}, properties: Properties = {}): Properties => ({
    type: 'metric',
    width: 24,
    height: 6,
    properties: { region: 'eu-west-1', metrics: [['N', 'm']], ...properties },
    ...changes,
  });
  const many = (count: number): Properties => ({ metrics: Array.from({ length: count }, () => ['N', 'm']) });
  const put = (...widgets: Properties[]): Resource =>
    make(new World(), DASHBOARD, { DashboardName: 'zone', DashboardBody: JSON.stringify({ widgets }) });

  test('has widgets that fit its grid, and 2,500 metrics', () => {
    const full = Array.from({ length: 5 }, () => widget({}, many(500)));
    expect(put(...full).id).toBe('zone');
    expect(() => put(...full, widget())).toThrow('Should not have more than 2500 metrics');
  });

  test.each<[string, Properties, string]>([
    ['of an unknown type', widget({ type: 'gauge' }), '/widgets/0/type: Should be one of'],
    ['wider than it is itself', widget({ width: 25 }), '/widgets/0/width: Should be <= 24'],
    ['without any width', widget({ width: 0 }), '/widgets/0/width: Should be >= 1'],
    ['beyond its right edge', widget({ x: 24 }), '/widgets/0/x: Should be <= 23'],
    ['that is too high', widget({ height: 1001 }), '/widgets/0/height: Should be <= 1000'],
    ['of no region', widget({ properties: {} }), "Should have required property 'region'"],
    ['of 501 metrics', widget({}, many(501)), 'Should not have more than 500 items'],
  ])('is refused with a widget %s', (_, one, sentence) => {
    expect(() => put(one)).toThrow(expect.objectContaining({ code: 'InvalidParameterInput' }));
    expect(() => put(one)).toThrow(sentence);
  });
});
