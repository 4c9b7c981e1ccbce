import type { Behaviour } from '../behaviour.ts';
import { physicalName } from '../cloudformation/names.ts';
import { Refusal } from '../refusal.ts';
import { type Properties, textAt, valueAt } from '../values.ts';
import { globalPlace } from '../world.ts';
import { objectsAt, scalarText } from './property-values.ts';

const BUDGET = 'AWS::Budgets::Budget';

// "CreateBudget" and "Quotas and restrictions" of AWS Budgets
// (https://docs.aws.amazon.com/cost-management/latest/userguide/management-limits.html).
const NAME_MAX = 100;
const NOTIFICATIONS_MAX = 5;
const EMAILS_MAX = 10;
const TOPICS_MAX = 1;
// "Notification", ThresholdType.
const THRESHOLD_DEFAULTS: Readonly<Record<string, string>> = { ThresholdType: 'PERCENTAGE' };

/** https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-budgets-budget.html. Its API is in us-east-1 alone. */
const budget: Behaviour = {
  type: BUDGET,
  scope: 'global',

  create(context, properties) {
    const name = textAt(properties, 'Budget.BudgetName') ?? physicalName(context, NAME_MAX);
    if (!/^[^:\\]{1,100}$/u.test(name)) {
      throw new Refusal('InvalidParameterException', `Budget name ${name} is not valid.`);
    }
    if (context.world.find(globalPlace(context.place), BUDGET, name) !== undefined) {
      throw new Refusal(
        'DuplicateRecordException',
        `Error creating budget: ${name} - the budget already exists.`,
      );
    }
    checkBudget(properties);
    return { id: name, attributes: { Id: name } };
  },

  update(_, __, properties) {
    checkBudget(properties);
    return undefined;
  },
};

export const BUDGETS: readonly Behaviour[] = [budget];

function checkBudget(properties: Properties): void {
  const limits = ['BudgetLimit', 'PlannedBudgetLimits', 'AutoAdjustData'];
  if (limits.every((limit) => valueAt(properties, `Budget.${limit}`) === undefined)) {
    throw new Refusal(
      'InvalidParameterException',
      'One of BudgetLimit, PlannedBudgetLimits or AutoAdjustData must be specified.',
    );
  }
  const notifications = objectsAt(properties, 'NotificationsWithSubscribers');
  if (notifications.length > NOTIFICATIONS_MAX) {
    throw new Refusal(
      'CreationLimitExceededException',
      `The number of notifications for a budget must not exceed ${NOTIFICATIONS_MAX}.`,
    );
  }
  // "CreateNotification", DuplicateRecordException: type, comparison and threshold are what a notification is known by.
  const known = notifications.map((one) =>
    ['NotificationType', 'ComparisonOperator', 'Threshold', 'ThresholdType']
      .map((name) => scalarText(valueAt(one, `Notification.${name}`)) || THRESHOLD_DEFAULTS[name])
      .join('/'),
  );
  if (new Set(known).size < known.length) {
    throw new Refusal(
      'DuplicateRecordException',
      `Error creating notification: ${textAt(properties, 'Budget.BudgetName') ?? ''} - the notification already exists.`,
    );
  }
  for (const notification of notifications) checkSubscribers(notification);
}

function checkSubscribers(notification: Properties): void {
  const subscribers = objectsAt(notification, 'Subscribers');
  const count = (kind: string): number =>
    subscribers.filter((one) => one['SubscriptionType'] === kind).length;
  if (subscribers.length === 0 || count('EMAIL') > EMAILS_MAX || count('SNS') > TOPICS_MAX) {
    throw new Refusal(
      'InvalidParameterException',
      `A notification must have 1 to ${EMAILS_MAX} email subscribers and at most ${TOPICS_MAX} SNS subscriber.`,
    );
  }
  for (const one of subscribers) {
    const shape = one['SubscriptionType'] === 'SNS' ? /^arn:aws:sns:/u : /^[^\s@]+@[^\s@]+$/u;
    const address = textAt(one, 'Address') ?? '';
    if (!shape.test(address)) {
      throw new Refusal('InvalidParameterException', `Subscriber address ${address} is not valid.`);
    }
  }
}
