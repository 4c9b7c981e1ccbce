import { aws_budgets as budgets } from 'aws-cdk-lib';
import { Construct } from 'constructs';

export interface SpendingProps {
  readonly usdPerMonth: number;
  /** Told at 80 % spent, and when the month's end is forecast to be above the budget. */
  readonly email: string;
}

/** A budget for the zone's account. It tells; it stops nothing. */
export class Spending extends Construct {
  constructor(scope: Construct, id: string, { usdPerMonth, email }: SpendingProps) {
    super(scope, id);
    const notice = (
      notificationType: string,
      threshold: number,
    ): budgets.CfnBudget.NotificationWithSubscribersProperty => ({
      notification: {
        notificationType,
        threshold,
        thresholdType: 'PERCENTAGE',
        comparisonOperator: 'GREATER_THAN',
      },
      subscribers: [{ subscriptionType: 'EMAIL', address: email }],
    });
    new budgets.CfnBudget(this, 'Budget', {
      budget: {
        budgetType: 'COST',
        timeUnit: 'MONTHLY',
        budgetLimit: { amount: usdPerMonth, unit: 'USD' },
      },
      notificationsWithSubscribers: [notice('ACTUAL', 80), notice('FORECASTED', 100)],
    });
  }
}
