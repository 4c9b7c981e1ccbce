import { createHash } from 'node:crypto';
import type { Context } from '../behaviour.ts';
import { physicalName } from '../cloudformation/names.ts';
import { Refusal } from '../refusal.ts';
import { type Place, type Properties, textAt } from '../values.ts';
import type { Resource, World } from '../world.ts';

export const GLOBAL_CLUSTER = 'AWS::RDS::GlobalCluster';
export const CLUSTER = 'AWS::RDS::DBCluster';
export const INSTANCE = 'AWS::RDS::DBInstance';
export const SUBNET_GROUP = 'AWS::RDS::DBSubnetGroup';
export const CLUSTER_PARAMETERS = 'AWS::RDS::DBClusterParameterGroup';
export const INSTANCE_PARAMETERS = 'AWS::RDS::DBParameterGroup';
/** No type of CloudFormation's: what DescribeDBClusterSnapshots lists. */
export const SNAPSHOT = 'RDS::DBClusterSnapshot';

export const NOT_FOUND = 404;
const IDENTIFIER_MAX = 63;
const GROUP_NAME_MAX = 255;

/**
 * The identifier of a global cluster, cluster, instance or snapshot, in lower case as RDS keeps it; one that CloudFormation makes up where none is given.
 * "CreateDBCluster", "CreateDBInstance", "CreateGlobalCluster", Amazon RDS API Reference.
 */
export function identifierOf(context: Context, properties: Properties, property: string): string {
  const given = textAt(properties, property) ?? physicalName(context, IDENTIFIER_MAX, { lowerCase: true });
  const name = given.toLowerCase();
  if (/^[a-z](?:-?[a-z0-9])*$/u.test(name) && name.length <= IDENTIFIER_MAX) return name;
  throw new Refusal(
    'InvalidParameterValue',
    name.length > IDENTIFIER_MAX
      ? `The parameter ${property} is not a valid identifier because it is longer than ${IDENTIFIER_MAX} characters.`
      : `The parameter ${property} is not a valid identifier. Identifiers must begin with a letter; must contain only ASCII letters, digits, and hyphens; and must not end with a hyphen or contain two consecutive hyphens.`,
  );
}

/** The name of a subnet group or parameter group, likewise. "CreateDBSubnetGroup", "CreateDBClusterParameterGroup", Amazon RDS API Reference. */
export function groupNameOf(
  context: Context,
  properties: Properties,
  { property, pattern }: { property: string; pattern: RegExp },
): string {
  const given = textAt(properties, property) ?? physicalName(context, GROUP_NAME_MAX, { lowerCase: true });
  const name = given.toLowerCase();
  if (pattern.test(name) && name.length <= GROUP_NAME_MAX && name !== 'default') return name;
  throw new Refusal('InvalidParameterValue', `The parameter ${property} is not a valid identifier: ${given}`);
}

export function rdsArn({ account, region }: Place, kind: string, id: string): string {
  return `arn:aws:rds:${region}:${account}:${kind}:${id}`;
}

/** A cluster by its identifier, which belongs to a place, or its ARN, which says its own. Upper and lower case are the same. */
export function findCluster(world: World, place: Place, reference: string): Resource | undefined {
  const [, , service, region = '', account = '', kind, id = ''] = reference.split(':');
  if (service === undefined) return world.find(place, CLUSTER, reference.toLowerCase());
  return service === 'rds' && kind === 'cluster' && account === place.account
    ? world.find({ account, region }, CLUSTER, id.toLowerCase())
    : undefined;
}

/** Throws RDS's answer where there is none. */
export function existingCluster(world: World, place: Place, reference: string): Resource {
  const found = findCluster(world, place, reference);
  if (found !== undefined) return found;
  throw new Refusal('DBClusterNotFoundFault', `DBCluster ${reference} not found.`, NOT_FOUND);
}

export function clusterArn(cluster: Resource): string {
  return rdsArn(cluster, 'cluster', cluster.id);
}

/** In the order in which they were made. */
export function instancesOf(world: World, cluster: Resource): readonly Resource[] {
  return world
    .all(INSTANCE, cluster)
    .filter(({ properties }) => textAt(properties, 'DBClusterIdentifier')?.toLowerCase() === cluster.id);
}

/** Part of all endpoints that an account has in a region; letters and digits. */
export function endpointHash({ account, region }: Place): string {
  const digits = BigInt(`0x${createHash('sha256').update(`${account}/${region}`).digest('hex')}`);
  return `c${digits.toString(36).slice(0, 11)}`;
}
