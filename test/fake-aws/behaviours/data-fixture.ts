import type { Behaviour, Context } from '../behaviour.ts';
import { Refusal } from '../refusal.ts';
import type { Json, Place, Properties } from '../values.ts';
import { type Resource, World, globalPlace } from '../world.ts';
import { callContext, createByCall, removeByCall, updateByCall } from './by-call.ts';
import { DATA } from './data.ts';
import { requiredText } from './property-values.ts';

const ACCOUNT = '111111111111';
const ZONES = ['a', 'b', 'c'];

export const HOME: Place = { account: ACCOUNT, region: 'eu-central-1' };
export const AWAY: Place = { account: ACCOUNT, region: 'eu-west-3' };
export const THIRD: Place = { account: ACCOUNT, region: 'eu-west-1' };
export const ELSEWHERE: Place = { account: '222222222222', region: 'eu-central-1' };

/** A world whose regions have a network each, for tests of data resources: they are made by their behaviours, as a call would. */
export class DataWorld {
  readonly world = new World();
  /** By region: a key, subnets in three availability zones, a security group, a database subnet group. */
  readonly #keys = new Map<string, string>();

  constructor(places: readonly Place[] = [HOME, AWAY, THIRD]) {
    for (const place of places) this.#addNetwork(place);
  }

  make(type: string, properties: Properties, place: Place = HOME): Resource {
    return createByCall(this.context(place), behaviourOf(type), properties);
  }

  change(resource: Resource, changes: Properties, place: Place = resource): void {
    updateByCall(this.context(place), behaviourOf(resource.type), resource, changes);
  }

  remove(resource: Resource, place: Place = resource): void {
    removeByCall(this.context(place), behaviourOf(resource.type), resource);
  }

  context({ account, region }: Place, stack: Context['stack'] = null): Context {
    return { ...callContext(this.world, { account, region }, 'Made'), stack };
  }

  add(type: string, id: string, { place, ...rest }: { place: Place } & Partial<Resource>): Resource {
    const { account, region } = place;
    return this.world.add({
      account,
      region,
      type,
      id,
      properties: {},
      attributes: {},
      stack: null,
      ...rest,
    });
  }

  addRole(name: string, service: string, { account }: Place = HOME): string {
    const Arn = `arn:aws:iam::${account}:role/${name}`;
    const trust = {
      Statement: [{ Effect: 'Allow', Principal: { Service: service }, Action: 'sts:AssumeRole' }],
    };
    this.add('AWS::IAM::Role', name, {
      place: globalPlace({ account, region: '' }),
      properties: { AssumeRolePolicyDocument: trust },
      attributes: { Arn },
    });
    return Arn;
  }

  /** ARN of the region's key, which lets CloudWatch Logs use it. */
  key(place: Place = HOME): string {
    const known = this.#keys.get(place.region);
    if (known !== undefined) return known;
    const made = this.make(
      'AWS::KMS::Key',
      { KeyPolicy: keyPolicy(place, [`logs.${place.region}.amazonaws.com`]) },
      place,
    );
    const arn = requiredText(made.attributes, 'Arn');
    this.#keys.set(place.region, arn);
    return arn;
  }

  subnets(place: Place = HOME): readonly string[] {
    return ZONES.map((zone) => `subnet-${place.region}${zone}`);
  }

  #addNetwork(place: Place): void {
    const vpc = `vpc-${place.region}`;
    for (const [index, zone] of ZONES.entries()) {
      const AvailabilityZone = `${place.region}${zone}`;
      this.add('AWS::EC2::Subnet', `subnet-${AvailabilityZone}`, {
        place,
        properties: { VpcId: vpc, AvailabilityZone, CidrBlock: `10.0.${index}.0/24` },
        attributes: { AvailabilityZone },
      });
    }
    this.add('AWS::EC2::SecurityGroup', `sg-${place.region}`, { place, attributes: { VpcId: vpc } });
    this.make(
      'AWS::RDS::DBSubnetGroup',
      { DBSubnetGroupName: 'db', DBSubnetGroupDescription: 'x', SubnetIds: [...this.subnets(place)] },
      place,
    );
  }

  /** What a database needs that makes its own data. */
  clusterProperties(place: Place = HOME, others: Properties = {}): Properties {
    return {
      ...this.replicaProperties(place),
      MasterUsername: 'owner',
      MasterUserPassword: 'longenough',
      ...others,
    };
  }

  /** What every cluster needs. */
  replicaProperties(place: Place, others: Properties = {}): Properties {
    return {
      DBClusterIdentifier: `main-${place.region}`,
      Engine: 'aurora-postgresql',
      EngineVersion: '17.5',
      DBSubnetGroupName: 'db',
      VpcSecurityGroupIds: [`sg-${place.region}`],
      StorageEncrypted: true,
      KmsKeyId: this.key(place),
      ServerlessV2ScalingConfiguration: { MinCapacity: 0.5, MaxCapacity: 4 },
      ...others,
    };
  }

  cluster(place: Place = HOME, others: Properties = {}): Resource {
    return this.make('AWS::RDS::DBCluster', this.clusterProperties(place, others), place);
  }

  instance(cluster: Resource, number = 1, others: Properties = {}): Resource {
    return this.make(
      'AWS::RDS::DBInstance',
      {
        DBInstanceIdentifier: `${cluster.id}-${number}`,
        DBClusterIdentifier: cluster.id,
        DBInstanceClass: 'db.serverless',
        Engine: 'aurora-postgresql',
        ...others,
      },
      cluster,
    );
  }

  /** An empty global database. */
  global(others: Properties = {}): Resource {
    return this.make('AWS::RDS::GlobalCluster', {
      GlobalClusterIdentifier: 'world',
      Engine: 'aurora-postgresql',
      EngineVersion: '17.5',
      StorageEncrypted: true,
      ...others,
    });
  }

  replica(place: Place = AWAY, others: Properties = {}): Resource {
    return this.make(
      'AWS::RDS::DBCluster',
      this.replicaProperties(place, { GlobalClusterIdentifier: 'world', ...others }),
      place,
    );
  }
}

export function behaviourOf(type: string): Behaviour {
  const found = DATA.find((one) => one.type === type);
  if (found === undefined) throw new Error(`no behaviour for ${type}`);
  return found;
}

/** A policy that lets the account do everything, and services of AWS encrypt. */
export function keyPolicy({ account }: Place, services: readonly string[] = []): Properties {
  const statement = (Principal: Json, Action: Json): Json => ({
    Effect: 'Allow',
    Principal,
    Action,
    Resource: '*',
  });
  return {
    Version: '2012-10-17',
    Statement: [
      statement({ AWS: `arn:aws:iam::${account}:root` }, 'kms:*'),
      ...services.map((Service) => statement({ Service }, ['kms:Encrypt*', 'kms:Decrypt*'])),
    ],
  };
}

/** Code and sentence of the refusal that something is answered with; undefined where it isn't refused. */
export function refusalOf(work: () => unknown): string | undefined {
  try {
    work();
    return undefined;
  } catch (error) {
    if (error instanceof Refusal) return `${error.code}: ${error.message}`;
    throw error;
  }
}
