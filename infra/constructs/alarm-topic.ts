import {
  aws_iam as iam,
  type aws_kms as kms,
  aws_sns as sns,
  aws_sns_subscriptions as subscriptions,
} from 'aws-cdk-lib';
import { Construct } from 'constructs';
import type { AwsRegion } from '../../topology/aws-regions.ts';

export interface AlarmTopicProps {
  readonly account: string;
  readonly region: AwsRegion;
  readonly key: kms.IKey;
  /** Told of every alarm, once its owner has confirmed. Null: nobody. */
  readonly email: string | null;
}

/** Where a region's alarms go: encrypted, by TLS only, and written to by this account's alarms alone. */
export class AlarmTopic extends Construct {
  readonly topic: sns.Topic;

  constructor(scope: Construct, id: string, { account, region, key, email }: AlarmTopicProps) {
    super(scope, id);
    this.topic = new sns.Topic(this, 'Topic', { masterKey: key, enforceSSL: true });
    this.topic.addToResourcePolicy(
      new iam.PolicyStatement({
        sid: 'Alarms',
        principals: [new iam.ServicePrincipal('cloudwatch.amazonaws.com')],
        actions: ['sns:Publish'],
        resources: [this.topic.topicArn],
        conditions: {
          StringEquals: { 'aws:SourceAccount': account },
          ArnLike: { 'aws:SourceArn': `arn:aws:cloudwatch:${region}:${account}:alarm:*` },
        },
      }),
    );
    if (email !== null) this.topic.addSubscription(new subscriptions.EmailSubscription(email));
  }
}
