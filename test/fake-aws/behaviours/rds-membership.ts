import { Refusal } from '../refusal.ts';
import { type Place, textAt } from '../values.ts';
import { type Resource, type World, globalPlace } from '../world.ts';
import {
  GLOBAL_CLUSTER,
  NOT_FOUND,
  clusterArn,
  endpointHash,
  existingCluster,
  findCluster,
  instancesOf,
} from './rds-names.ts';

/** Who belongs to a global cluster. ARNs. */
export interface Members {
  readonly writer: string | null;
  readonly readers: readonly string[];
}

/** Throws RDS's answer where the account has none of that name. */
export function existingGlobal(world: World, place: Place, reference: string): Resource {
  const found = world.find(globalPlace(place), GLOBAL_CLUSTER, reference.toLowerCase());
  if (found !== undefined) return found;
  throw new Refusal('GlobalClusterNotFoundFault', `Global cluster ${reference} not found`, NOT_FOUND);
}

export function membersOf(global: Resource): Members {
  const { state } = global;
  const readers = state.get('readers');
  return {
    writer: textAt({ writer: state.get('writer') ?? null }, 'writer') ?? null,
    readers: Array.isArray(readers) ? readers.filter((arn) => typeof arn === 'string') : [],
  };
}

export function setMembers(global: Resource, { writer, readers }: Members): void {
  global.state.set('writer', writer);
  global.state.set('readers', readers);
}

/** The global cluster that a cluster belongs to. */
export function globalOf(world: World, cluster: Resource): Resource | undefined {
  const arn = clusterArn(cluster);
  return world.all(GLOBAL_CLUSTER, globalPlace(cluster)).find((global) => {
    const { writer, readers } = membersOf(global);
    return writer === arn || readers.includes(arn);
  });
}

export function isReader(world: World, cluster: Resource): boolean {
  const global = globalOf(world, cluster);
  return global !== undefined && membersOf(global).writer !== clusterArn(cluster);
}

/**
 * Takes a cluster out; it goes on with its own data, and can be written to. The primary leaves last. "Removing a cluster from an Amazon Aurora global
 * database", Aurora User Guide; the code for a primary that others depend on is the one that its deletion is answered with.
 */
export function leave(world: World, global: Resource, cluster: Resource): void {
  const arn = clusterArn(cluster);
  const { writer, readers } = membersOf(global);
  if (writer !== arn && !readers.includes(arn)) {
    throw new Refusal(
      'InvalidParameterValue',
      `Cluster ${cluster.id} is not part of the global cluster ${global.id}`,
    );
  }
  if (writer === arn && readers.length > 0) {
    throw new Refusal(
      'InvalidGlobalClusterStateFault',
      'Unable to remove cluster that is a primary member of global cluster while there are other global cluster members',
    );
  }
  setMembers(global, {
    writer: writer === arn ? null : writer,
    readers: readers.filter((reader) => reader !== arn),
  });
  // What it was made as no longer holds: a stack finds out when it reads the cluster.
  showEndpoints(world, cluster);
}

/** Makes a reader the writer, and the writer a reader. */
export function promote(world: World, global: Resource, reference: string): void {
  const target = existingCluster(world, global, reference);
  const arn = clusterArn(target);
  const { writer, readers } = membersOf(global);
  if (!readers.includes(arn)) {
    throw new Refusal(
      'InvalidGlobalClusterStateFault',
      `Cluster ${arn} is not a secondary cluster of global cluster ${global.id}`,
    );
  }
  if (instancesOf(world, target).length === 0) {
    throw new Refusal(
      'InvalidDBClusterStateFault',
      `Cluster ${arn} has no DB instance that could become the writer`,
    );
  }
  const others = readers.filter((reader) => reader !== arn);
  setMembers(global, { writer: arn, readers: writer === null ? others : [...others, writer] });
  for (const member of [arn, ...(writer === null ? [] : [writer])]) {
    const cluster = findCluster(world, global, member);
    if (cluster !== undefined) showEndpoints(world, cluster);
  }
}

/** A replica tells no endpoint of a writer. */
function showEndpoints(world: World, cluster: Resource, reader = isReader(world, cluster)): void {
  const { 'Endpoint.Address': _, ...attributes } = cluster.attributes;
  cluster.attributes = reader
    ? attributes
    : { ...attributes, 'Endpoint.Address': writerEndpoint(cluster, cluster.id) };
}

export function writerEndpoint(place: Place, id: string): string {
  return `${id}.cluster-${endpointHash(place)}.${place.region}.rds.amazonaws.com`;
}

export function readerEndpoint(place: Place, id: string): string {
  return `${id}.cluster-ro-${endpointHash(place)}.${place.region}.rds.amazonaws.com`;
}
