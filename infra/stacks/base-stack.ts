import {
  type aws_ec2 as ec2,
  aws_iam as iam,
  type aws_kms as kms,
  aws_logs as logs,
  type aws_sns as sns,
  CfnOutput,
  Fn,
  RemovalPolicy,
  type Stack,
  Validations,
} from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import type { AwsRegion } from '../../topology/aws-regions.ts';
import type { ZoneDeployment } from '../../topology/deployment.ts';
import { AlarmTopic } from '../constructs/alarm-topic.ts';
import { Endpoints } from '../constructs/endpoints.ts';
import { fixedChoice } from '../constructs/fixed-choice.ts';
import { DataKey, RecoverableKey } from '../constructs/keys.ts';
import { Network, publicRanges, TIERS } from '../constructs/network.ts';
import type { NamedRouteTable } from '../constructs/peering.ts';
import { RegionSecurityGroups } from '../constructs/security-groups.ts';
import { boundaryName, outputKeys, stackNames } from '../names.ts';
import type { PolicyStatement } from '../residency/policy-types.ts';
import { boundaryStatements } from '../residency/policies.ts';
import { RegionStack } from './region-stack.ts';

export interface BaseStackProps {
  readonly zone: ZoneDeployment;
  readonly region: AwsRegion;
}

/** Who talks to whom in a region's network. Rules are made where both sides are known. */
export interface SecurityGroups {
  readonly loadBalancer: ec2.SecurityGroup;
  readonly tasks: ec2.SecurityGroup;
  readonly database: ec2.SecurityGroup;
  readonly cache: ec2.SecurityGroup;
  readonly endpoints: ec2.SecurityGroup;
}

/** As many as every region has. */
const FIRST_ZONES = 2;

/** Keys of outputs that are for other stacks of the zone, not for scripts. */
const OWN_OUTPUTS = {
  dataKeyArn: 'DataKeyArn',
  recoverableKeyArn: 'RecoverableKeyArn',
  tasksGroupId: 'TasksGroupId',
  loadBalancerGroupId: 'LoadBalancerGroupId',
  databaseGroupId: 'DatabaseGroupId',
  /** Of a route table: `Tasks` or `Data`, and the number of its availability zone, from 1 on. */
  routeTableId: (name: string) => `${name}RouteTableId`,
} as const;

/** What stacks that come and go with other regions know of a region. */
export interface RegionFacts {
  readonly vpcId: string;
  readonly dataKeyArn: string;
  readonly tasksGroupId: string;
  readonly loadBalancerGroupId: string;
  readonly databaseGroupId: string;
  /** Of the tasks' and the data's subnets. Each keeps its name when the region gets one more availability zone. */
  readonly routeTables: readonly NamedRouteTable[];
}

/** What every other stack of a region stands on: its network, its keys, the topic of its alarms, the boundary of its roles. */
export class BaseStack extends RegionStack {
  readonly vpc: ec2.Vpc;
  /** For tasks and the load balancer. */
  readonly taskSubnets: ec2.SubnetSelection = { subnetGroupName: TIERS.tasks };
  /** For the database and the cache. */
  readonly dataSubnets: ec2.SubnetSelection = { subnetGroupName: TIERS.data };
  readonly securityGroups: SecurityGroups;
  /** Encrypts everything at rest in this region. */
  readonly dataKey: kms.Key;
  /** This region's copy of the zone's key for recoverable keys. */
  readonly recoverableKeyArn: string;
  readonly alarmTopic: sns.Topic;
  /** Every role of the region's stacks is bounded by it. */
  readonly boundary: iam.ManagedPolicy;

  constructor(scope: Construct, props: BaseStackProps) {
    const { zone, region } = props;
    super(scope, {
      zone,
      region,
      stackName: stackNames.base(zone, region),
      description: `Keyhearth zone ${zone.name}: network and keys of ${region}`,
    });
    const { account, deletionProtection: retained } = zone;
    const { addressRange, availabilityZones } = this.here;
    this.#fixNetwork();
    this.dataKey = new DataKey(this, 'DataKey', { account, region, alias: this.stackName, retained }).key;
    const primaryArn = this.#primaryKeyArn();
    this.recoverableKeyArn = new RecoverableKey(this, 'RecoverableKey', {
      account,
      primaryArn,
      retained,
    }).arn;
    const outside = zone.events.kind === 'clickhouse' ? zone.events : null;
    const network = new Network(this, 'Network', {
      addressRange,
      availabilityZones,
      outsideRanges: publicRanges(outside?.addressRanges ?? []),
      flowLogs: this.#flowLogs(),
    });
    this.vpc = network.vpc;
    this.securityGroups = new RegionSecurityGroups(this, 'SecurityGroups', {
      vpc: this.vpc,
      outside: outside === null ? null : { ranges: outside.addressRanges, port: outside.port },
    });
    new Endpoints(this, 'Endpoints', {
      vpc: this.vpc,
      subnets: network.taskSubnets,
      securityGroup: this.securityGroups.endpoints,
      account,
      region,
      firehose: zone.events.kind === 'firehose',
    });
    const email = zone.alarms?.email ?? null;
    this.alarmTopic = new AlarmTopic(this, 'Alarms', { account, region, key: this.dataKey, email }).topic;
    this.boundary = this.#makeBoundary();
    this.#publish(network);
  }

  /**
   * What another stack builds on; the other is deployed after this one. For stacks that exist only where there are other regions, or
   * that lie in one: an ordinary reference would add an output to this stack's template, which would so depend on the zone's regions.
   */
  factsFor(consumer: Stack): RegionFacts {
    consumer.addStackDependency(this);
    const read = (key: string): string => Fn.getStackOutput(this.stackName, key, this.region);
    return {
      vpcId: read(outputKeys.base.vpcId),
      dataKeyArn: read(OWN_OUTPUTS.dataKeyArn),
      tasksGroupId: read(OWN_OUTPUTS.tasksGroupId),
      loadBalancerGroupId: read(OWN_OUTPUTS.loadBalancerGroupId),
      databaseGroupId: read(OWN_OUTPUTS.databaseGroupId),
      routeTables: [TIERS.tasks, TIERS.data].flatMap((tier) =>
        this.here.availabilityZones.map((_, index) => {
          const name = `${tier}${index + 1}`;
          return { name, id: read(OWN_OUTPUTS.routeTableId(name)) };
        }),
      ),
    };
  }

  /** Another range, or other availability zones, would be another network: with half of what is in the old one still there. */
  #fixNetwork(): void {
    const { region, addressRange, availabilityZones } = this.here;
    const instead =
      region === this.zone.origin
        ? 'The origin gets another one in a new zone only.'
        : 'To have another one, take the region out of its zone, delete its stacks and what they leave behind, and add it again.';
    fixedChoice(this, 'AddressRange', {
      value: addressRange,
      what: `the address range of ${region}`,
      instead,
    });
    fixedChoice(this, 'FirstZones', {
      value: availabilityZones.slice(0, FIRST_ZONES).join(' '),
      what: `the first two availability zones of ${region}`,
      instead,
    });
    // One can be added, for the parameter comes with it.
    const [third] = availabilityZones.slice(FIRST_ZONES);
    if (third === undefined) return;
    fixedChoice(this, 'ThirdZone', {
      value: third,
      what: `the third availability zone of ${region}`,
      instead,
    });
  }

  #primaryKeyArn(): string | null {
    const { zone } = this;
    if (this.region === zone.origin) return null;
    // The origin's base is made first, by its name; it is a stack of this class.
    const origin = this.node.scope?.node.findChild(stackNames.base(zone, zone.origin)) as BaseStack;
    this.addStackDependency(origin);
    return Fn.getStackOutput(origin.stackName, OWN_OUTPUTS.recoverableKeyArn, zone.origin);
  }

  #flowLogs(): logs.LogGroup {
    return new logs.LogGroup(this, 'FlowLogs', {
      encryptionKey: this.dataKey,
      retention: this.zone.retention.logDays,
      removalPolicy: this.zone.deletionProtection
        ? RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE
        : RemovalPolicy.DESTROY,
    });
  }

  #makeBoundary(): iam.ManagedPolicy {
    const { zone, here } = this;
    const statements = boundaryStatements(zone, here.region);
    const boundary = new iam.ManagedPolicy(this, 'Boundary', {
      managedPolicyName: boundaryName(zone, here.region),
      description: `Bounds every role of zone ${zone.name} in ${here.region}`,
      statements: statements.map((statement) => iam.PolicyStatement.fromJson(statement)),
    });
    // The rule wants each wildcard named.
    for (const finding of wildcardsOf(statements)) {
      Validations.of(boundary).acknowledge({
        id: `AwsSolutions-IAM5[${finding}]`,
        reason: 'A boundary grants nothing: it bounds what the policies of the roles under it may grant.',
      });
    }
    // Roles name it by an ARN that is put together from text, so CloudFormation has to be told what must come first.
    for (const construct of this.node.findAll()) {
      if (construct instanceof iam.CfnRole) construct.node.addDependency(boundary);
    }
    return boundary;
  }

  #publish({ taskSubnets, dataSubnets }: Network): void {
    const output = (key: string, value: string): CfnOutput => new CfnOutput(this, key, { value });
    const { tasks, loadBalancer, database } = this.securityGroups;
    output(outputKeys.base.vpcId, this.vpc.vpcId);
    output(outputKeys.base.alarmTopicArn, this.alarmTopic.topicArn);
    output(OWN_OUTPUTS.dataKeyArn, this.dataKey.keyArn);
    output(OWN_OUTPUTS.recoverableKeyArn, this.recoverableKeyArn);
    output(OWN_OUTPUTS.tasksGroupId, tasks.securityGroupId);
    output(OWN_OUTPUTS.loadBalancerGroupId, loadBalancer.securityGroupId);
    output(OWN_OUTPUTS.databaseGroupId, database.securityGroupId);
    for (const [tier, subnets] of [
      [TIERS.tasks, taskSubnets],
      [TIERS.data, dataSubnets],
    ] as const) {
      for (const [index, { routeTable }] of subnets.entries()) {
        output(OWN_OUTPUTS.routeTableId(`${tier}${index + 1}`), routeTable.routeTableId);
      }
    }
  }
}

function wildcardsOf(statements: readonly PolicyStatement[]): ReadonlySet<string> {
  const listed = (kind: string, values: string | readonly string[] = []): readonly string[] =>
    [values].flat().flatMap((value) => (value.includes('*') ? [`${kind}::${value}`] : []));
  return new Set(
    statements.flatMap(({ Action, Resource }) => [
      ...listed('Action', Action),
      ...listed('Resource', Resource),
    ]),
  );
}
