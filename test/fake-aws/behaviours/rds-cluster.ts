import type { Behaviour, Context, Made } from '../behaviour.ts';
import { physicalName } from '../cloudformation/names.ts';
import { Refusal } from '../refusal.ts';
import { type Json, type Properties, textAt, textsAt } from '../values.ts';
import type { Resource } from '../world.ts';
import { requireKey } from './key-lookups.ts';
import { flagAt, numberAt, requiredText } from './property-values.ts';
import { checkCredentials, checkLogExports, checkPassword, checkScaling, familyOf } from './rds-engines.ts';
import { checkLifecycle, refuseLifecycle } from './rds-global.ts';
import { checkParameters } from './rds-groups.ts';
import { joining } from './rds-joining.ts';
import { globalOf, isReader, leave, readerEndpoint, writerEndpoint } from './rds-membership.ts';
import {
  CLUSTER,
  CLUSTER_PARAMETERS,
  NOT_FOUND,
  SNAPSHOT,
  identifierOf,
  instancesOf,
  rdsArn,
} from './rds-names.ts';
import { checkClusterNetwork, moveInterfaces } from './rds-network.ts';
import { checkWindows } from './rds-windows.ts';

// "BackupRetentionPeriod", CreateDBCluster, Amazon RDS API Reference.
const BACKUP_DAYS = { least: 1, most: 35 } as const;
const SNAPSHOT_NAME_MAX = 255;
const DEFAULT_PORT: Readonly<Record<string, number>> = { 'aurora-postgresql': 5432, 'aurora-mysql': 3306 };

/** Ref is the identifier. "AWS::RDS::DBCluster", CloudFormation Template Reference, "Return values"; "CreateDBCluster", Amazon RDS API Reference. */
export const cluster: Behaviour = {
  type: CLUSTER,
  create(context, properties): Made {
    const { world, place } = context;
    const id = identifierOf(context, properties, 'DBClusterIdentifier');
    if (world.find(place, CLUSTER, id) !== undefined) {
      throw new Refusal('DBClusterAlreadyExistsFault', 'DB Cluster already exists');
    }
    const engine = requiredText(properties, 'Engine');
    checkLifecycle(properties);
    checkSettings(context, properties);
    checkEncryption(context, properties);
    const vpc = checkClusterNetwork(context, properties);
    const membership = joining(context, id, properties);
    if (membership?.reader !== true) checkOrigin(context, properties);
    membership?.join();
    const port = String(numberAt(properties, 'Port') ?? DEFAULT_PORT[engine] ?? '');
    return {
      id,
      attributes: {
        DBClusterArn: rdsArn(place, 'cluster', id),
        DBClusterResourceId: `cluster-${world.hex(26).toUpperCase()}`,
        'Endpoint.Port': port,
        'ReadEndpoint.Address': readerEndpoint(place, id),
        // RDS tells no endpoint of a writer for a replica.
        ...(membership?.reader === true ? {} : { 'Endpoint.Address': writerEndpoint(place, id) }),
      },
      state: new Map<string, Json>([
        ['vpc', vpc],
        ['writer', null],
      ]),
    };
  },
  update(context, resource, properties): undefined {
    const before = resource.properties;
    refuseLifecycle(before, properties);
    checkSettings(context, properties);
    checkUpgrade(context, resource, properties);
    checkClusterNetwork(context, properties);
    if (
      isReader(context.world, resource) &&
      before['MasterUserPassword'] !== properties['MasterUserPassword']
    ) {
      throw new Refusal(
        'InvalidParameterCombination',
        'Cannot specify password for cross region replication cluster',
      );
    }
    if (properties['MasterUserPassword'] !== undefined) checkPassword(properties);
    if (belongsByProperty(before) && !belongsByProperty(properties)) detach(context, resource);
    moveInterfaces(context, resource, textsAt(properties, 'VpcSecurityGroupIds'));
  },
  // Into a global cluster no cluster gets that is there already; out of it does one: "GlobalClusterIdentifier". MasterUsername is believed.
  replaces(_resource, properties, changed): boolean {
    const joins = changed.includes('GlobalClusterIdentifier') && belongsByProperty(properties);
    return joins || changed.includes('Engine') || changed.includes('MasterUsername');
  },
  snapshot(context, resource): void {
    checkDeletable(context, resource);
    const logicalId = `snapshot-${context.logicalId}`;
    takeSnapshot(
      context,
      resource,
      physicalName({ ...context, logicalId }, SNAPSHOT_NAME_MAX, { lowerCase: true }),
    );
  },
  remove(context, resource): void {
    checkDeletable(context, resource);
    if (belongsByProperty(resource.properties)) detach(context, resource);
  },
};

/** "CreateDBClusterSnapshot", Amazon RDS API Reference. */
export function takeSnapshot({ world, place }: Context, resource: Resource, name: string): Resource {
  const id = name.toLowerCase();
  if (!/^[a-z](?:-?[a-z0-9])*$/u.test(id) || id.length > SNAPSHOT_NAME_MAX) {
    throw new Refusal(
      'InvalidParameterValue',
      'The parameter DBClusterSnapshotIdentifier is not a valid identifier. Identifiers must begin with a letter; must contain only ASCII letters, digits, and hyphens; and must not end with a hyphen or contain two consecutive hyphens.',
    );
  }
  if (world.find(place, SNAPSHOT, id) !== undefined) {
    throw new Refusal(
      'DBClusterSnapshotAlreadyExistsFault',
      `Cannot create the cluster snapshot because one with the identifier ${id} already exists.`,
    );
  }
  return world.add({
    account: place.account,
    region: place.region,
    type: SNAPSHOT,
    id,
    properties: resource.properties,
    attributes: { Arn: rdsArn(place, 'cluster-snapshot', id) },
    stack: null,
    state: new Map<string, Json>([
      ['cluster', resource.id],
      ['createdAt', new Date().toISOString()],
    ]),
  });
}

/** What holds for a cluster whenever it is made or changed. */
function checkSettings(context: Context, properties: Properties): void {
  const engine = requiredText(properties, 'Engine');
  const version = textAt(properties, 'EngineVersion');
  const days = numberAt(properties, 'BackupRetentionPeriod');
  if (days !== undefined && (days < BACKUP_DAYS.least || days > BACKUP_DAYS.most)) {
    throw new Refusal(
      'InvalidParameterValue',
      `Invalid backup retention period: ${days}. Retention period must be between ${BACKUP_DAYS.least} and ${BACKUP_DAYS.most}`,
    );
  }
  checkScaling(properties);
  checkLogExports(properties);
  checkWindows(properties);
  // Without a version it is RDS's default one, whose family isn't known here.
  if (version === undefined) return;
  const name = textAt(properties, 'DBClusterParameterGroupName');
  checkParameters(context, { type: CLUSTER_PARAMETERS, name, family: familyOf(engine, version) });
}

/** "Encrypting Amazon Aurora resources", Aurora User Guide. */
function checkEncryption({ world, place }: Context, properties: Properties): void {
  const key = textAt(properties, 'KmsKeyId');
  if (key !== undefined && flagAt(properties, 'StorageEncrypted') === false) {
    throw new Refusal(
      'InvalidParameterCombination',
      "KmsKeyId can't be specified where StorageEncrypted is false",
    );
  }
  requireKey(world, place, key, (reference) => keyRefusal(reference));
}

export function keyRefusal(reference: string): Refusal {
  return new Refusal(
    'KMSKeyNotAccessibleFault',
    `The specified KMS key [${reference}] does not exist, is not enabled or you do not have permissions to access it.`,
  );
}

/** A cluster that makes its own data has a master user, or is restored from a snapshot, which has one. */
function checkOrigin({ world, place }: Context, properties: Properties): void {
  const snapshot = textAt(properties, 'SnapshotIdentifier');
  if (snapshot === undefined) {
    checkCredentials(properties);
    return;
  }
  const id = (snapshot.split(':').at(-1) ?? snapshot).toLowerCase();
  if (world.find(place, SNAPSHOT, id) === undefined) {
    throw new Refusal(
      'DBClusterSnapshotNotFoundFault',
      `DBClusterSnapshot ${snapshot} not found.`,
      NOT_FOUND,
    );
  }
}

/** "Upgrading Amazon Aurora PostgreSQL DB clusters"; "Upgrading an Amazon Aurora global database", Aurora User Guide. */
function checkUpgrade({ world }: Context, resource: Resource, properties: Properties): void {
  const from = textAt(resource.properties, 'EngineVersion');
  const to = textAt(properties, 'EngineVersion');
  if (from === undefined || to === undefined || from === to) return;
  const engine = requiredText(properties, 'Engine');
  const order = from.localeCompare(to, 'en', { numeric: true });
  if (order > 0) {
    throw new Refusal('InvalidParameterCombination', `Cannot upgrade ${engine} from ${from} to ${to}`);
  }
  if (familyOf(engine, from) === familyOf(engine, to)) return;
  if (globalOf(world, resource) !== undefined) {
    throw new Refusal(
      'InvalidParameterCombination',
      'The major version of a DB cluster in a global cluster is upgraded with the global cluster.',
    );
  }
  if (flagAt(properties, 'AllowMajorVersionUpgrade') === false) {
    throw new Refusal(
      'InvalidParameterCombination',
      'The AllowMajorVersionUpgrade flag must be present when upgrading to a new major version.',
    );
  }
}

/** "DeleteDBCluster", Amazon RDS API Reference. */
function checkDeletable({ world }: Context, resource: Resource): void {
  if (flagAt(resource.properties, 'DeletionProtection') === true) {
    throw new Refusal(
      'InvalidParameterCombination',
      'Cannot delete protected Cluster, please disable deletion protection and try again.',
    );
  }
  const global = globalOf(world, resource);
  // Only what says in its template that it is a member is taken out first.
  if (global !== undefined && !belongsByProperty(resource.properties)) {
    throw new Refusal(
      'InvalidDBClusterStateFault',
      'This cluster is a part of a global cluster, please remove it from globalcluster first',
    );
  }
  if (instancesOf(world, resource).length > 0) {
    throw new Refusal(
      'InvalidDBClusterStateFault',
      'Cluster cannot be deleted, it still contains DB instances in non-deleting state.',
    );
  }
}

function detach({ world }: Context, resource: Resource): void {
  const global = globalOf(world, resource);
  if (global !== undefined) leave(world, global, resource);
}

function belongsByProperty(properties: Properties): boolean {
  return (textAt(properties, 'GlobalClusterIdentifier') ?? '') !== '';
}
