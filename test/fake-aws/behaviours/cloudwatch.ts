import type { Behaviour, Context } from '../behaviour.ts';
import { physicalName } from '../cloudformation/names.ts';
import { type Properties, textAt, textsAt } from '../values.ts';
import { globalPlace } from '../world.ts';
import { checkBody } from './cloudwatch-dashboards.ts';
import { checkExpression, isQuery } from './cloudwatch-math.ts';
import { flagAt, numberAt, objectsAt, requiredText } from './property-values.ts';
import { alreadyExists, invalid, numberOr } from './refusals.ts';

export const ALARM = 'AWS::CloudWatch::Alarm';
export const COMPOSITE_ALARM = 'AWS::CloudWatch::CompositeAlarm';
export const DASHBOARD = 'AWS::CloudWatch::Dashboard';

// "CloudWatch service quotas" (https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch_limits.html), "PutMetricAlarm",
// "PutCompositeAlarm", "PutDashboard".
const NAME_MAX = 255;
const ACTIONS_MAX = 5;
const DIMENSIONS_MAX = 30;
const METRICS_MAX = 10;
const RULE_MAX = 10_240;
const DAY_SECONDS = 86_400;
const WEEK_SECONDS = 7 * DAY_SECONDS;
const HOUR_SECONDS = 3600;
const STATISTICS: readonly string[] = ['Average', 'Maximum', 'Minimum', 'SampleCount', 'Sum'];
const SHORT_PERIODS: readonly number[] = [10, 20, 30];

/** https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-cloudwatch-alarm.html and CloudWatch's PutMetricAlarm. */
const alarm: Behaviour = {
  type: ALARM,

  create(context, properties) {
    checkAlarm(context, properties);
    return { ...alarmNamed(context, properties), state: new Map([['StateValue', 'INSUFFICIENT_DATA']]) };
  },

  update(context, _, properties) {
    checkAlarm(context, properties);
    return undefined;
  },
};

/** https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-cloudwatch-compositealarm.html. */
const compositeAlarm: Behaviour = {
  type: COMPOSITE_ALARM,

  create(context, properties) {
    checkComposite(context, properties);
    return { ...alarmNamed(context, properties), state: new Map([['StateValue', 'INSUFFICIENT_DATA']]) };
  },

  update(context, _, properties) {
    checkComposite(context, properties);
    return undefined;
  },
};

/** An account has its dashboards once: "All dashboards in your account are global, not Region-specific" (CloudWatch's PutDashboard). */
const dashboard: Behaviour = {
  type: DASHBOARD,
  scope: 'global',

  create(context, properties) {
    const name = textAt(properties, 'DashboardName') ?? physicalName(context, NAME_MAX);
    if (!/^[\w-]{1,255}$/u.test(name)) {
      throw invalid(
        `The dashboard name ${name} contains invalid characters. Valid characters include A-Z, a-z, 0-9, dash (-), and underscore (_).`,
        'InvalidParameterInput',
      );
    }
    if (context.world.find(globalPlace(context.place), DASHBOARD, name) !== undefined) {
      throw alreadyExists(DASHBOARD, name);
    }
    checkBody(requiredText(properties, 'DashboardBody'));
    return { id: name };
  },

  update(_, __, properties) {
    checkBody(requiredText(properties, 'DashboardBody'));
    return undefined;
  },
};

export const CLOUDWATCH: readonly Behaviour[] = [alarm, compositeAlarm, dashboard];

/** Names of metric and composite alarms share one space. */
function alarmNamed(context: Context, properties: Properties): { id: string; attributes: Properties } {
  const { world, place } = context;
  const name = textAt(properties, 'AlarmName') ?? physicalName(context, NAME_MAX);
  if (name.length > NAME_MAX) {
    throw invalid(
      `1 validation error detected: Value '${name}' at 'alarmName' failed to satisfy constraint: Member must have length less than or equal to ${NAME_MAX}`,
    );
  }
  for (const type of [ALARM, COMPOSITE_ALARM]) {
    if (world.find(place, type, name) !== undefined) throw alreadyExists(type, name);
  }
  return {
    id: name,
    attributes: { Arn: `arn:aws:cloudwatch:${place.region}:${place.account}:alarm:${name}` },
  };
}

function checkActions({ place }: Context, properties: Properties): void {
  for (const list of ['AlarmActions', 'OKActions', 'InsufficientDataActions']) {
    const actions = textsAt(properties, list);
    if (actions.length > ACTIONS_MAX) {
      throw invalid(`The collection ${list} must not have more than ${ACTIONS_MAX} elements.`);
    }
    for (const action of actions) {
      const [, , , region, account] = /^arn:aws[a-z-]*:[^:]+:/u.test(action) ? action.split(':') : [];
      if (region === undefined) throw invalid(`Invalid arn syntax: ${action}`);
      // "The ARN … must be in the same Region as the alarm"; of another account they may be since cross-account alarms.
      if (region !== place.region) {
        throw invalid(`Invalid region ${region} specified. Only ${place.region} is supported.`);
      }
      if (account === '') throw invalid(`Invalid arn syntax: ${action}`);
    }
  }
}

function checkAlarm(context: Context, properties: Properties): void {
  checkActions(context, properties);
  const queries = objectsAt(properties, 'Metrics');
  const single = textAt(properties, 'MetricName');
  if (single !== undefined && queries.length > 0) {
    throw invalid(
      'The parameters Metrics and MetricName are mutually exclusive and you have specified both.',
    );
  }
  if (single === undefined && queries.length === 0) {
    throw invalid('One of the parameters Metrics or MetricName must be specified.');
  }
  if (single === undefined) checkQueries(queries);
  else checkSingle(properties);
  // "PutMetricAlarm", Threshold: "required for alarms based on static thresholds and should not be used for alarms based on anomaly
  // detection models".
  if ((properties['Threshold'] === undefined) === (properties['ThresholdMetricId'] === undefined)) {
    throw invalid('Exactly one of Threshold or ThresholdMetricId must be specified.');
  }
  const periods = numberOr(properties, 'EvaluationPeriods', 1);
  if (numberOr(properties, 'DatapointsToAlarm', 1) > periods) {
    throw invalid('Datapoints to alarm must be less than or equal to evaluation periods.');
  }
  checkSpan(Math.max(0, ...periodsOf(properties, queries)), periods);
}

/** "The metric's period multiplied by EvaluationPeriods can't exceed a day, or seven for periods of an hour or more" (PutMetricAlarm). */
function checkSpan(period: number, periods: number): void {
  if (period * periods <= (period >= HOUR_SECONDS ? WEEK_SECONDS : DAY_SECONDS)) return;
  throw invalid(
    'Metrics cannot be checked across more than a day (EvaluationPeriods * Period must be <= 86400).',
  );
}

function checkSingle(properties: Properties): void {
  const statistics = ['Statistic', 'ExtendedStatistic'].filter((name) => properties[name] !== undefined);
  if (statistics.length !== 1)
    throw invalid('One and only one of Statistic or ExtendedStatistic is required.');
  const extended = textAt(properties, 'ExtendedStatistic');
  if (extended !== undefined && !isExtended(extended)) {
    throw invalid(`The value ${extended} for parameter ExtendedStatistic is not supported.`);
  }
  if (textAt(properties, 'Namespace') === undefined) throw invalid('The parameter Namespace is required.');
  if (numberAt(properties, 'Period') === undefined) throw invalid('The parameter Period is required.');
  if (objectsAt(properties, 'Dimensions').length > DIMENSIONS_MAX) {
    throw invalid(`The collection Dimensions must not have more than ${DIMENSIONS_MAX} elements.`);
  }
}

function checkQueries(queries: readonly Properties[]): void {
  const ids = queries.map((query) => requiredText(query, 'Id'));
  if (ids.some((id) => !/^[a-z]\w{0,254}$/u.test(id))) {
    throw invalid('Invalid metrics list: ids must start with a lowercase letter.');
  }
  if (new Set(ids).size !== ids.length) throw invalid('Invalid metrics list: ids must be unique.');
  const returned = queries.filter((query) => flagAt(query, 'ReturnData') ?? queries.length === 1);
  if (returned.length !== 1) {
    throw invalid('Exactly one element of the metrics list should return data.');
  }
  if (queries.filter(({ MetricStat: metric }) => metric !== undefined).length > METRICS_MAX) {
    throw invalid(`The collection Metrics must not have more than ${METRICS_MAX} metrics.`);
  }
  for (const query of queries) {
    if ((query['Expression'] === undefined) === (query['MetricStat'] === undefined)) {
      throw invalid('Each element of the metrics list must have either Expression or MetricStat.');
    }
    checkQuery(query, ids);
  }
}

function checkQuery(query: Properties, ids: readonly string[]): void {
  const statistic = textAt(query, 'MetricStat.Stat');
  if (statistic !== undefined && !STATISTICS.includes(statistic) && !isExtended(statistic)) {
    throw invalid(`The value ${statistic} for parameter Stat is not supported.`);
  }
  const expression = textAt(query, 'Expression');
  if (expression === undefined) return;
  const id = requiredText(query, 'Id');
  checkExpression(expression, id, ids);
  // "Create a CloudWatch alarm based on a Metrics Insights query": the query has no metric whose period it could take over. The sentence is
  // CloudWatch's: hashicorp/terraform-provider-aws issue 11011.
  if (isQuery(expression) && numberAt(query, 'Period') === undefined) {
    throw invalid('Period must not be null');
  }
}

/** "CloudWatch statistics definitions": percentiles, trimmed and winsorized means, counts, sums and ranks. */
function isExtended(statistic: string): boolean {
  if (statistic === 'IQM') return true;
  const [, share] = /^(?:p|tm|wm|tc|ts)(\d+(?:\.\d+)?)$/u.exec(statistic) ?? [];
  if (share !== undefined) return Number(share) <= 100;
  return /^(?:TM|WM|TC|TS|PR)\((?:\d+(?:\.\d+)?%?)?:(?:\d+(?:\.\d+)?%?)?\)$/u.test(statistic);
}

function periodsOf(properties: Properties, queries: readonly Properties[]): readonly number[] {
  const all = [
    numberAt(properties, 'Period'),
    ...queries.map((query) => numberAt(query, 'Period') ?? numberAt(query, 'MetricStat.Period')),
  ].filter((period) => period !== undefined);
  const wrong = all.find((period) => period % 60 !== 0 && !SHORT_PERIODS.includes(period));
  if (wrong !== undefined) throw invalid(`Period must be 10, 20, 30 or a multiple of 60: ${wrong}`);
  return all;
}

function checkComposite(context: Context, properties: Properties): void {
  const { world, place } = context;
  checkActions(context, properties);
  const rule = requiredText(properties, 'AlarmRule');
  if (rule.length > RULE_MAX) throw invalid(`AlarmRule must not exceed ${RULE_MAX} characters.`);
  const missing = [...rule.matchAll(/\b(?:ALARM|OK|INSUFFICIENT_DATA)\s*\(\s*["']?([^"')]+?)["']?\s*\)/gu)]
    .map(([, name = '']) => name.replace(/^arn:.*:alarm:/u, ''))
    .filter((name) => [ALARM, COMPOSITE_ALARM].every((type) => world.find(place, type, name) === undefined));
  if (missing.length > 0) {
    throw invalid(
      `Could not save the composite alarm as alarms [${missing.join(', ')}] in the alarm rule do not exist`,
    );
  }
}
