import type { Behaviour, Context, Made } from '../behaviour.ts';
import { Refusal } from '../refusal.ts';
import { type Json, type Properties, textAt } from '../values.ts';
import { type Resource, globalPlace } from '../world.ts';
import { flagAt, requiredText } from './property-values.ts';
import { familyOf } from './rds-engines.ts';
import { globalOf, leave, membersOf } from './rds-membership.ts';
import {
  GLOBAL_CLUSTER,
  clusterArn,
  endpointHash,
  existingCluster,
  findCluster,
  identifierOf,
} from './rds-names.ts';
import { stateText } from './state-values.ts';

// "CreateGlobalCluster", Amazon RDS API Reference: taken from the source, so not to be given with it.
const OF_SOURCE = ['Engine', 'EngineVersion', 'DatabaseName', 'StorageEncrypted'];

const LIFECYCLES = ['open-source-rds-extended-support', 'open-source-rds-extended-support-disabled'];

/**
 * Ref is the identifier, which is unique in the account, whatever the region. "AWS::RDS::GlobalCluster", CloudFormation Template Reference. Of the
 * endpoint, CloudFormation gives nothing that a template can use: coverage roadmap 2364.
 */
export const globalCluster: Behaviour = {
  type: GLOBAL_CLUSTER,
  scope: 'global',
  create(context, properties): Made {
    const { world, place } = context;
    const id = identifierOf(context, properties, 'GlobalClusterIdentifier');
    if (world.find(globalPlace(place), GLOBAL_CLUSTER, id) !== undefined) {
      throw new Refusal('GlobalClusterAlreadyExistsFault', `Global Cluster ${id} already exists`);
    }
    checkLifecycle(properties);
    const source = textAt(properties, 'SourceDBClusterIdentifier');
    const facts = source === undefined ? newFacts(properties) : factsOf(context, source, properties);
    return {
      id,
      attributes: {
        GlobalEndpoint: {
          Address: `${id}.global-${endpointHash({ account: place.account, region: 'global' })}.global.rds.amazonaws.com`,
        },
      },
      state: new Map<string, Json>([
        ['writer', null],
        ['readers', []],
        ['resourceId', `cluster-${world.hex(16)}`],
        ...facts,
      ]),
    };
  },
  update(_context, resource, properties): undefined {
    refuseLifecycle(resource.properties, properties);
    const { state } = resource;
    const version = textAt(properties, 'EngineVersion');
    // "ModifyGlobalCluster": a new minor version is each cluster's own matter; the global cluster says which one its members share.
    if (version !== undefined) {
      familyOf(stateText(resource, 'engine'), version);
      state.set('engineVersion', version);
    }
  },
  remove(context, resource): void {
    const { world, place } = context;
    if (flagAt(resource.properties, 'DeletionProtection') === true) {
      throw new Refusal(
        'InvalidParameterCombination',
        'Cannot delete protected Global Cluster, please disable deletion protection and try again.',
      );
    }
    // CloudFormation takes the cluster out that the global cluster was made from.
    const source = textAt(resource.properties, 'SourceDBClusterIdentifier');
    const cluster = source === undefined ? undefined : findCluster(world, place, source);
    if (cluster !== undefined && globalOf(world, cluster)?.id === resource.id)
      leave(world, resource, cluster);
    const { writer, readers } = membersOf(resource);
    if (writer !== null || readers.length > 0) {
      throw new Refusal(
        'InvalidGlobalClusterStateFault',
        `Global Cluster ${globalArn(resource)} is not empty`,
      );
    }
  },
};

export function globalArn({ account, id }: Resource): string {
  return `arn:aws:rds::${account}:global-cluster:${id}`;
}

/** Both types have it, with the same values: "EngineLifecycleSupport", CreateGlobalCluster and CreateDBCluster. @throws Refusal */
export function checkLifecycle(properties: Properties): void {
  const support = textAt(properties, 'EngineLifecycleSupport');
  if (support === undefined || LIFECYCLES.includes(support)) return;
  throw new Refusal('InvalidParameterValue', `Invalid engine lifecycle support value: ${support}`);
}

/** Both types have it; CloudFormation changes neither. */
export function refuseLifecycle(before: Properties, after: Properties): void {
  if (before['EngineLifecycleSupport'] === after['EngineLifecycleSupport']) return;
  throw new Refusal('InvalidRequest', 'EngineLifecycleSupport cannot be modified.');
}

function newFacts(properties: Properties): readonly (readonly [string, Json])[] {
  const engine = requiredText(properties, 'Engine');
  if (engine === '') {
    throw new Refusal(
      'InvalidParameterValue',
      'The parameter Engine must be provided and must not be blank.',
    );
  }
  const version = textAt(properties, 'EngineVersion') ?? null;
  if (version !== null) familyOf(engine, version);
  return [
    ['engine', engine],
    ['engineVersion', version],
    ['encrypted', flagAt(properties, 'StorageEncrypted') ?? false],
    ['databaseName', textAt(properties, 'DatabaseName') ?? null],
  ];
}

/** What a global cluster has that is made around a cluster, which becomes its primary. */
function factsOf(
  { world, place }: Context,
  source: string,
  properties: Properties,
): readonly (readonly [string, Json])[] {
  const given = OF_SOURCE.filter((name) => properties[name] !== undefined);
  if (given.length > 0) {
    throw new Refusal(
      'InvalidParameterCombination',
      `When creating global cluster from existing db cluster, value for ${given.join(', ')} should not be specified since it will be inherited from source cluster`,
    );
  }
  const cluster = existingCluster(world, place, source);
  if (globalOf(world, cluster) !== undefined) {
    throw new Refusal(
      'InvalidDBClusterStateFault',
      `Cluster ${clusterArn(cluster)} is already a member of a global cluster`,
    );
  }
  return [
    ['writer', clusterArn(cluster)],
    ['engine', requiredText(cluster.properties, 'Engine')],
    ['engineVersion', textAt(cluster.properties, 'EngineVersion') ?? null],
    ['encrypted', flagAt(cluster.properties, 'StorageEncrypted') ?? false],
    ['databaseName', textAt(cluster.properties, 'DatabaseName') ?? null],
  ];
}
