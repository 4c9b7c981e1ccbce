import type { Context } from '../behaviour.ts';
import { Refusal } from '../refusal.ts';
import { type Properties, textAt } from '../values.ts';
import type { Resource } from '../world.ts';
import { flagAt, requiredText } from './property-values.ts';
import { isBurstable } from './rds-engines.ts';
import { existingGlobal, membersOf, setMembers } from './rds-membership.ts';
import { clusterArn, findCluster, instancesOf, rdsArn } from './rds-names.ts';
import { stateText } from './state-values.ts';

// "Configuration requirements of an Amazon Aurora global database", Aurora User Guide.
const READERS_MAX = 10;
const COMBINATION = 'InvalidParameterCombination';

/** What a replica has from its primary, and what RDS calls it when it refuses it. */
const OF_PRIMARY: Readonly<Record<string, string>> = {
  MasterUsername: 'user name',
  MasterUserPassword: 'password',
  ManageMasterUserPassword: 'password',
  DatabaseName: 'database name',
};

/** A cluster that is about to be made in a global database. */
export interface Joining {
  readonly global: Resource;
  /** Whether it will be a replica; the first cluster of a global database writes. */
  readonly reader: boolean;
  /** Notes it down, once nothing can go wrong any more. */
  join(): void;
}

/**
 * Checks a cluster that names a global database; null where it names none. Sources: "Configuration requirements of an Amazon Aurora
 * global database" and "Adding an AWS Region to an Amazon Aurora global database", Aurora User Guide; "CreateDBCluster", Amazon RDS API
 * Reference. Believed: the sentences about engine, encryption and number of members.
 */
export function joining(context: Context, id: string, properties: Properties): Joining | null {
  const name = textAt(properties, 'GlobalClusterIdentifier');
  if (name === undefined || name === '') return null;
  const { world, place } = context;
  const global = existingGlobal(world, place, name);
  const members = membersOf(global);
  checkLikeness(global, properties);
  checkNames(context, global, id);
  const reader = members.writer !== null;
  if (reader) checkReplica(context, global, properties);
  const arn = rdsArn(place, 'cluster', id);
  return {
    global,
    reader,
    join: () => {
      setMembers(
        global,
        reader ? { ...members, readers: [...members.readers, arn] } : { writer: arn, readers: [] },
      );
    },
  };
}

function checkLikeness(global: Resource, properties: Properties): void {
  const { id, state } = global;
  const engine = requiredText(properties, 'Engine');
  const version = textAt(properties, 'EngineVersion');
  if (engine !== state.get('engine')) {
    throw new Refusal(
      COMBINATION,
      `The engine ${engine} of the DB cluster doesn't match the engine ${stateText(global, 'engine')} of global cluster ${id}`,
    );
  }
  const common = stateText(global, 'engineVersion');
  if (version !== undefined && common !== '' && version !== common) {
    throw new Refusal(
      COMBINATION,
      `The engine version that you requested for your DB cluster (${version}) does not match the engine version of your global cluster (${common})`,
    );
  }
  const mode = textAt(properties, 'EngineMode') ?? 'provisioned';
  // "global" was a mode of Aurora MySQL 5.6 alone; Serverless v1 has no global databases.
  if (mode !== 'provisioned') {
    throw new Refusal(COMBINATION, `The engine mode ${mode} isn't supported in global cluster ${id}`);
  }
  if ((flagAt(properties, 'StorageEncrypted') ?? false) !== state.get('encrypted')) {
    throw new Refusal(
      COMBINATION,
      `The storage encryption of the DB cluster must be that of global cluster ${id}`,
    );
  }
}

/** One cluster a region, and no name twice, whatever the regions. */
function checkNames({ world, place }: Context, global: Resource, id: string): void {
  const { writer, readers } = membersOf(global);
  const members = [...(writer === null ? [] : [writer]), ...readers];
  if (members.some((arn) => arn.split(':')[3] === place.region)) {
    throw new Refusal(
      'InvalidParameterValue',
      `Global cluster ${global.id} already has a DB cluster in Region ${place.region}`,
    );
  }
  if (members.some((arn) => findCluster(world, place, arn)?.id === id)) {
    throw new Refusal('DBClusterAlreadyExistsFault', 'DB Cluster already exists');
  }
  if (readers.length >= READERS_MAX) {
    throw new Refusal(
      'InvalidGlobalClusterStateFault',
      `Global cluster ${global.id} already has ${READERS_MAX} secondary clusters`,
    );
  }
}

function checkReplica({ world, place }: Context, global: Resource, properties: Properties): void {
  for (const [property, noun] of Object.entries(OF_PRIMARY)) {
    if (properties[property] === undefined) continue;
    throw new Refusal(COMBINATION, `Cannot specify ${noun} for cross region replication cluster`);
  }
  const { writer } = membersOf(global);
  const primary = writer === null ? undefined : findCluster(world, place, writer);
  // Replication needs storage that an instance has opened.
  if (primary === undefined || instancesOf(world, primary).length === 0) {
    throw new Refusal(
      'InvalidDBClusterStateFault',
      `Source cluster: ${writer} is in a state which is not valid for physical replication`,
    );
  }
  const encrypted = flagAt(primary.properties, 'StorageEncrypted') === true;
  if (encrypted && textAt(properties, 'KmsKeyId') === undefined) {
    throw new Refusal(
      COMBINATION,
      'For encrypted cross-region replica, kmsKeyId should be explicitly specified',
    );
  }
  if (
    instancesOf(world, primary).some((one) => isBurstable(requiredText(one.properties, 'DBInstanceClass')))
  ) {
    throw new Refusal(
      'InvalidParameterValue',
      `Global databases don't support the DB instance class of ${clusterArn(primary)}`,
    );
  }
}
