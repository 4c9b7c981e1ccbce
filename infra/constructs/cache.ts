import { type aws_ec2 as ec2, aws_elasticache as elasticache, type aws_kms as kms } from 'aws-cdk-lib';
import { Construct } from 'constructs';

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
}

const ENGINE = 'valkey';
/** The newest major version that ElastiCache Serverless documents; it applies minor ones by itself. */
const MAJOR_VERSION = '9';

/**
 * What keeps the bill bounded. Beyond it ElastiCache refuses commands, and tasks go on counting by themselves. A counter takes about 200 bytes, so
 * 1 GB holds some five million; 15,000 processing units a second are as many plain commands, which eight tasks reach with 187 counters
 * exchanged every 100 ms. Used to the full in every second of a month: about 150 dollars a region (2026, us-east-1).
 */
const DATA_GB_MAX = 1;
const PROCESSING_UNITS_PER_SECOND_MAX = 15_000;

/**
 * A cache can't be given another subnet: CloudFormation would make a second cache of the same name, which ElastiCache refuses. So it never
 * gets that of a third availability zone, which a region may be given later; tasks there reach it over the border of their zone.
 */
const SUBNETS = 2;

/**
 * What tasks may do: read and write counters below `kh:`, and what a cluster client asks to find its way. No scripts, no channels,
 * nothing dangerous.
 */
const ACCESS =
  'on ~kh:* resetchannels -@all +@read +@write +@connection +cluster|slots +cluster|shards +cluster|nodes -@dangerous';

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
      accessString: ACCESS,
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
        ecpuPerSecond: { maximum: PROCESSING_UNITS_PER_SECOND_MAX },
      },
      snapshotRetentionLimit: 0,
    });
  }
}
