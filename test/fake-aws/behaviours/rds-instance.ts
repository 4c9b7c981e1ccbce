import type { Behaviour, Context, Made } from '../behaviour.ts';
import { Refusal } from '../refusal.ts';
import { type Json, type Properties, textAt, textsAt } from '../values.ts';
import type { Resource } from '../world.ts';
import { createByCall } from './by-call.ts';
import { removeInterfaces } from './ec2-interfaces.ts';
import { requireKey } from './key-lookups.ts';
import { LOGS, LOG_GROUP } from './logs.ts';
import { flagAt, numberAt, requiredText } from './property-values.ts';
import { keyRefusal } from './rds-cluster.ts';
import { checkInstanceClass, familyOf, isBurstable } from './rds-engines.ts';
import { checkParameters } from './rds-groups.ts';
import { globalOf, isReader, membersOf } from './rds-membership.ts';
import {
  INSTANCE,
  INSTANCE_PARAMETERS,
  NOT_FOUND,
  endpointHash,
  existingCluster,
  findCluster,
  identifierOf,
  instancesOf,
  rdsArn,
} from './rds-names.ts';
import { placeInstance } from './rds-network.ts';

// "Using SSL/TLS to encrypt a connection to a DB cluster", Aurora User Guide.
const AUTHORITIES = ['rds-ca-rsa2048-g1', 'rds-ca-rsa4096-g1', 'rds-ca-ecc384-g1'];
// "Amazon Aurora DB clusters": one writer and 15 replicas.
const INSTANCES_MAX = 16;
/** What an instance is restored or copied from. */
const SOURCES = [
  'DBClusterSnapshotIdentifier',
  'DBSnapshotIdentifier',
  'RestoreTime',
  'SourceDBClusterIdentifier',
  'SourceDBInstanceAutomatedBackupsArn',
  'SourceDBInstanceIdentifier',
  'SourceDbiResourceId',
  'UseLatestRestorableTime',
];
const PROMOTION_TIER = { most: 15, usual: 1 } as const;

/** Ref is the identifier. "AWS::RDS::DBInstance", CloudFormation Template Reference; "CreateDBInstance", Amazon RDS API Reference. */
export const instance: Behaviour = {
  type: INSTANCE,
  create(context, properties): Made {
    const { world, place } = context;
    const id = identifierOf(context, properties, 'DBInstanceIdentifier');
    if (world.find(place, INSTANCE, id) !== undefined) {
      throw new Refusal('DBInstanceAlreadyExists', 'DB instance already exists');
    }
    const owner = textAt(properties, 'DBClusterIdentifier');
    if (owner === undefined) {
      throw new Refusal(
        'InvalidParameterValue',
        'Only DB instances of an Aurora DB cluster are supported here.',
      );
    }
    const cluster = existingCluster(world, place, owner);
    if (instancesOf(world, cluster).length >= INSTANCES_MAX) {
      throw new Refusal('InstanceQuotaExceeded', `DB cluster ${cluster.id} can't have more instances.`);
    }
    checkInstance(context, cluster, properties);
    const zone = placeInstance(context, cluster, { id, zone: textAt(properties, 'AvailabilityZone') });
    makeLogGroups(context, cluster);
    // The first instance writes, unless the cluster is a replica.
    if (cluster.state.get('writer') === null) cluster.state.set('writer', id);
    return {
      id,
      attributes: {
        DBInstanceArn: rdsArn(place, 'db', id),
        DbiResourceId: `db-${world.hex(26).toUpperCase()}`,
        'Endpoint.Address': `${id}.${endpointHash(place)}.${place.region}.rds.amazonaws.com`,
        'Endpoint.Port': cluster.attributes['Endpoint.Port'] ?? '',
        DBInstanceStatus: 'available',
      },
      state: new Map<string, Json>([['zone', zone]]),
    };
  },
  update(context, _resource, properties): undefined {
    const cluster = existingCluster(
      context.world,
      context.place,
      requiredText(properties, 'DBClusterIdentifier'),
    );
    checkInstance(context, cluster, properties);
  },
  // "AWS::RDS::DBInstance", CloudFormation Template Reference: what each property says of updates.
  replaces(resource, properties, changed): boolean {
    const before = resource.properties;
    // Without a zone, only what has several stays where it is.
    const moves =
      changed.includes('AvailabilityZone') &&
      (properties['AvailabilityZone'] !== undefined || flagAt(properties, 'MultiAZ') !== true);
    const losesKey =
      changed.includes('PerformanceInsightsKMSKeyId') && before['PerformanceInsightsKMSKeyId'] !== undefined;
    const restored = SOURCES.some((name) => changed.includes(name) && properties[name] !== undefined);
    return moves || losesKey || restored || changed.includes('Engine');
  },
  remove(context, resource): void {
    const { world, place } = context;
    const cluster = findCluster(world, place, requiredText(resource.properties, 'DBClusterIdentifier'));
    if (cluster !== undefined) {
      checkLast(context, cluster);
      if (cluster.state.get('writer') === resource.id)
        cluster.state.set('writer', nextWriter(context, cluster));
    }
    removeInterfaces(world, place, rdsArn(place, 'db', resource.id));
  },
};

function checkInstance(context: Context, cluster: Resource, properties: Properties): void {
  const { world, place } = context;
  const engine = requiredText(properties, 'Engine');
  const own = requiredText(cluster.properties, 'Engine');
  if (engine !== '' && engine !== own) {
    throw new Refusal(
      'InvalidParameterCombination',
      `The engine name requested for your DB instance (${engine}) doesn't match the engine name of your DB cluster (${own}).`,
    );
  }
  const version = textAt(properties, 'EngineVersion');
  const common = textAt(cluster.properties, 'EngineVersion');
  if (version !== undefined && common !== undefined && version !== common) {
    throw new Refusal(
      'InvalidParameterCombination',
      `The engine version that you requested for your DB instance (${version}) does not match the engine version of your DB cluster (${common}).`,
    );
  }
  checkClass(context, cluster, requiredText(properties, 'DBInstanceClass'));
  checkDetails(properties);
  requireKey(world, place, textAt(properties, 'PerformanceInsightsKMSKeyId'), keyRefusal);
  if (common === undefined) return;
  const name = textAt(properties, 'DBParameterGroupName');
  checkParameters(context, { type: INSTANCE_PARAMETERS, name, family: familyOf(own, common) });
}

function checkClass({ world }: Context, cluster: Resource, instanceClass: string): void {
  checkInstanceClass(instanceClass);
  // "Creating a cluster that uses Aurora Serverless v2", Aurora User Guide.
  if (
    instanceClass === 'db.serverless' &&
    cluster.properties['ServerlessV2ScalingConfiguration'] === undefined
  ) {
    throw new Refusal(
      'InvalidDBClusterStateFault',
      'Set the Serverless v2 scaling configuration on the parent DB cluster before creating a Serverless v2 DB instance.',
    );
  }
  // "Configuration requirements of an Amazon Aurora global database", Aurora User Guide.
  if (isBurstable(instanceClass) && globalOf(world, cluster) !== undefined) {
    throw new Refusal(
      'InvalidParameterValue',
      `Global databases don't support the DB instance class ${instanceClass}`,
    );
  }
}

function checkDetails(properties: Properties): void {
  const tier = numberAt(properties, 'PromotionTier');
  if (tier !== undefined && (tier < 0 || tier > PROMOTION_TIER.most)) {
    throw new Refusal(
      'InvalidParameterValue',
      `Invalid promotion tier: ${tier}. It must be 0 to ${PROMOTION_TIER.most}`,
    );
  }
  const authority = textAt(properties, 'CACertificateIdentifier');
  if (authority !== undefined && !AUTHORITIES.includes(authority)) {
    throw new Refusal('CertificateNotFound', `Certificate not found: ${authority}`, NOT_FOUND);
  }
  // "PerformanceInsightsRetentionPeriod": 7, 731, or a number of months of 31 days.
  const days = numberAt(properties, 'PerformanceInsightsRetentionPeriod');
  const months = days === undefined ? 1 : days / 31;
  if (
    days !== undefined &&
    days !== 7 &&
    days !== 731 &&
    !(Number.isInteger(months) && months >= 1 && months <= 23)
  ) {
    throw new Refusal('InvalidParameterValue', `Invalid Performance Insights retention period: ${days}`);
  }
  const insights = flagAt(properties, 'EnablePerformanceInsights') === true;
  if (!insights && properties['PerformanceInsightsKMSKeyId'] !== undefined) {
    throw new Refusal(
      'InvalidParameterCombination',
      'To set PerformanceInsightsKMSKeyId, EnablePerformanceInsights must be true.',
    );
  }
}

/** A primary keeps an instance as long as others copy it. */
function checkLast({ world }: Context, cluster: Resource): void {
  const global = globalOf(world, cluster);
  const isLast = instancesOf(world, cluster).length === 1;
  if (global === undefined || !isLast || isReader(world, cluster)) return;
  if (membersOf(global).readers.length > 0) {
    throw new Refusal(
      'InvalidDBClusterStateFault',
      'Cannot delete the last instance of the master cluster. Delete the replica cluster before deleting the last master cluster instance.',
    );
  }
}

/** "Fault tolerance for an Aurora DB cluster": the lowest tier goes first. Null where none is left. */
function nextWriter({ world }: Context, cluster: Resource): string | null {
  const [, ...others] = instancesOf(world, cluster).toSorted(
    (a, b) => Number(b.id === cluster.state.get('writer')) - Number(a.id === cluster.state.get('writer')),
  );
  const tierOf = (one: Resource): number => numberAt(one.properties, 'PromotionTier') ?? PROMOTION_TIER.usual;
  return others.toSorted((a, b) => tierOf(a) - tierOf(b))[0]?.id ?? null;
}

/** "Publishing Aurora PostgreSQL logs to Amazon CloudWatch Logs": groups that aren't there yet are made, without retention and key. They stay. */
function makeLogGroups(context: Context, cluster: Resource): void {
  const [behaviour] = LOGS;
  for (const log of textsAt(cluster.properties, 'EnableCloudwatchLogsExports')) {
    const name = `/aws/rds/cluster/${cluster.id}/${log}`;
    if (behaviour === undefined || context.world.find(context.place, LOG_GROUP, name) !== undefined) continue;
    createByCall({ ...context, stack: null }, behaviour, { LogGroupName: name });
  }
}
