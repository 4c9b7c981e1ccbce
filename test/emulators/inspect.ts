import {
  DescribeListenersCommand,
  DescribeLoadBalancersCommand,
  ElasticLoadBalancingV2Client,
} from '@aws-sdk/client-elastic-load-balancing-v2';
import {
  DescribeServicesCommand,
  ECSClient,
  ListClustersCommand,
  ListServicesCommand,
} from '@aws-sdk/client-ecs';
import { DescribeDBClustersCommand, RDSClient } from '@aws-sdk/client-rds';
import { askEc2, askJson, type Caller } from './ask.ts';

/** One thing that a service, asked itself, says is there: its physical id, and what of it can be compared with a template. */
export interface Found {
  readonly id: string;
  readonly facts: Readonly<Record<string, unknown>>;
}

type Inspector = (caller: Caller) => Promise<readonly Found[]>;

type Item = Readonly<Record<string, unknown>>;

/** EC2's answers: a set of items under a name. */
async function ec2Items(caller: Caller, action: string, set: string): Promise<readonly Item[]> {
  const answer = (await askEc2(caller, action)) as Readonly<
    Record<string, Readonly<Record<string, unknown>>>
  >;
  const found = answer[`${action}Response`]?.[set];
  return itemsOf(found);
}

/** What EC2 lists under a name; an empty list is an empty text. */
function itemsOf(list: unknown): readonly Item[] {
  if (typeof list !== 'object' || list === null || !('item' in list)) return [];
  return list.item as readonly Item[];
}

const text = (value: unknown): string => String(value);

/** A VPC that is there without anybody's doing. Throws where there is none. */
export async function anyVpc(caller: Caller): Promise<string> {
  const [vpc] = await ec2Items(caller, 'DescribeVpcs', 'vpcSet');
  if (vpc === undefined) throw new Error(`${caller.region} has no VPC`);
  return text(vpc['vpcId']);
}

async function listedRules(caller: Caller): Promise<readonly Found[]> {
  const groups = await ec2Items(caller, 'DescribeSecurityGroups', 'securityGroupInfo');
  return groups.map((group) => ({
    id: text(group['groupId']),
    facts: {
      GroupDescription: group['groupDescription'],
      // A rule for each pair of a port range and a source, as templates have them.
      ingress: itemsOf(group['ipPermissions'])
        .flatMap((rule) =>
          [...itemsOf(rule['ipRanges']), ...itemsOf(rule['groups'])].map(
            (source) =>
              `${text(rule['ipProtocol'])} ${text(rule['fromPort'])}-${text(rule['toPort'])} from ${text(source['cidrIp'] ?? source['groupId'])}`,
          ),
        )
        .toSorted(),
    },
  }));
}

/** One that is draining is deleted, and only finishes what it has. */
async function listedServices(caller: Caller): Promise<readonly Found[]> {
  const client = new ECSClient(caller);
  const { clusterArns: clusters = [] } = await client.send(new ListClustersCommand());
  const found = await Promise.all(
    clusters.map(async (cluster) => {
      const { serviceArns: names = [] } = await client.send(new ListServicesCommand({ cluster }));
      if (names.length === 0) return [];
      const { services = [] } = await client.send(new DescribeServicesCommand({ cluster, services: names }));
      return services.filter(({ status }) => status === 'ACTIVE');
    }),
  );
  return found.flat().map(({ serviceArn, launchType, loadBalancers = [] }) => ({
    id: serviceArn ?? '',
    facts: {
      LaunchType: launchType,
      ContainerPort: loadBalancers[0]?.containerPort,
    },
  }));
}

async function listedSecrets(caller: Caller): Promise<readonly Found[]> {
  const { SecretList: secrets } = (await askJson(
    caller,
    'secretsmanager',
    'secretsmanager.ListSecrets',
    {},
  )) as {
    readonly SecretList: readonly { readonly ARN: string; readonly Name: string }[];
  };
  return Promise.all(
    secrets.map(async ({ ARN: id, Name: name }) => {
      const target = 'secretsmanager.DescribeSecret';
      const { ReplicationStatus: replicas = [] } = (await askJson(caller, 'secretsmanager', target, {
        SecretId: id,
      })) as {
        readonly ReplicationStatus?: readonly { readonly Region: string }[];
      };
      return { id: name, facts: { replicas: replicas.map(({ Region: region }) => region).toSorted() } };
    }),
  );
}

interface Key {
  readonly KeyState: string;
  readonly Description?: string;
  readonly MultiRegion?: boolean;
}

/** A key that is to be deleted counts as gone: CloudFormation can't do more. */
async function listedKeys(caller: Caller): Promise<readonly Found[]> {
  const { Keys: keys } = (await askJson(caller, 'kms', 'TrentService.ListKeys', {})) as {
    readonly Keys: readonly { readonly KeyId: string }[];
  };
  const found = await Promise.all(
    keys.map(async ({ KeyId: id }) => ({ id, key: await describedKey(caller, id) })),
  );
  return found
    .filter(({ key }) => key?.KeyState !== 'PendingDeletion')
    .map(({ id, key }) => ({
      id,
      facts: { Description: key?.Description, MultiRegion: key?.MultiRegion, KeyState: key?.KeyState },
    }));
}

/** Nothing where the emulator fails; the test knows for which one it may. */
async function describedKey(caller: Caller, id: string): Promise<Key | undefined> {
  try {
    const { KeyMetadata: key } = (await askJson(caller, 'kms', 'TrentService.DescribeKey', {
      KeyId: id,
    })) as {
      readonly KeyMetadata: Key;
    };
    return key;
  } catch (error) {
    if (error instanceof Error && error.message.includes(' 500 ')) return undefined;
    throw error;
  }
}

/** What the service has of each resource of a type, by its physical id. Throws for a type without an inspector. */
export async function inspect(type: string, caller: Caller): Promise<ReadonlyMap<string, Found['facts']>> {
  const found = await INSPECTORS[type]?.(caller);
  if (found === undefined) throw new Error(`nobody to ask about ${type}`);
  return new Map(found.map(({ id, facts }) => [id, facts]));
}

/** How to ask the services themselves, by resource type. CloudFormation's own list of resources isn't asked. */
export const INSPECTORS: Readonly<Record<string, Inspector>> = {
  'AWS::EC2::VPC': async (caller) =>
    (await ec2Items(caller, 'DescribeVpcs', 'vpcSet')).map((vpc) => ({
      id: text(vpc['vpcId']),
      facts: { CidrBlock: vpc['cidrBlock'] },
    })),
  'AWS::EC2::Subnet': async (caller) =>
    (await ec2Items(caller, 'DescribeSubnets', 'subnetSet')).map((subnet) => ({
      id: text(subnet['subnetId']),
      facts: { CidrBlock: subnet['cidrBlock'], AvailabilityZone: subnet['availabilityZone'] },
    })),
  'AWS::EC2::SecurityGroup': listedRules,
  'AWS::ElasticLoadBalancingV2::LoadBalancer': async (caller) => {
    const client = new ElasticLoadBalancingV2Client(caller);
    const { LoadBalancers: found = [] } = await client.send(new DescribeLoadBalancersCommand());
    return found.map(({ LoadBalancerArn: id = '', Scheme, Type }) => ({ id, facts: { Scheme, Type } }));
  },
  'AWS::ElasticLoadBalancingV2::Listener': async (caller) => {
    const client = new ElasticLoadBalancingV2Client(caller);
    const { LoadBalancers: balancers = [] } = await client.send(new DescribeLoadBalancersCommand());
    const found = await Promise.all(
      balancers.map(({ LoadBalancerArn: arn }) =>
        client.send(new DescribeListenersCommand({ LoadBalancerArn: arn })),
      ),
    );
    return found.flatMap(({ Listeners: listeners = [] }) =>
      listeners.map(({ ListenerArn: id = '', Port, Protocol, SslPolicy }) => ({
        id,
        facts: { Port, Protocol, SslPolicy },
      })),
    );
  },
  'AWS::ECS::Service': listedServices,
  'AWS::RDS::DBCluster': async (caller) => {
    const { DBClusters: clusters = [] } = await new RDSClient(caller).send(new DescribeDBClustersCommand());
    return clusters.map(
      ({ DBClusterIdentifier: id = '', Engine, EngineVersion, DeletionProtection, Port }) => ({
        id,
        facts: { Engine, EngineVersion, DeletionProtection, Port },
      }),
    );
  },
  'AWS::SecretsManager::Secret': listedSecrets,
  'AWS::KMS::Key': listedKeys,
};
