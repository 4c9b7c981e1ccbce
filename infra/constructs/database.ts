import {
  type aws_ec2 as ec2,
  type aws_kms as kms,
  aws_rds as rds,
  Fn,
  RemovalPolicy,
  Validations,
} from 'aws-cdk-lib';
import { Construct } from 'constructs';
import type { RegionDeployment } from '../../topology/deployment.ts';
import type { RegionSize } from '../../topology/types.ts';
import { DATABASE, PORTS } from '../names.ts';
import {
  CLUSTER_PARAMETERS,
  ENGINE,
  ENGINE_LIFECYCLE,
  ENGINE_VERSION,
  PARAMETER_FAMILY,
} from './database-parameters.ts';
import { EncryptedLogGroup } from './encrypted-log-group.ts';
import { instanceWindowOf, windowsOf } from './maintenance-windows.ts';

/** Master user of a new database; dynamic references, never values. */
export interface MasterUser {
  readonly username: string;
  readonly password: string;
}

export interface DatabaseProps {
  /** Literal: see `clusterIdentifier` in names.ts. */
  readonly identifier: string;
  /** Of an instance, by its number from 1 on. Literal: see `instanceIdentifier` in names.ts. */
  readonly instanceIdentifier: (number: number) => string;
  readonly here: RegionDeployment;
  readonly vpc: ec2.IVpc;
  readonly subnets: ec2.SubnetSelection;
  readonly securityGroup: ec2.ISecurityGroup;
  readonly encryptionKey: kms.IKey;
  /** Makes a database of its own; null for a replica, which gets everything from the global database. */
  readonly master: MasterUser | null;
  /** The global database that the cluster is made in; null: none. */
  readonly globalCluster: string | null;
  readonly backupDays: number;
  readonly logGroupName: string;
  readonly logDays: number;
  readonly deletionProtection: boolean;
}

/**
 * What costs nothing. Insights are on whatever the size is, for every class of Aurora PostgreSQL has them, and CloudFormation replaces an
 * instance that loses its insights' key. The price is memory: AWS recommends 2 capacity units at least, and an idle serverless instance
 * may stay above a smaller `databaseMinAcu`: up to 1.5 units, 130 dollars a month (us-east-1, 2026), with the default of 0.5.
 */
const INSIGHTS_DAYS = 7;
/** Instances are only in the first two availability zones of their region, which it has for ever. */
const INSTANCE_ZONES = 2;
const CERTIFICATE_AUTHORITY = 'rds-ca-rsa2048-g1';
const PROMOTION_TIER_MAX = 15;

/**
 * A region's database cluster with its instances, in different availability zones. The same for origin, replica and a zone of one region but for who makes
 * the data: nothing here says who is home.
 *
 * Versions change with `ENGINE_VERSION` only, never by themselves: the clusters of a global database must have the same one, or none of them can
 * take over from another. What an instance can't change (its name, its availability zone, its insights' key) depends on its number alone:
 * no size makes CloudFormation replace one, which would give tasks endpoints that are gone. Enhanced monitoring is off, for its log group would be the account's, with another retention and key.
 */
export class Database extends Construct {
  readonly cluster: rds.CfnDBCluster;
  /** In the order in which they are made: the first is the writer while the region is home, until it fails. */
  readonly instances: readonly rds.CfnDBInstance[];

  constructor(scope: Construct, id: string, props: DatabaseProps) {
    super(scope, id);
    this.cluster = this.#cluster(props);
    this.instances = Array.from({ length: props.here.size.databaseInstances }, (_, index) =>
      this.#instance(props, index),
    );
    const [first, ...others] = this.instances;
    for (const other of others) {
      // Aurora makes the first instance that is there the writer.
      if (first !== undefined) other.addResourceDependency(first);
    }
  }

  /**
   * Leads to the writer while the region is home. Made from the readers' endpoint, which has the same name but for `-ro`: RDS tells no
   * endpoint of a writer for a cluster that is a replica just now, and any cluster may be one.
   */
  get clusterEndpoint(): string {
    return Fn.join('.cluster-', Fn.split('.cluster-ro-', this.cluster.attrReadEndpointAddress));
  }

  /** Endpoints to read from, the preferred first: those that usually aren't the writer's, whoever is home now. */
  get readerEndpoints(): readonly string[] {
    const [first, ...others] = this.instances;
    return [...others, ...(first === undefined ? [] : [first])].map(
      ({ attrEndpointAddress }) => attrEndpointAddress,
    );
  }

  #cluster(props: DatabaseProps): rds.CfnDBCluster {
    const { here, master, deletionProtection } = props;
    const windows = windowsOf(here.region);
    const cluster = new rds.CfnDBCluster(this, 'Cluster', {
      dbClusterIdentifier: props.identifier,
      engine: ENGINE,
      engineVersion: ENGINE_VERSION.auroraPostgresFullVersion,
      ...(props.globalCluster === null ? {} : { globalClusterIdentifier: props.globalCluster }),
      ...(master === null
        ? {}
        : {
            masterUsername: master.username,
            masterUserPassword: master.password,
            databaseName: DATABASE.name,
            // A replica has that of the global database.
            engineLifecycleSupport: ENGINE_LIFECYCLE,
          }),
      ...(isServerless(here.size)
        ? {
            serverlessV2ScalingConfiguration: {
              minCapacity: here.size.databaseMinAcu,
              maxCapacity: here.size.databaseMaxAcu,
            },
          }
        : {}),
      port: PORTS.postgres,
      dbSubnetGroupName: this.#subnetGroup(props).ref,
      vpcSecurityGroupIds: [props.securityGroup.securityGroupId],
      dbClusterParameterGroupName: this.#parameterGroup(props).ref,
      storageEncrypted: true,
      kmsKeyId: props.encryptionKey.keyArn,
      enableIamDatabaseAuthentication: true,
      enableCloudwatchLogsExports: ['postgresql'],
      backupRetentionPeriod: props.backupDays,
      preferredBackupWindow: windows.backup,
      preferredMaintenanceWindow: windows.maintenance,
      copyTagsToSnapshot: true,
      deletionProtection,
    });
    cluster.applyRemovalPolicy(removalOf(props));
    cluster.node.addDependency(this.#logGroup(props));
    // Its list of versions ends with 17; the library's, which the checks at synth use, knows this one.
    cluster.addMetadata('cfn-lint', { config: { ignore_checks: ['E3690'] } });
    Validations.of(cluster).acknowledge(
      {
        id: 'AwsSolutions-RDS11',
        reason:
          'Only the tasks of the zone reach the database: its security group decides, not an unusual port.',
      },
      {
        id: 'AwsSolutions-RDS10',
        reason:
          'Deletion protection is the zone’s own choice (deletionProtection), and on unless it says otherwise.',
      },
    );
    return cluster;
  }

  #instance(props: DatabaseProps, index: number): rds.CfnDBInstance {
    const { size, availabilityZones } = props.here;
    const number = index + 1;
    const instance = new rds.CfnDBInstance(this, `Instance${number}`, {
      dbInstanceIdentifier: props.instanceIdentifier(number),
      engine: ENGINE,
      dbClusterIdentifier: this.cluster.ref,
      dbInstanceClass: isServerless(size) ? 'db.serverless' : `db.${size.databaseInstanceClass}`,
      // Left to Aurora, two instances may land in the same one. A third zone that the region is given later moves nobody.
      availabilityZone: availabilityZones[index % INSTANCE_ZONES],
      promotionTier: Math.min(index, PROMOTION_TIER_MAX),
      publiclyAccessible: false,
      autoMinorVersionUpgrade: false,
      caCertificateIdentifier: CERTIFICATE_AUTHORITY,
      preferredMaintenanceWindow: instanceWindowOf(props.here.region, index),
      enablePerformanceInsights: true,
      performanceInsightsKmsKeyId: props.encryptionKey.keyArn,
      performanceInsightsRetentionPeriod: INSIGHTS_DAYS,
    });
    Validations.of(instance).acknowledge({
      id: 'CloudFormation-Validate::W3010',
      reason: 'The topology pins the availability zones, so that nothing moves when AWS adds one.',
    });
    // The data are the cluster's; an instance that stayed behind would only cost.
    instance.applyRemovalPolicy(RemovalPolicy.DESTROY);
    return instance;
  }

  #subnetGroup(props: DatabaseProps): rds.CfnDBSubnetGroup {
    const group = new rds.CfnDBSubnetGroup(this, 'Subnets', {
      dbSubnetGroupDescription: `Subnets of ${props.identifier}`,
      subnetIds: props.vpc.selectSubnets(props.subnets).subnetIds,
    });
    keepWithCluster(group, props);
    return group;
  }

  #parameterGroup(props: DatabaseProps): rds.CfnDBClusterParameterGroup {
    const group = new rds.CfnDBClusterParameterGroup(this, 'Parameters', {
      description: `Parameters of ${props.identifier}`,
      family: PARAMETER_FAMILY,
      parameters: CLUSTER_PARAMETERS,
    });
    keepWithCluster(group, props);
    return group;
  }

  /** Made before RDS would make it, without retention and without our key. */
  #logGroup({ logGroupName, logDays, encryptionKey, deletionProtection }: DatabaseProps): EncryptedLogGroup {
    return new EncryptedLogGroup(this, 'Log', {
      logGroupName,
      retentionDays: logDays,
      encryptionKey,
      retain: deletionProtection,
    });
  }
}

/** Whether the instances scale by themselves (Serverless v2). */
export function isServerless(size: Required<RegionSize>): boolean {
  return size.databaseInstanceClass === 'serverless';
}

/** Unprotected, the origin leaves a last snapshot; a replica has nothing that the origin hasn't got. */
function removalOf({ deletionProtection, master }: DatabaseProps): RemovalPolicy {
  if (deletionProtection) return RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE;
  return master === null ? RemovalPolicy.DESTROY : RemovalPolicy.SNAPSHOT;
}

/** A cluster that stays needs them, or deleting its stack would fail half-way. */
function keepWithCluster(
  group: rds.CfnDBSubnetGroup | rds.CfnDBClusterParameterGroup,
  { deletionProtection }: DatabaseProps,
): void {
  group.applyRemovalPolicy(
    deletionProtection ? RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE : RemovalPolicy.DESTROY,
  );
}
