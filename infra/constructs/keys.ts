import { aws_iam as iam, aws_kms as kms, Duration, RemovalPolicy } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import type { AwsRegion } from '../../topology/aws-regions.ts';

/** Days in which a key can still be brought back after somebody deleted it: the shortest that KMS has where nothing is to be kept. */
const PENDING_DAYS = { retained: 30, disposable: 7 } as const;

export interface DataKeyProps {
  readonly account: string;
  readonly region: AwsRegion;
  /** Without `alias/`. Unique in the account's region. */
  readonly alias: string;
  /** Whether it stays when its stack is deleted. */
  readonly retained: boolean;
}

/** Encrypts what a region keeps. It exists in this region alone, so nothing encrypted with it can be read anywhere else. */
export class DataKey extends Construct {
  readonly key: kms.Key;

  constructor(scope: Construct, id: string, { account, region, alias, retained }: DataKeyProps) {
    super(scope, id);
    this.key = new kms.Key(this, 'Key', {
      alias,
      description: 'Keyhearth: everything at rest in this region',
      enableKeyRotation: true,
      ...removal(retained),
    });
    for (const statement of serviceStatements(account, region)) this.key.addToResourcePolicy(statement);
  }
}

/**
 * What AWS's services may do with a data key where they act in their own name. Everybody else (Aurora, Valkey, Secrets Manager,
 * Firehose, S3) acts for a role of the account, whose own policy decides. Each statement is bound to what belongs to this account and
 * region: CloudWatch Logs and Fargate by the encryption context that they always give, CloudWatch's alarms by that of the topic that
 * they publish to (the call carries no account of its own).
 */
function serviceStatements(account: string, region: AwsRegion): readonly iam.PolicyStatement[] {
  const statement = (
    sid: string,
    service: string,
    actions: string[],
    conditions: Record<string, Record<string, string | string[]>>,
  ): iam.PolicyStatement =>
    new iam.PolicyStatement({
      sid,
      principals: [new iam.ServicePrincipal(service)],
      actions: actions.map((action) => `kms:${action}`),
      resources: ['*'],
      conditions,
    });
  const cluster = { 'kms:EncryptionContext:aws:ecs:clusterAccount': account };
  return [
    statement(
      'LogGroups',
      `logs.${region}.amazonaws.com`,
      ['Decrypt', 'DescribeKey', 'Encrypt', 'GenerateDataKey*', 'ReEncrypt*'],
      {
        ArnLike: { 'kms:EncryptionContext:aws:logs:arn': `arn:aws:logs:${region}:${account}:log-group:*` },
      },
    ),
    statement('Alarms', 'cloudwatch.amazonaws.com', ['Decrypt', 'GenerateDataKey*'], {
      ArnLike: { 'kms:EncryptionContext:aws:sns:topicArn': `arn:aws:sns:${region}:${account}:*` },
    }),
    statement('TaskDisks', 'fargate.amazonaws.com', ['GenerateDataKeyWithoutPlaintext'], {
      StringEquals: cluster,
    }),
    statement('TaskDiskGrants', 'fargate.amazonaws.com', ['CreateGrant'], {
      StringEquals: cluster,
      'ForAllValues:StringEquals': { 'kms:GrantOperations': ['Decrypt'] },
    }),
  ];
}

export interface RecoverableKeyProps {
  readonly account: string;
  /** ARN of the key in the origin, for a copy of it; null in the origin itself. */
  readonly primaryArn: string | null;
  /** Whether it stays when its stack is deleted. */
  readonly retained: boolean;
}

/**
 * The one key of a zone that exists in all of its regions, and in no other: what it encrypts can be read after the loss of any of
 * them. It is for the texts of recoverable keys: tasks may encrypt and decrypt with it, for their own zone (constructs/task-roles.ts).
 */
export class RecoverableKey extends Construct {
  readonly arn: string;

  constructor(scope: Construct, id: string, { account, primaryArn, retained }: RecoverableKeyProps) {
    super(scope, id);
    const description = 'Keyhearth: recoverable keys, in every region of the zone';
    if (primaryArn === null) {
      const key = new kms.Key(this, 'Primary', {
        description,
        multiRegion: true,
        enableKeyRotation: true,
        ...removal(retained),
      });
      this.arn = key.keyArn;
      return;
    }
    const { removalPolicy, pendingWindow } = removal(retained);
    const replica = new kms.CfnReplicaKey(this, 'Replica', {
      description,
      primaryKeyArn: primaryArn,
      pendingWindowInDays: pendingWindow.toDays(),
      // As of every key that the CDK makes: the account's own policies decide.
      keyPolicy: new iam.PolicyDocument({
        statements: [
          new iam.PolicyStatement({
            principals: [new iam.AccountPrincipal(account)],
            actions: ['kms:*'],
            resources: ['*'],
          }),
        ],
      }),
    });
    replica.applyRemovalPolicy(removalPolicy);
    this.arn = replica.attrArn;
  }
}

function removal(retained: boolean): {
  readonly removalPolicy: RemovalPolicy;
  readonly pendingWindow: Duration;
} {
  return {
    removalPolicy: retained ? RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE : RemovalPolicy.DESTROY,
    pendingWindow: Duration.days(retained ? PENDING_DAYS.retained : PENDING_DAYS.disposable),
  };
}
