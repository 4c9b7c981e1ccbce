import { DescribeGlobalClustersCommand } from '@aws-sdk/client-rds';
import { outputKeys, stackNames } from '../../infra/names.ts';
import { type AwsRegion, isAwsRegion } from '../../topology/aws-regions.ts';
import type { ZoneDeployment } from '../../topology/deployment.ts';
import type { AwsClients } from '../lib/aws-clients.ts';
import { type DeployedStack, readDeployedStack } from '../lib/deployed-stack.ts';
import { UserError } from '../lib/user-error.ts';

/** Fails with `UserError` unless the credentials are for the zone's account. */
export async function requireAccount(clients: AwsClients, zone: ZoneDeployment): Promise<void> {
  const account = await clients.account(zone.origin);
  if (account === zone.account) return;
  throw new UserError(
    `Zone ${zone.name} is in account ${zone.account}, and the credentials are for ${account}. Set AWS_PROFILE to one of the zone's account.`,
  );
}

/** Those of these stacks that exist, by name. */
export async function readStacks(
  clients: AwsClients,
  wanted: readonly { readonly name: string; readonly region: string }[],
): Promise<ReadonlyMap<string, DeployedStack>> {
  const found = await Promise.all(
    wanted.map(({ name, region }) => readDeployedStack(clients.cloudFormation(region), name)),
  );
  return new Map(found.flatMap((stack) => (stack === undefined ? [] : [[stack.name, stack]])));
}

/** Where the writer of a zone's global database is; null where it has none, and so never leaves the origin. */
export async function homeOf(clients: AwsClients, zone: ZoneDeployment): Promise<AwsRegion | null> {
  const data = await readDeployedStack(
    clients.cloudFormation(zone.origin),
    stackNames.data(zone, zone.origin),
  );
  const identifier = data?.outputs.get(outputKeys.data.globalClusterIdentifier);
  if (identifier === undefined) return null;
  const { GlobalClusters = [] } = await clients
    .rds(zone.origin)
    .send(new DescribeGlobalClustersCommand({ GlobalClusterIdentifier: identifier }));
  const members = GlobalClusters[0]?.GlobalClusterMembers ?? [];
  // arn:aws:rds:<region>:<account>:cluster:<identifier>
  const region = members.find(({ IsWriter }) => IsWriter === true)?.DBClusterArn?.split(':')[3];
  return isAwsRegion(region) ? region : null;
}
