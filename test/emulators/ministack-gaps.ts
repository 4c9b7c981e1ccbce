import type { Gap } from './emulators.ts';

/** What ministack 1.5.33 makes otherwise than CloudFormation. */
export const MINISTACK_GAPS: readonly Gap[] = [
  {
    type: 'AWS::SecretsManager::Secret',
    reference: { from: 'Ref', to: 'Id' },
    reason: 'Ref gives the name; CloudFormation’s gives the ARN',
    probe: {
      template: {
        Resources: { Secret: { Type: 'AWS::SecretsManager::Secret', Properties: { Name: 'probe' } } },
        Outputs: { Probe: { Value: { Ref: 'Secret' } } },
      },
      output: /^arn:aws:secretsmanager:/,
    },
  },
  {
    type: 'AWS::CloudWatch::Alarm',
    has: 'Metrics',
    reason: 'refuses alarms over metric math',
    probe: {
      template: {
        Resources: {
          Alarm: {
            Type: 'AWS::CloudWatch::Alarm',
            Properties: {
              ComparisonOperator: 'GreaterThanThreshold',
              EvaluationPeriods: 1,
              Threshold: 1,
              Metrics: [
                { Id: 'sum', Expression: 'one * 2' },
                {
                  Id: 'one',
                  ReturnData: false,
                  MetricStat: { Metric: { Namespace: 'Probe', MetricName: 'one' }, Period: 60, Stat: 'Sum' },
                },
              ],
            },
          },
        },
      },
    },
  },
];
