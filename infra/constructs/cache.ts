import { type aws_ec2 as ec2, aws_elasticache as elasticache, type aws_kms as kms } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { DATA_GB_MAX } from '../cache-limits.ts';
import { CACHE_ACCESS } from './cache-access.ts';

export interface CacheProps {
  /** At most 40 characters, like the next two. */
  readonly cacheName: string;
  readonly userName: string;
  readonly userGroupName: string;
  readonly vpc: ec2.IVpc;
  /** Two or three, of which the first two are used. */
  readonly subnets: ec2.SubnetSelection;
  readonly securityGroup: ec2.ISecurityGroup;
  readonly encryptionKey: kms.IKey;
  /** At most; see infra/cache-limits.ts. */
  readonly processingUnitsPerSecond: number;
}

const ENGINE = 'valkey';
/** The newest major version that ElastiCache Serverless documents; it applies minor ones by itself. */
const MAJOR_VERSION = '9';

/**
 * A cache can't be given another subnet: CloudFormation would make a second cache of the same name, which ElastiCache refuses. So it never
 * gets that of a third availability zone, which a region may be given later; tasks there reach it over the border of their zone.
 */
const SUBNETS = 2;

/**
 * A region's shared counters: ElastiCache Serverless for Valkey, TLS always, entered with IAM tokens only. Nothing in it has to
 * survive, so it has no snapshots.
 */
export class Cache extends Construct {
  readonly cache: elasticache.CfnServerlessCache;
  readonly user: elasticache.CfnUser;

  constructor(scope: Construct, id: string, props: CacheProps) {
    super(scope, id);
    this.user = new elasticache.CfnUser(this, 'User', {
      engine: ENGINE,
      userId: props.userName,
      userName: props.userName,
      authenticationMode: { Type: 'iam' },
      accessString: CACHE_ACCESS,
    });
    const group = new elasticache.CfnUserGroup(this, 'UserGroup', {
      engine: ENGINE,
      userGroupId: props.userGroupName,
      userIds: [this.user.ref],
    });
    this.cache = new elasticache.CfnServerlessCache(this, 'Cache', {
      serverlessCacheName: props.cacheName,
      description: 'Shared counters of rate limits',
      engine: ENGINE,
      majorEngineVersion: MAJOR_VERSION,
      userGroupId: group.ref,
      subnetIds: props.vpc.selectSubnets(props.subnets).subnetIds.slice(0, SUBNETS),
      securityGroupIds: [props.securityGroup.securityGroupId],
      kmsKeyId: props.encryptionKey.keyArn,
      cacheUsageLimits: {
        dataStorage: { maximum: DATA_GB_MAX, unit: 'GB' },
        ecpuPerSecond: { maximum: props.processingUnitsPerSecond },
      },
      snapshotRetentionLimit: 0,
    });
  }
}
