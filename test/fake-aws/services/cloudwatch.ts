import { ALARM, DASHBOARD } from '../behaviours/cloudwatch.ts';
import { requiredText } from '../behaviours/property-values.ts';
import { type Answer, type Call, type Service, members } from '../call.ts';
import { Refusal } from '../refusal.ts';
import { type Properties, textAt, textsAt } from '../values.ts';
import { type Resource, globalPlace } from '../world.ts';

const NOT_FOUND_STATUS = 404;
const STATES = new Set(['ALARM', 'INSUFFICIENT_DATA', 'OK']);

/**
 * Amazon CloudWatch, API version 2010-08-01, in its Query protocol
 * (https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/). Nothing is measured: an alarm's state is what SetAlarmState says.
 */
export const CLOUDWATCH_API: Service = {
  signingName: 'monitoring',
  protocol: 'query',
  namespace: 'http://monitoring.amazonaws.com/doc/2010-08-01/',
  actions: {
    DescribeAlarms: describeAlarms,
    GetDashboard: getDashboard,
    ListDashboards: listDashboards,
    SetAlarmState: setAlarmState,
  },
};

function describeAlarms({ world, account, region, input }: Call): Answer {
  const names = textsAt(input, 'AlarmNames');
  const prefix = textAt(input, 'AlarmNamePrefix') ?? '';
  const alarms = world
    .all(ALARM, { account, region })
    .filter(({ id }) => id.startsWith(prefix) && (names.length === 0 || names.includes(id)));
  return { result: { MetricAlarms: members(alarms.map((alarm) => alarmShape(alarm))) } };
}

function alarmShape({ id, attributes, properties, state }: Resource): Properties {
  return {
    AlarmName: id,
    AlarmArn: requiredText(attributes, 'Arn'),
    AlarmDescription: requiredText(properties, 'AlarmDescription'),
    StateValue: state.get('StateValue') ?? 'INSUFFICIENT_DATA',
    StateReason: state.get('StateReason') ?? 'Unchecked: Initial alarm creation',
    AlarmActions: members(textsAt(properties, 'AlarmActions')),
    OKActions: members(textsAt(properties, 'OKActions')),
    InsufficientDataActions: members(textsAt(properties, 'InsufficientDataActions')),
  };
}

function setAlarmState({ world, account, region, input }: Call): Answer {
  const alarm = world.find({ account, region }, ALARM, requiredText(input, 'AlarmName'));
  if (alarm === undefined) throw new Refusal('ResourceNotFound', 'Unknown alarm', NOT_FOUND_STATUS);
  const value = requiredText(input, 'StateValue');
  if (!STATES.has(value)) throw new Refusal('ValidationError', `Invalid state value: ${value}`);
  alarm.state.set('StateValue', value);
  alarm.state.set('StateReason', requiredText(input, 'StateReason'));
  return { result: {} };
}

function getDashboard(call: Call): Answer {
  const name = requiredText(call.input, 'DashboardName');
  const dashboard = call.world.find(globalPlace(call), DASHBOARD, name);
  if (dashboard === undefined) {
    throw new Refusal('ResourceNotFound', `Dashboard ${name} does not exist`, NOT_FOUND_STATUS);
  }
  return {
    result: {
      DashboardArn: `arn:aws:cloudwatch::${call.account}:dashboard/${name}`,
      DashboardName: name,
      DashboardBody: requiredText(dashboard.properties, 'DashboardBody'),
    },
  };
}

function listDashboards(call: Call): Answer {
  const prefix = textAt(call.input, 'DashboardNamePrefix') ?? '';
  const found = call.world.all(DASHBOARD, globalPlace(call)).filter(({ id }) => id.startsWith(prefix));
  return {
    result: {
      DashboardEntries: members(
        found.map(({ id }) => ({
          DashboardName: id,
          DashboardArn: `arn:aws:cloudwatch::${call.account}:dashboard/${id}`,
        })),
      ),
    },
  };
}
