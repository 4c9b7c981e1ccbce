import { expect, test } from 'vitest';
import { regionOf, stacksOf, templateOf } from '../test/zones.ts';

const { data } = regionOf(stacksOf({ retention: { eventDays: 90, logDays: 7 } }), 'eu-west-3');
const template = templateOf(data);

function propertiesOf(type: string): Record<string, unknown> {
  const [found] = Object.values(template.findResources(type));
  return found?.['Properties'];
}

test('events arrive in the region’s own bucket as compressed lines, a folder a day, failures apart', () => {
  const [bucket] = Object.keys(template.findResources('AWS::S3::Bucket'));
  expect(propertiesOf('AWS::KinesisFirehose::DeliveryStream')).toMatchObject({
    DeliveryStreamType: 'DirectPut',
    DeliveryStreamEncryptionConfigurationInput: {
      KeyType: 'CUSTOMER_MANAGED_CMK',
      KeyARN: expect.anything(),
    },
    ExtendedS3DestinationConfiguration: {
      BucketARN: { 'Fn::GetAtt': [bucket, 'Arn'] },
      Prefix: 'events/date=!{timestamp:yyyy-MM-dd}/',
      ErrorOutputPrefix: 'failed/!{firehose:error-output-type}/date=!{timestamp:yyyy-MM-dd}/',
      BufferingHints: { IntervalInSeconds: 60 },
      CompressionFormat: 'GZIP',
      EncryptionConfiguration: { KMSEncryptionConfig: expect.anything() },
      CloudWatchLoggingOptions: { Enabled: true },
    },
  });
});

test('the bucket is private, encrypted, emptied after the zone’s retention, and can’t be replicated', () => {
  const properties = propertiesOf('AWS::S3::Bucket');
  expect(properties).toMatchObject({
    BucketEncryption: {
      ServerSideEncryptionConfiguration: [
        { BucketKeyEnabled: true, ServerSideEncryptionByDefault: { SSEAlgorithm: 'aws:kms' } },
      ],
    },
    PublicAccessBlockConfiguration: {
      BlockPublicAcls: true,
      BlockPublicPolicy: true,
      IgnorePublicAcls: true,
      RestrictPublicBuckets: true,
    },
    OwnershipControls: { Rules: [{ ObjectOwnership: 'BucketOwnerEnforced' }] },
    LifecycleConfiguration: {
      Rules: [{ ExpirationInDays: 90, AbortIncompleteMultipartUpload: { DaysAfterInitiation: 7 } }],
    },
  });
  expect(properties).not.toHaveProperty('BucketName');
  expect(properties).not.toHaveProperty('VersioningConfiguration');
  expect(propertiesOf('AWS::S3::BucketPolicy')).toMatchObject({
    PolicyDocument: {
      Statement: expect.arrayContaining([
        expect.objectContaining({ Effect: 'Deny', Condition: { Bool: { 'aws:SecureTransport': 'false' } } }),
      ]),
    },
  });
});

test('the stream’s role is bounded, and only this account’s streams of this region may take it', () => {
  const [role] = Object.values(template.findResources('AWS::IAM::Role'));
  const properties = role?.['Properties'];
  expect(properties).toHaveProperty('PermissionsBoundary');
  expect(properties.AssumeRolePolicyDocument.Statement).toEqual([
    {
      Action: 'sts:AssumeRole',
      Effect: 'Allow',
      Principal: { Service: 'firehose.amazonaws.com' },
      Condition: {
        StringEquals: { 'aws:SourceAccount': '222222222222' },
        ArnLike: { 'aws:SourceArn': 'arn:aws:firehose:eu-west-3:222222222222:deliverystream/*' },
      },
    },
  ]);
});

test('it may write to the bucket’s two folders, use the key through S3, and write its own log', () => {
  const [role] = Object.values(template.findResources('AWS::IAM::Role'));
  const statements = role?.['Properties'].Policies[0].PolicyDocument.Statement as readonly {
    readonly Action: string | readonly string[];
    readonly Resource: unknown;
    readonly Condition?: unknown;
  }[];
  const actions = statements.flatMap(({ Action }) => Action);
  expect(actions.filter((action) => action.includes('*'))).toEqual([]);
  const resources = statements.map(({ Resource }) => JSON.stringify(Resource));
  expect(resources.filter((resource) => resource === '"*"')).toEqual([]);
  const key = statements.find(({ Action }) => Action.includes('kms:GenerateDataKey'));
  expect(key?.Condition).toMatchObject({
    StringEquals: { 'kms:ViaService': 's3.eu-west-3.amazonaws.com' },
    StringLike: { 'kms:EncryptionContext:aws:s3:arn': expect.any(Array) },
  });
});

test('its log is encrypted and kept as long as the zone says', () => {
  for (const { Properties } of Object.values(template.findResources('AWS::Logs::LogGroup')))
    expect(Properties).toMatchObject({ RetentionInDays: 7, KmsKeyId: expect.anything() });
});
