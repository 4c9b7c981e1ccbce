import type { Behaviour } from '../behaviour.ts';
import { ELASTICACHE } from './elasticache.ts';
import { FIREHOSE } from './firehose.ts';
import { KMS } from './kms.ts';
import { LOGS } from './logs.ts';
import { cluster } from './rds-cluster.ts';
import { globalCluster } from './rds-global.ts';
import { RDS_GROUPS } from './rds-groups.ts';
import { instance } from './rds-instance.ts';
import { S3 } from './s3.ts';
import { SECRETS } from './secrets.ts';

export const DATA: readonly Behaviour[] = [
  globalCluster,
  cluster,
  instance,
  ...RDS_GROUPS,
  ...ELASTICACHE,
  ...KMS,
  ...SECRETS,
  ...S3,
  ...FIREHOSE,
  ...LOGS,
];
