import {
  ArnFormat,
  aws_iam as iam,
  aws_kinesisfirehose as firehose,
  type aws_kms as kms,
  aws_logs as logs,
  aws_s3 as s3,
  Duration,
  RemovalPolicy,
  Stack,
  Validations,
} from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { EncryptedLogGroup } from './encrypted-log-group.ts';

export interface EventStreamProps {
  readonly encryptionKey: kms.IKey;
  /** Of the stream's role. */
  readonly boundary: iam.IManagedPolicy;
  /** How long events are kept. */
  readonly eventDays: number;
  readonly logDays: number;
  /** Whether bucket and log stay when the stack goes. */
  readonly deletionProtection: boolean;
}

/** Folders of the bucket. */
const EVENTS = 'events';
const FAILED = 'failed';
const BUFFER_S = 60;
const BUFFER_MB = 16;
const UNFINISHED_UPLOAD_DAYS = 7;

/**
 * A region's usage events: a Firehose stream into a bucket in the same region, one folder a day, GZIP over lines of JSON. Parquet would need
 * a schema in Glue, kept in step with the events' fields; lines of JSON can be read by Athena, ClickHouse and people as they are.
 *
 * The bucket isn't versioned: nothing is ever written twice under one name, and a bucket without versions can't be replicated out of the zone.
 */
export class EventStream extends Construct {
  readonly bucket: s3.Bucket;
  readonly stream: firehose.CfnDeliveryStream;

  constructor(scope: Construct, id: string, props: EventStreamProps) {
    super(scope, id);
    const removalPolicy = props.deletionProtection
      ? RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE
      : RemovalPolicy.DESTROY;
    this.bucket = this.#bucket(props, removalPolicy);
    const log = new EncryptedLogGroup(this, 'Log', {
      retentionDays: props.logDays,
      encryptionKey: props.encryptionKey,
      retain: props.deletionProtection,
    });
    const errors = new logs.LogStream(this, 'Errors', { logGroup: log, removalPolicy });
    this.stream = new firehose.CfnDeliveryStream(this, 'Stream', {
      deliveryStreamType: 'DirectPut',
      deliveryStreamEncryptionConfigurationInput: {
        keyType: 'CUSTOMER_MANAGED_CMK',
        keyArn: props.encryptionKey.keyArn,
      },
      extendedS3DestinationConfiguration: {
        bucketArn: this.bucket.bucketArn,
        roleArn: this.#role(props, log, errors).roleArn,
        prefix: `${EVENTS}/date=!{timestamp:yyyy-MM-dd}/`,
        errorOutputPrefix: `${FAILED}/!{firehose:error-output-type}/date=!{timestamp:yyyy-MM-dd}/`,
        bufferingHints: { intervalInSeconds: BUFFER_S, sizeInMBs: BUFFER_MB },
        compressionFormat: 'GZIP',
        fileExtension: '.ndjson.gz',
        encryptionConfiguration: { kmsEncryptionConfig: { awskmsKeyArn: props.encryptionKey.keyArn } },
        cloudWatchLoggingOptions: {
          enabled: true,
          logGroupName: log.logGroupName,
          logStreamName: errors.logStreamName,
        },
      },
    });
  }

  #bucket({ encryptionKey, eventDays }: EventStreamProps, removalPolicy: RemovalPolicy): s3.Bucket {
    const bucket = new s3.Bucket(this, 'Bucket', {
      encryption: s3.BucketEncryption.KMS,
      encryptionKey,
      bucketKeyEnabled: true,
      blockPublicAccess: s3.BlockPublicAccess.BLOCK_ALL,
      objectOwnership: s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
      enforceSSL: true,
      minimumTLSVersion: 1.2,
      lifecycleRules: [
        {
          expiration: Duration.days(eventDays),
          abortIncompleteMultipartUploadAfter: Duration.days(UNFINISHED_UPLOAD_DAYS),
        },
      ],
      removalPolicy,
    });
    Validations.of(bucket).acknowledge({
      id: 'AwsSolutions-S1',
      reason:
        'Only Firehose writes here. Who reads can be recorded by CloudTrail’s data events; a bucket of access logs would be one more copy of data about customers.',
    });
    return bucket;
  }

  /** What AWS lists for delivery to S3, limited to this bucket, this key used through it, and this log stream. */
  #role(props: EventStreamProps, log: logs.LogGroup, errors: logs.LogStream): iam.Role {
    const stack = Stack.of(this);
    const { bucketArn } = this.bucket;
    const allow = (actions: string[], resources: string[]): iam.PolicyStatement =>
      new iam.PolicyStatement({ actions, resources });
    const useOfKey = allow(['kms:GenerateDataKey', 'kms:Decrypt'], [props.encryptionKey.keyArn]);
    useOfKey.addCondition('StringEquals', { 'kms:ViaService': `s3.${stack.region}.amazonaws.com` });
    useOfKey.addCondition('StringLike', {
      'kms:EncryptionContext:aws:s3:arn': [bucketArn, `${bucketArn}/*`],
    });
    const role = new iam.Role(this, 'Role', {
      description: 'Delivers usage events to their bucket',
      assumedBy: new iam.ServicePrincipal('firehose.amazonaws.com', {
        conditions: {
          StringEquals: { 'aws:SourceAccount': stack.account },
          ArnLike: {
            'aws:SourceArn': stack.formatArn({
              service: 'firehose',
              resource: 'deliverystream',
              resourceName: '*',
            }),
          },
        },
      }),
      permissionsBoundary: props.boundary,
      inlinePolicies: {
        Deliver: new iam.PolicyDocument({
          statements: [
            allow(['s3:GetBucketLocation', 's3:ListBucket', 's3:ListBucketMultipartUploads'], [bucketArn]),
            allow(
              ['s3:AbortMultipartUpload', 's3:GetObject', 's3:PutObject'],
              [EVENTS, FAILED].map((folder) => `${bucketArn}/${folder}/*`),
            ),
            useOfKey,
            allow(
              ['logs:PutLogEvents'],
              [
                stack.formatArn({
                  service: 'logs',
                  resource: 'log-group',
                  resourceName: `${log.logGroupName}:log-stream:${errors.logStreamName}`,
                  arnFormat: ArnFormat.COLON_RESOURCE_NAME,
                }),
              ],
            ),
          ],
        }),
      },
    });
    // The CDK's own resource below its construct.
    const bucket = stack.getLogicalId(this.bucket.node.defaultChild as s3.CfnBucket);
    Validations.of(role).acknowledge(
      ...[EVENTS, FAILED].map((folder) => ({
        id: `AwsSolutions-IAM5[Resource::<${bucket}.Arn>/${folder}/*]`,
        reason: 'Firehose names the objects that it writes; it may write to two folders of this one bucket.',
      })),
    );
    return role;
  }
}
