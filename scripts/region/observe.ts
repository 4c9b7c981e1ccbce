import {
  DescribeDBClustersCommand,
  DescribeGlobalClustersCommand,
  type GlobalClusterMember,
} from '@aws-sdk/client-rds';
import { clusterIdentifier, globalClusterIdentifier, outputKeys, stackNames } from '../../infra/names.ts';
import type { AwsRegion } from '../../topology/aws-regions.ts';
import type { ZoneDeployment } from '../../topology/deployment.ts';
import type { AwsClients } from '../lib/aws-clients.ts';
import { identify } from '../lib/credentials.ts';
import { type DeployedStack, readAnyStack } from '../lib/deployed-stack.ts';
import { errorText, UserError } from '../lib/user-error.ts';
import { type GlobalMember, type LeavingDatabase, regionOfArn } from './database-safety.ts';

/** Fails with `UserError` unless the credentials are for the zone's account. */
export async function requireAccount(zone: ZoneDeployment): Promise<void> {
  const identity = await identify(zone.origin);
  if (identity.kind === 'none')
    throw new UserError('There are no AWS credentials. Set AWS_PROFILE, or log in with `aws sso login`.');
  const { account } = identity;
  if (account === zone.account) return;
  throw new UserError(
    `Zone ${zone.name} is in account ${zone.account}, and the credentials are for ${account}. Set AWS_PROFILE to one of the zone's account.`,
  );
}

/** Those of these stacks that exist, by name; also those that only a change set has been made for. */
export async function readStacks(
  clients: AwsClients,
  wanted: readonly { readonly name: string; readonly region: string }[],
): Promise<ReadonlyMap<string, DeployedStack>> {
  const found = await Promise.all(
    wanted.map(({ name, region }) => readAnyStack(clients.cloudFormation(region), name)),
  );
  return new Map(found.flatMap((stack) => (stack === undefined ? [] : [[stack.name, stack]])));
}

/** Regions of a zone without one. */
export function remainingOf(zone: ZoneDeployment, region: AwsRegion): readonly AwsRegion[] {
  return zone.regions.map((one) => one.region).filter((one) => one !== region);
}

/**
 * What RDS says of the database in a region that goes, asked for in that region: its own cluster decides, and not what the origin's stack
 * says of it. Fails with `UserError` where AWS doesn't answer: what isn't known is no "there is none".
 */
export async function observeDatabase(
  clients: AwsClients,
  zone: ZoneDeployment,
  region: AwsRegion,
): Promise<LeavingDatabase> {
  const stacks = await readStacks(
    clients,
    [region, zone.origin].map((one) => ({ name: stackNames.data(zone, one), region: one })),
  );
  const output = stacks.get(stackNames.data(zone, region))?.outputs.get(outputKeys.data.clusterIdentifier);
  // A stack that was never finished has no outputs; the name is the same literal.
  const own = await clusterOf(clients, region, output ?? clusterIdentifier(zone, region));
  const members = own === null ? null : await membersOf(clients, zone, region);
  const writers = (members ?? []).filter(({ isWriter }) => isWriter);
  const statuses = await Promise.all(
    writers.map(async ({ arn }) => {
      const found = await clusterOf(clients, regionOfArn(arn) ?? region, arn.split(':').at(-1) ?? arn);
      return [arn, found?.arn === arn ? found.status : 'missing'] as const;
    }),
  );
  const origin = stacks.get(stackNames.data(zone, zone.origin));
  return {
    zone,
    region,
    remaining: remainingOf(zone, region),
    clusterArn: own?.arn ?? null,
    members,
    writerStatus: new Map(statuses),
    originHasData: origin !== undefined && origin.status !== 'REVIEW_IN_PROGRESS',
  };
}

async function clusterOf(
  clients: AwsClients,
  region: string,
  identifier: string,
): Promise<{ readonly arn: string; readonly status: string } | null> {
  return await asking(
    `the database cluster ${identifier} in ${region}`,
    'DBClusterNotFoundFault',
    async () => {
      const { DBClusters = [] } = await clients
        .rds(region)
        .send(new DescribeDBClustersCommand({ DBClusterIdentifier: identifier }));
      const [{ DBClusterArn, Status } = {}, ...others] = DBClusters;
      if (DBClusterArn === undefined || others.length > 0) throw new Error(`it lists ${DBClusters.length}`);
      return { arn: DBClusterArn, status: Status ?? 'unknown' };
    },
  );
}

async function membersOf(
  clients: AwsClients,
  zone: ZoneDeployment,
  region: AwsRegion,
): Promise<readonly GlobalMember[] | null> {
  const identifier = globalClusterIdentifier(zone);
  return await asking(`the global database ${identifier}`, 'GlobalClusterNotFoundFault', async () => {
    const { GlobalClusters = [] } = await clients
      .rds(region)
      .send(new DescribeGlobalClustersCommand({ GlobalClusterIdentifier: identifier }));
    const [global, ...others] = GlobalClusters;
    if (global === undefined || others.length > 0) throw new Error(`it lists ${GlobalClusters.length}`);
    return (global.GlobalClusterMembers ?? []).map((one) => memberOf(one));
  });
}

function memberOf({ DBClusterArn, IsWriter }: GlobalClusterMember): GlobalMember {
  if (DBClusterArn === undefined || IsWriter === undefined)
    throw new Error('it lists a member without an ARN, or without saying whether it is the writer');
  return { arn: DBClusterArn, isWriter: IsWriter };
}

/** Null where RDS says that there is none, by the name of that fault. */
async function asking<T>(what: string, none: string, work: () => Promise<T>): Promise<T | null> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof Error && error.name === none) return null;
    throw new UserError(
      `RDS doesn't say what there is of ${what}: ${errorText(error)} Without knowing, no database is deleted: allow rds:DescribeDBClusters and rds:DescribeGlobalClusters in every region of the zone, then run this again.`,
    );
  }
}
