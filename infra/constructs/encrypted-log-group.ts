import { type aws_kms as kms, aws_logs as logs, RemovalPolicy } from 'aws-cdk-lib';
import type { Construct } from 'constructs';

export interface EncryptedLogGroupProps {
  /** The region's key; its policy lets CloudWatch Logs use it. */
  readonly encryptionKey: kms.IKey;
  /** One of CloudWatch's steps. */
  readonly retentionDays: number;
  /** Whether the lines outlive the stack. */
  readonly retain: boolean;
  /** @default made up by CloudFormation */
  readonly logGroupName?: string;
}

/** A log group as every one here is: encrypted by the region's key, and kept for a time. */
export class EncryptedLogGroup extends logs.LogGroup {
  constructor(scope: Construct, id: string, props: EncryptedLogGroupProps) {
    const { encryptionKey, retentionDays, retain, logGroupName } = props;
    super(scope, id, {
      encryptionKey,
      // The values of that enum are the days themselves; the topology is checked for CloudWatch's steps.
      retention: retentionDays as logs.RetentionDays,
      removalPolicy: retain ? RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE : RemovalPolicy.DESTROY,
      ...(logGroupName === undefined ? {} : { logGroupName }),
    });
  }
}
