import { callContext, createByCall, removeByCall, updateByCall } from '../behaviours/by-call.ts';
import { flagAt, numberAt, requiredText } from '../behaviours/property-values.ts';
import { cluster, takeSnapshot } from '../behaviours/rds-cluster.ts';
import { globalCluster } from '../behaviours/rds-global.ts';
import { instance } from '../behaviours/rds-instance.ts';
import { existingGlobal, globalOf, leave, promote } from '../behaviours/rds-membership.ts';
import {
  CLUSTER,
  GLOBAL_CLUSTER,
  INSTANCE,
  NOT_FOUND,
  SNAPSHOT,
  existingCluster,
  findCluster,
} from '../behaviours/rds-names.ts';
import { type Answer, type Call, type Service, members } from '../call.ts';
import { Refusal } from '../refusal.ts';
import { type Place, type Properties, textAt } from '../values.ts';
import { type Resource, globalPlace } from '../world.ts';
import { clusterAnswer, globalAnswer, instanceAnswer, snapshotAnswer } from './rds-answers.ts';

/** What ModifyDBCluster may change here; the names are those of the type's properties. */
const MODIFIABLE = [
  'BackupRetentionPeriod',
  'CopyTagsToSnapshot',
  'DBClusterParameterGroupName',
  'DeletionProtection',
  'EnableIAMDatabaseAuthentication',
  'EngineVersion',
  'MasterUserPassword',
  'PreferredBackupWindow',
  'PreferredMaintenanceWindow',
  'ServerlessV2ScalingConfiguration',
];

/** Amazon RDS, as far as databases are looked at, promoted, unprotected, kept and deleted. Made are they by stacks. */
export const RDS_SERVICE: Service = {
  signingName: 'rds',
  protocol: 'query',
  namespace: 'http://rds.amazonaws.com/doc/2014-10-31/',
  actions: {
    CreateDBClusterSnapshot: createSnapshot,
    CreateGlobalCluster: createGlobal,
    DeleteDBCluster: deleteCluster,
    DeleteDBClusterSnapshot: deleteSnapshot,
    DeleteDBInstance: deleteInstance,
    DeleteGlobalCluster: deleteGlobal,
    DescribeDBClusterSnapshots: describeSnapshots,
    DescribeDBClusters: describeClusters,
    DescribeDBInstances: describeInstances,
    DescribeGlobalClusters: describeGlobals,
    FailoverGlobalCluster: failover,
    ModifyDBCluster: modifyCluster,
    ModifyGlobalCluster: modifyGlobal,
    RemoveFromGlobalCluster: removeFromGlobal,
    SwitchoverGlobalCluster: switchover,
  },
};

function describeClusters(call: Call): Answer {
  const { world, input } = call;
  const name = textAt(input, 'DBClusterIdentifier');
  const found =
    name === undefined ? world.all(CLUSTER, placeOf(call)) : [existingCluster(world, placeOf(call), name)];
  return {
    result: {
      DBClusters: members(
        found.map((one) => clusterAnswer(world, one)),
        'DBCluster',
      ),
    },
  };
}

function describeInstances(call: Call): Answer {
  const { world, input } = call;
  const name = textAt(input, 'DBInstanceIdentifier');
  const found = name === undefined ? world.all(INSTANCE, placeOf(call)) : [existingInstance(call, name)];
  return {
    result: {
      DBInstances: members(
        found.map((one) => answerOf(call, one)),
        'DBInstance',
      ),
    },
  };
}

function describeGlobals(call: Call): Answer {
  const { world, input } = call;
  const name = textAt(input, 'GlobalClusterIdentifier');
  const found =
    name === undefined
      ? world.all(GLOBAL_CLUSTER, globalPlace(call))
      : [existingGlobal(world, placeOf(call), name)];
  return {
    result: {
      GlobalClusters: members(
        found.map((one) => globalAnswer(one)),
        'GlobalClusterMember',
      ),
    },
  };
}

function describeSnapshots(call: Call): Answer {
  const { world, input } = call;
  const name = textAt(input, 'DBClusterSnapshotIdentifier');
  const owner = textAt(input, 'DBClusterIdentifier')?.toLowerCase();
  const found =
    name === undefined
      ? world
          .all(SNAPSHOT, placeOf(call))
          .filter(({ state }) => owner === undefined || state.get('cluster') === owner)
      : [existingSnapshot(call, name)];
  return {
    result: {
      DBClusterSnapshots: members(
        found.map((one) => snapshotAnswer(one)),
        'DBClusterSnapshot',
      ),
    },
  };
}

function createSnapshot(call: Call): Answer {
  const { world, input } = call;
  const place = placeOf(call);
  const name = requiredText(input, 'DBClusterSnapshotIdentifier');
  const source = existingCluster(world, place, requiredText(input, 'DBClusterIdentifier'));
  const made = takeSnapshot(callContext(world, place, name), source, name);
  return { result: { DBClusterSnapshot: snapshotAnswer(made) } };
}

function deleteSnapshot(call: Call): Answer {
  const found = existingSnapshot(call, requiredText(call.input, 'DBClusterSnapshotIdentifier'));
  call.world.remove(found);
  return { result: { DBClusterSnapshot: { ...snapshotAnswer(found), Status: 'deleted' } } };
}

function createGlobal(call: Call): Answer {
  const name = requiredText(call.input, 'GlobalClusterIdentifier');
  const made = createByCall(callContext(call.world, placeOf(call), name), globalCluster, call.input);
  return { result: { GlobalCluster: globalAnswer(made) } };
}

function modifyGlobal(call: Call): Answer {
  const global = askedGlobal(call);
  const changes = chosen(call.input, ['DeletionProtection', 'EngineVersion']);
  updateByCall(callContext(call.world, placeOf(call), global.id), globalCluster, global, changes);
  return { result: { GlobalCluster: globalAnswer(global) } };
}

function deleteGlobal(call: Call): Answer {
  const global = askedGlobal(call);
  removeByCall(callContext(call.world, placeOf(call), global.id), globalCluster, global);
  return { result: { GlobalCluster: { ...globalAnswer(global), Status: 'deleting' } } };
}

function removeFromGlobal(call: Call): Answer {
  const { world, input } = call;
  const global = askedGlobal(call);
  const member = existingCluster(world, placeOf(call), requiredText(input, 'DbClusterIdentifier'));
  leave(world, global, member);
  return { result: { GlobalCluster: globalAnswer(global) } };
}

function switchover(call: Call): Answer {
  const global = askedGlobal(call);
  promote(call.world, global, requiredText(call.input, 'TargetDbClusterIdentifier'));
  return { result: { GlobalCluster: globalAnswer(global) } };
}

/** With `AllowDataLoss` or without: nothing is written here that could be lost. Both at once is refused. */
function failover(call: Call): Answer {
  const { input } = call;
  if (flagAt(input, 'AllowDataLoss') === true && flagAt(input, 'Switchover') === true) {
    throw new Refusal(
      'InvalidParameterCombination',
      "You can't specify both the AllowDataLoss and the Switchover parameter.",
    );
  }
  return switchover(call);
}

function modifyCluster(call: Call): Answer {
  const { world, input } = call;
  const place = placeOf(call);
  const found = existingCluster(world, place, requiredText(input, 'DBClusterIdentifier'));
  updateByCall(callContext(world, place, found.id), cluster, found, chosen(input, MODIFIABLE));
  return { result: { DBCluster: clusterAnswer(world, found) } };
}

/** "DeleteDBCluster": a last snapshot, or the word that none is wanted. A member of a global cluster has to leave it first. */
function deleteCluster(call: Call): Answer {
  const { world, input } = call;
  const place = placeOf(call);
  const found = existingCluster(world, place, requiredText(input, 'DBClusterIdentifier'));
  const name = textAt(input, 'FinalDBSnapshotIdentifier');
  const without = flagAt(input, 'SkipFinalSnapshot') === true;
  if ((name === undefined) !== without) {
    throw new Refusal(
      'InvalidParameterCombination',
      without
        ? "FinalDBSnapshotIdentifier can't be specified when SkipFinalSnapshot is enabled"
        : 'FinalDBSnapshotIdentifier is required unless SkipFinalSnapshot is specified.',
    );
  }
  if (globalOf(world, found) !== undefined) {
    throw new Refusal(
      'InvalidDBClusterStateFault',
      'This cluster is a part of a global cluster, please remove it from globalcluster first',
    );
  }
  const answer = clusterAnswer(world, found);
  const context = callContext(world, place, found.id);
  removeByCall(context, cluster, found);
  if (name !== undefined) takeSnapshot(context, found, name);
  return { result: { DBCluster: { ...answer, Status: 'deleting' } } };
}

function deleteInstance(call: Call): Answer {
  const found = existingInstance(call, requiredText(call.input, 'DBInstanceIdentifier'));
  const answer = answerOf(call, found);
  removeByCall(callContext(call.world, placeOf(call), found.id), instance, found);
  return { result: { DBInstance: { ...answer, DBInstanceStatus: 'deleting' } } };
}

function askedGlobal(call: Call): Resource {
  return existingGlobal(call.world, placeOf(call), requiredText(call.input, 'GlobalClusterIdentifier'));
}

function existingInstance(call: Call, name: string): Resource {
  const id = (name.split(':').at(-1) ?? name).toLowerCase();
  const found = call.world.find(placeOf(call), INSTANCE, id);
  if (found !== undefined) return found;
  throw new Refusal('DBInstanceNotFound', `DBInstance ${name} not found.`, NOT_FOUND);
}

function existingSnapshot(call: Call, name: string): Resource {
  const id = (name.split(':').at(-1) ?? name).toLowerCase();
  const found = call.world.find(placeOf(call), SNAPSHOT, id);
  if (found !== undefined) return found;
  throw new Refusal('DBClusterSnapshotNotFoundFault', `DBClusterSnapshot ${name} not found.`, NOT_FOUND);
}

function answerOf(call: Call, found: Resource): Properties {
  const owner = findCluster(call.world, placeOf(call), requiredText(found.properties, 'DBClusterIdentifier'));
  return instanceAnswer(call.world, found, owner);
}

/** Of a call's parameters those that are there; numbers and booleans as such, for Query calls carry texts. */
function chosen(input: Properties, names: readonly string[]): Properties {
  return Object.fromEntries(
    names
      .filter((name) => input[name] !== undefined)
      .map((name) => [name, flagAt(input, name) ?? numberOrVersion(input, name) ?? input[name] ?? null]),
  );
}

/** A version looks like a number and isn't one. */
function numberOrVersion(input: Properties, name: string): number | undefined {
  return name === 'BackupRetentionPeriod' ? numberAt(input, name) : undefined;
}

function placeOf({ account, region }: Call): Place {
  return { account, region };
}
