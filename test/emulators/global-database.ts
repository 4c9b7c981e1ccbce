import {
  CreateDBClusterCommand,
  type CreateDBClusterMessage,
  CreateGlobalClusterCommand,
  type CreateGlobalClusterMessage,
  DescribeGlobalClustersCommand,
  RDSClient,
} from '@aws-sdk/client-rds';
import type { Caller } from './ask.ts';
import type { Assembly } from './assembly.ts';

type Properties = Readonly<Record<string, unknown>>;

/** A zone's global database, in the words of its templates. */
export interface GlobalDatabase {
  readonly id: string;
  readonly properties: Properties;
  readonly origin: RegionCluster;
  readonly secondaries: readonly RegionCluster[];
}

interface RegionCluster {
  readonly region: string;
  readonly properties: Properties;
}

/** One for every zone of several regions. */
export function globalDatabases(assembly: Assembly): readonly GlobalDatabase[] {
  const resources = assembly.stacks.flatMap((stack) =>
    Object.values(assembly.original(stack).Resources).map(({ Type: type, Properties: properties = {} }) => ({
      type,
      stack,
      properties,
    })),
  );
  const clusters = resources.filter(({ type }) => type === 'AWS::RDS::DBCluster');
  return resources
    .filter(({ type }) => type === 'AWS::RDS::GlobalCluster')
    .map(({ stack, properties }) => {
      const id = properties['GlobalClusterIdentifier'];
      const origin = clusters.find((cluster) => cluster.stack === stack);
      if (typeof id !== 'string' || origin === undefined) throw new Error(`no origin in ${stack.name}`);
      return {
        id,
        properties: plainOf(properties),
        origin: { region: stack.region, properties: plainOf(origin.properties) },
        secondaries: clusters
          .filter((cluster) => cluster.properties['GlobalClusterIdentifier'] === id)
          .map((cluster) => ({ region: cluster.stack.region, properties: plainOf(cluster.properties) })),
      };
    });
}

/** CloudFormation's properties are those of RDS's own call. Without references, and without the secret's user and password. */
function plainOf(properties: Properties): Properties {
  return Object.fromEntries(
    Object.entries(properties).filter(
      ([, value]) => !/"(Ref|Fn::\w+)":|\{\{resolve:/.test(JSON.stringify(value)),
    ),
  );
}

/** The same with whatever version the emulator takes by itself. */
export function withoutEngineVersion(database: GlobalDatabase): GlobalDatabase {
  const without = (properties: Properties): Properties =>
    Object.fromEntries(Object.entries(properties).filter(([name]) => name !== 'EngineVersion'));
  return {
    ...database,
    properties: without(database.properties),
    origin: { ...database.origin, properties: without(database.origin.properties) },
    secondaries: database.secondaries.map(({ region, properties }) => ({
      region,
      properties: without(properties),
    })),
  };
}

export async function createGlobal(caller: Caller, { properties }: GlobalDatabase): Promise<void> {
  await rds(caller).send(new CreateGlobalClusterCommand(properties as unknown as CreateGlobalClusterMessage));
}

/** The first cluster: with a master user, which the others have from it. */
export async function createOrigin(caller: Caller, { id, origin }: GlobalDatabase): Promise<string> {
  return await createCluster(caller, {
    ...origin.properties,
    GlobalClusterIdentifier: id,
    MasterUsername: 'keyhearth_master',
    MasterUserPassword: 'not-a-secret',
  });
}

/** Any cluster as its template has it. Returns its ARN. Throws what the service refuses it with. */
export async function createCluster(caller: Caller, properties: Properties): Promise<string> {
  const { DBCluster: made } = await rds(caller).send(
    new CreateDBClusterCommand(properties as unknown as CreateDBClusterMessage),
  );
  if (made?.DBClusterArn === undefined) throw new Error('a cluster without an ARN');
  return made.DBClusterArn;
}

/** The ARN of the writer, and those of the others. */
export async function membersOf(
  caller: Caller,
  id: string,
): Promise<{ readonly writers: readonly string[]; readonly readers: readonly string[] }> {
  // All of them: not every emulator looks at which one is asked for.
  const { GlobalClusters: all = [] } = await rds(caller).send(new DescribeGlobalClustersCommand());
  const found = all.find((one) => one.GlobalClusterIdentifier === id);
  const members = found?.GlobalClusterMembers ?? [];
  const arns = (isWriter: boolean): readonly string[] =>
    members
      .filter((member) => (member.IsWriter ?? false) === isWriter)
      .map(({ DBClusterArn: arn = '' }) => arn);
  return { writers: arns(true), readers: arns(false).toSorted() };
}

function rds(caller: Caller): RDSClient {
  return new RDSClient({ ...caller, maxAttempts: 1 });
}
