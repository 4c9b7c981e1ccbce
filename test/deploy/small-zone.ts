import {
  CloudFormationClient,
  CreateChangeSetCommand,
  CreateStackCommand,
  DescribeStackEventsCommand,
  DescribeStacksCommand,
  UpdateStackCommand,
  waitUntilStackCreateComplete,
  waitUntilStackUpdateComplete,
} from '@aws-sdk/client-cloudformation';
import { clusterIdentifier, globalClusterIdentifier, stackNames } from '../../infra/names.ts';
import { deploymentOf, type ZoneDeployment } from '../../topology/deployment.ts';
import type { Zone } from '../../topology/types.ts';
import { accountKeys } from '../fake-aws/account.ts';
import { AWAY, DataWorld, HOME } from '../fake-aws/behaviours/data-fixture.ts';
import { leave, membersOf, promote } from '../fake-aws/behaviours/rds-membership.ts';
import { type FakeAws, startFakeAws } from '../fake-aws/server.ts';
import type { Resource } from '../fake-aws/world.ts';

const ZONE: Zone = {
  name: 'eu',
  hostname: 'keys.eu.example.com',
  account: HOME.account,
  origin: 'eu-central-1',
  replicas: [],
  domain: { hostedZoneId: 'Z0EXAMPLE00000000EU', hostedZoneName: 'eu.example.com' },
};
const REGION = 'eu-west-3';
const GROUP = 'sg-0123456789abcdef0';
const WAIT = { maxWaitTime: 20, minDelay: 0.02, maxDelay: 0.05 };

const ACCELERATOR = {
  Accelerator: { Type: 'AWS::GlobalAccelerator::Accelerator', Properties: { Name: 'keys' } },
};

type Resources = Readonly<Record<string, object>>;

/** A zone of two regions whose second one the description has no longer: the real stacks' names, with little but the databases in them. */
export class SmallZone {
  readonly zone: ZoneDeployment = deploymentOf({ name: 'production', zones: [ZONE] }, ZONE);
  readonly region = REGION;
  readonly aws: FakeAws;
  readonly #data: DataWorld;

  private constructor(aws: FakeAws, data: DataWorld) {
    this.aws = aws;
    this.#data = data;
  }

  /** `onCall` is told of every call that was answered. */
  static async start(onCall: (action: string, region: string) => void = () => {}): Promise<SmallZone> {
    const data = new DataWorld([HOME, AWAY]);
    for (const place of [HOME, AWAY]) {
      const attributes = { VpcId: `vpc-${place.region}` };
      data.add('AWS::EC2::SecurityGroup', GROUP, { place, attributes });
    }
    const aws = await startFakeAws({
      world: data.world,
      watch: ({ action, region }) => onCall(action, region),
    });
    const made = new SmallZone(aws, data);
    await made.#deployAll();
    return made;
  }

  /** The region's database becomes the writer. */
  switchOver(): void {
    promote(this.#data.world, this.global, this.arn(REGION));
  }

  /** The region's database leaves the global one and goes on with data of its own. */
  detach(): void {
    leave(this.#data.world, this.global, this.cluster(REGION));
  }

  /** The origin's database is lost, and what is left has no writer. */
  loseHome(): void {
    this.global.state.set('writer', null);
    this.#data.world.remove(this.cluster(HOME.region));
  }

  get global(): Resource {
    const [found] = this.#data.world.all('AWS::RDS::GlobalCluster');
    if (found === undefined) throw new Error('no global database');
    return found;
  }

  /** Whether every edge location knows the accelerator's last change. */
  set isAcceleratorDeployed(value: boolean) {
    const [found] = this.#data.world.all('AWS::GlobalAccelerator::Accelerator');
    found?.state.set('status', value ? 'DEPLOYED' : 'IN_PROGRESS');
  }

  /** What a deployment leaves that was killed before its change set was carried out. */
  async review(name: string): Promise<void> {
    const TemplateBody = JSON.stringify({ Resources: topic('never') });
    await this.#client(REGION).send(
      new CreateChangeSetCommand({
        StackName: name,
        ChangeSetName: 'first',
        ChangeSetType: 'CREATE',
        TemplateBody,
      }),
    );
  }

  get writer(): string | null {
    return membersOf(this.global).writer;
  }

  arn(region: string): string {
    return `arn:aws:rds:${region}:${HOME.account}:cluster:${this.cluster(region).id}`;
  }

  /** Throws where it is gone. */
  cluster(region: string): Resource {
    const found = this.#data.world.all('AWS::RDS::DBCluster').find((one) => one.region === region);
    if (found === undefined) throw new Error(`no database in ${region}`);
    return found;
  }

  /** Names of the stacks of both regions that exist, in no order. */
  async stacks(): Promise<readonly string[]> {
    const found = await Promise.all(
      [HOME.region, REGION].map(async (region) => {
        const { Stacks = [] } = await this.#client(region).send(new DescribeStacksCommand({}));
        return Stacks.map(({ StackName = '' }) => StackName);
      }),
    );
    return found.flat();
  }

  /** What the CDK would do with `edge` and `zone`: the region is in neither any more. */
  async deployWithoutRegion(stack: string): Promise<void> {
    const client = this.#client(HOME.region);
    const TemplateBody = JSON.stringify(
      stack === stackNames.edge(this.zone)
        ? { Resources: { ...topic('without'), ...ACCELERATOR }, Outputs: outputsOf(ACCELERATOR) }
        : { Resources: topic('without') },
    );
    await client.send(new UpdateStackCommand({ StackName: stack, TemplateBody }));
    await waitUntilStackUpdateComplete({ client, ...WAIT }, { StackName: stack });
  }

  async #deployAll(): Promise<void> {
    const { zone } = this;
    await this.#deploy(stackNames.data(zone, 'eu-central-1'), HOME.region, this.#originData());
    await this.#deploy(stackNames.data(zone, REGION), REGION, {
      ...this.#database(REGION, {}),
      Topic: { Type: 'AWS::SNS::Topic' },
    });
    await this.#deploy(stackNames.zone(zone), HOME.region, topic(REGION));
    await this.#deploy(stackNames.edge(zone), HOME.region, topic({ Ref: 'WeightEuWest3' }), {
      WeightEuWest3: { Type: 'Number', Default: 128 },
    });
    await this.#deploy(stackNames.base(zone, REGION), REGION, topic('base'));
    await this.#deploy(stackNames.service(zone, REGION), REGION, topic('svc'));
    await this.#deploy(stackNames.link(zone, REGION, 'eu-central-1'), REGION, topic('out'));
    await this.#deploy(stackNames.link(zone, 'eu-central-1', REGION), HOME.region, topic('in'));
  }

  #originData(): Resources {
    return {
      Global: {
        Type: 'AWS::RDS::GlobalCluster',
        Properties: {
          GlobalClusterIdentifier: globalClusterIdentifier(this.zone),
          Engine: 'aurora-postgresql',
          EngineVersion: '17.5',
          StorageEncrypted: true,
        },
      },
      ...this.#database(HOME.region, { MasterUsername: 'owner', MasterUserPassword: 'longenough' }, 'Global'),
    };
  }

  #database(region: string, more: object, needs?: string): Resources {
    const names = { name: this.zone.name, environment: this.zone.environment };
    const id = clusterIdentifier(names, region === REGION ? REGION : 'eu-central-1');
    return {
      Cluster: {
        Type: 'AWS::RDS::DBCluster',
        DeletionPolicy: 'RetainExceptOnCreate',
        ...(needs === undefined ? {} : { DependsOn: needs }),
        Properties: {
          ...this.#data.replicaProperties({ account: HOME.account, region }),
          VpcSecurityGroupIds: [GROUP],
          DBClusterIdentifier: id,
          GlobalClusterIdentifier: globalClusterIdentifier(this.zone),
          DeletionProtection: true,
          ...more,
        },
      },
      Instance: {
        Type: 'AWS::RDS::DBInstance',
        Properties: {
          DBClusterIdentifier: { Ref: 'Cluster' },
          DBInstanceClass: 'db.serverless',
          Engine: 'aurora-postgresql',
        },
      },
    };
  }

  async #deploy(name: string, region: string, Resources: Resources, Parameters?: object): Promise<void> {
    const client = this.#client(region);
    const Outputs = outputsOf(Resources);
    const TemplateBody = JSON.stringify({ Parameters, Resources, Outputs });
    await client.send(new CreateStackCommand({ StackName: name, TemplateBody, OnFailure: 'DO_NOTHING' }));
    try {
      await waitUntilStackCreateComplete({ client, ...WAIT }, { StackName: name });
    } catch {
      const { StackEvents = [] } = await client.send(new DescribeStackEventsCommand({ StackName: name }));
      throw new Error(StackEvents.map(({ ResourceStatusReason = '' }) => ResourceStatusReason).join('\n'));
    }
  }

  #client(region: string): CloudFormationClient {
    return new CloudFormationClient({
      region,
      endpoint: this.aws.endpoint,
      credentials: accountKeys(HOME.account),
    });
  }
}

function topic(DisplayName: unknown): Resources {
  return { Topic: { Type: 'AWS::SNS::Topic', Properties: { DisplayName } } };
}

function outputsOf(resources: Resources): object | undefined {
  if ('Cluster' in resources) return { ClusterIdentifier: { Value: { Ref: 'Cluster' } } };
  return 'Accelerator' in resources ? { AcceleratorArn: { Value: { Ref: 'Accelerator' } } } : undefined;
}
