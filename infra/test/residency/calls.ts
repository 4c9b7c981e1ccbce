import {
  ACCOUNT,
  arn,
  bucket,
  calls,
  FRANKFURT,
  key,
  PARIS,
  role,
  secret,
  VIRGINIA,
  type Call,
} from './call.ts';
import { BEARERS } from './bearer-calls.ts';
import { SCP_ONLY } from './scp-calls.ts';
import { GLOBAL, SHARED } from './shared-calls.ts';

const BOTH: readonly Call[] = [...calls('eu', SHARED), ...calls('global', GLOBAL)];

/** Under a zone's service control policy. */
export const SCP_CALLS: readonly Call[] = [...BOTH, ...calls('eu', SCP_ONLY)];

/** Under a zone's permission boundary. */
export const BOUNDARY_CALLS: readonly Call[] = [...BOTH, ...calls('eu', BEARERS)];

/** Under the boundary of Frankfurt. */
export const REGION_CALLS: readonly Call[] = calls('eu', [
  [
    'allowed',
    FRANKFURT,
    "the region's database",
    'rds-db:connect',
    arn('rds-db', FRANKFURT, 'dbuser:cluster-1/app'),
  ],
  [
    'denied',
    PARIS,
    "another region's database",
    'rds-db:connect',
    arn('rds-db', PARIS, 'dbuser:cluster-1/app'),
  ],
  [
    'allowed',
    FRANKFURT,
    'the cache',
    'elasticache:Connect',
    arn('elasticache', FRANKFURT, 'serverlesscache:x'),
  ],
  ['allowed', FRANKFURT, 'events', 'firehose:PutRecordBatch', arn('firehose', FRANKFURT, 'deliverystream/x')],
  [
    'denied',
    VIRGINIA,
    'events elsewhere',
    'firehose:PutRecordBatch',
    arn('firehose', VIRGINIA, 'deliverystream/x'),
  ],
  [
    'denied',
    FRANKFURT,
    "another account's stream",
    'firehose:PutRecordBatch',
    'arn:aws:firehose:eu-central-1:999999999999:deliverystream/x',
  ],
  ['allowed', FRANKFURT, 'the key', 'kms:Decrypt', key],
  ['allowed', FRANKFURT, "a recoverable key's text", 'kms:Encrypt', key],
  ['denied', PARIS, "a recoverable key's text, elsewhere", 'kms:Encrypt', arn('kms', PARIS, 'key/mrk-1')],
  ['denied', FRANKFURT, 'copying the key', 'kms:ReplicateKey', key, { 'kms:ReplicaRegion': PARIS }],
  ['allowed', FRANKFURT, 'logs', 'logs:PutLogEvents', arn('logs', FRANKFURT, 'log-group:x:log-stream:y')],
  [
    'denied',
    VIRGINIA,
    'logs elsewhere',
    'logs:PutLogEvents',
    arn('logs', VIRGINIA, 'log-group:x:log-stream:y'),
  ],
  ['allowed', FRANKFURT, 'a secret', 'secretsmanager:GetSecretValue', secret],
  ['denied', FRANKFURT, 'changing a secret', 'secretsmanager:PutSecretValue', secret],
  ['allowed', FRANKFURT, 'the image', 'ecr:BatchGetImage', arn('ecr', FRANKFURT, 'repository/keyhearth')],
  ['allowed', FRANKFURT, 'the registry', 'ecr:GetAuthorizationToken', '*'],
  ['denied', VIRGINIA, 'a registry elsewhere', 'ecr:GetAuthorizationToken', '*'],
  ['allowed', FRANKFURT, 'an object', 's3:PutObject', `${bucket}/x`, { 'aws:ResourceAccount': ACCOUNT }],
  [
    'denied',
    FRANKFURT,
    "an object in another account's bucket",
    's3:PutObject',
    `${bucket}/x`,
    { 'aws:ResourceAccount': '999999999999' },
  ],
  [
    'denied',
    VIRGINIA,
    'an object elsewhere',
    's3:PutObject',
    `${bucket}/x`,
    { 'aws:ResourceAccount': ACCOUNT },
  ],
  ['denied', FRANKFURT, 'a database', 'rds:CreateDBCluster', arn('rds', FRANKFURT, 'cluster:x')],
  ['denied', VIRGINIA, 'another role', 'sts:AssumeRole', role],
]);
