import {
  aws_cloudwatch as cloudwatch,
  aws_cloudwatch_actions as actions,
  type aws_sns as sns,
  Duration,
} from 'aws-cdk-lib';
import { Construct } from 'constructs';
import type { AwsRegion } from '../../topology/aws-regions.ts';
import { alarmName, type ZoneName } from '../names.ts';

/** What an alarm watches, and what its section in docs/OPERATIONS.md is called. */
export interface AlarmPlan {
  /** PascalCase; part of the alarm's name and of the section's heading. */
  readonly id: string;
  /** One sentence: what is wrong when it rings. */
  readonly meaning: string;
  readonly metric: cloudwatch.IMetric;
  /** @default above */
  readonly when?: 'above' | 'below';
  readonly threshold: number;
  /** Of the last `of` periods so many must breach. */
  readonly periods: number;
  /** @default the same as `periods` */
  readonly of?: number;
  /** What silence means: `bad` where the metric is always there, `fine` where it only appears when something happens. */
  readonly silence: 'bad' | 'fine';
}

export interface RegionAlarmsProps {
  readonly zone: ZoneName;
  readonly region: AwsRegion;
  readonly topic: sns.ITopic;
  readonly plans: readonly AlarmPlan[];
}

/** What an alarm says: what is wrong, and where it stands what to do. */
export function alarmDescription(id: string, meaning: string): string {
  return `${meaning} What to do: docs/OPERATIONS.md, "Alarm ${id}".`;
}

/** Period of everything that is watched. */
export const PERIOD = Duration.minutes(1);

/** Alarms of a region. Each tells the region's topic when it rings and when it is over, and names the section that says what to do. */
export class RegionAlarms extends Construct {
  constructor(scope: Construct, id: string, { zone, region, topic, plans }: RegionAlarmsProps) {
    super(scope, id);
    const action = new actions.SnsAction(topic);
    for (const plan of plans) {
      const alarm = new cloudwatch.Alarm(this, plan.id, {
        alarmName: alarmName(zone, region, plan.id),
        alarmDescription: alarmDescription(plan.id, plan.meaning),
        metric: plan.metric,
        threshold: plan.threshold,
        comparisonOperator:
          plan.when === 'below'
            ? cloudwatch.ComparisonOperator.LESS_THAN_THRESHOLD
            : cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD,
        datapointsToAlarm: plan.periods,
        evaluationPeriods: plan.of ?? plan.periods,
        treatMissingData:
          plan.silence === 'bad'
            ? cloudwatch.TreatMissingData.BREACHING
            : cloudwatch.TreatMissingData.NOT_BREACHING,
      });
      alarm.addAlarmAction(action);
      alarm.addOkAction(action);
    }
  }
}
