import { mayHoldData } from './fate.ts';
import type { Fate, Removed, Replaced } from './effect-types.ts';

/**
 * Types that are guarded beside those which the CDK itself calls stateful (isStateful in the schemas that its command line carries: DB
 * clusters and instances, buckets, keys, secrets, log groups among them): copies of keys, the global database, and the two things whose
 * replacement cuts clients off. The words say what is lost.
 */
const LOSSES: ReadonlyMap<string, string> = new Map([
  ['AWS::KMS::ReplicaKey', 'what is encrypted with it can’t be read in this region any more'],
  ['AWS::RDS::GlobalCluster', 'the regions’ databases don’t copy from each other any more'],
  [
    'AWS::ElasticLoadBalancingV2::LoadBalancer',
    'the accelerator goes on sending clients to the old one until the edge stack is deployed: the region answers nobody',
  ],
  [
    'AWS::GlobalAccelerator::Accelerator',
    'its two addresses, which clients may have in their firewalls, can’t be had again',
  ],
  ['AWS::RDS::DBCluster', 'the region’s database, in the origin of a zone all of its keys'],
  ['AWS::RDS::DBInstance', 'the region has no writer or reader of that name until the new one is there'],
  ['AWS::S3::Bucket', 'the usage events in it'],
  ['AWS::KMS::Key', 'what is encrypted with it can’t be read any more'],
  ['AWS::SecretsManager::Secret', 'its value: whoever uses it has to be given another'],
  ['AWS::Logs::LogGroup', 'the logs in it'],
]);

/** Whether it isn't replaced or removed unless somebody says so. */
function isGuarded(type: string): boolean {
  return LOSSES.has(type) || mayHoldData(type);
}

/** Of those that a stack would lose. An instance of a cluster takes no data with it when it goes. */
export function guardedOf<T extends Replaced | Removed>(resources: readonly T[]): readonly T[] {
  return resources.filter((one) => isGuarded(one.type) && !('isMember' in one && one.isMember));
}

/** What is lost with one of that type. */
export function lossOf(type: string): string {
  return LOSSES.get(type) ?? 'the data in it';
}

/** What becomes of the one that there is, as a part of a sentence. */
export const FATES: Readonly<Record<Fate, string>> = {
  kept: 'the old one stays in AWS, outside of every stack',
  deleted: 'the old one is deleted',
  snapshot: 'the old one is deleted, a last snapshot stays',
};
