import {
  aws_ec2 as ec2,
  aws_ecs as ecs,
  type aws_elasticloadbalancingv2 as elbv2,
  aws_secretsmanager as secretsmanager,
  CfnOutput,
  Tags,
  Validations,
} from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { certificateOf } from '../constructs/certificate.ts';
import { EncryptedLogGroup } from '../constructs/encrypted-log-group.ts';
import { fixedChoice } from '../constructs/fixed-choice.ts';
import { Firewall } from '../constructs/firewall.ts';
import { LoadBalancer } from '../constructs/load-balancer.ts';
import { addPeerName } from '../constructs/peer-name.ts';
import { serviceImage } from '../constructs/service-image.ts';
import { TaskDefinitions } from '../constructs/task-definitions.ts';
import { TaskRoles } from '../constructs/task-roles.ts';
import { VerifyTasks } from '../constructs/verify-tasks.ts';
import { outputKeys, stackNames } from '../names.ts';
import { RegionAlarms } from '../observability/region-alarms.ts';
import { serviceAlarms } from '../observability/service-alarms.ts';
import { migratorEnvironment, oneOffEnvironment, serviceEnvironment } from '../task-environment.ts';
import type { BaseStack } from './base-stack.ts';
import type { DataStack } from './data-stack.ts';
import { RegionStack } from './region-stack.ts';
import type { ZoneStack } from './zone-stack.ts';

/** What a command says is meant for whoever ran it. */
const ONE_OFF_LOG_DAYS = 7;

export interface ServiceStackProps {
  readonly base: BaseStack;
  readonly data: DataStack;
  readonly zoneStack: ZoneStack;
}

/** The tasks of a region and the load balancer in front of them. */
export class ServiceStack extends RegionStack {
  readonly loadBalancer: elbv2.ApplicationLoadBalancer;
  readonly targetGroup: elbv2.ApplicationTargetGroup;
  readonly service: ecs.FargateService;
  readonly cluster: ecs.Cluster;

  constructor(scope: Construct, props: ServiceStackProps) {
    const { base, data, zoneStack } = props;
    const { zone, here } = base;
    super(scope, {
      zone,
      region: here.region,
      stackName: stackNames.service(zone, here.region),
      description: `Keyhearth zone ${zone.name}: verify service of ${here.region}`,
    });
    fixedChoice(this, 'Hostname', {
      value: zone.hostname,
      what: `the hostname of zone ${zone.name}`,
      instead:
        'Its certificates, its DNS record and the calls between its regions would change one after another, and clients fail meanwhile. Make a second zone, and move the keys there.',
    });
    // What it needs of them are names, which leave no dependency of their own behind.
    for (const needed of [base, data, zoneStack]) this.addStackDependency(needed);

    const { balancer, targetGroup } = new LoadBalancer(this, 'LoadBalancer', {
      vpc: base.vpc,
      subnets: base.taskSubnets,
      securityGroup: this.#group('LoadBalancerGroup', base.securityGroups.loadBalancer),
      certificate: certificateOf(this, zone, here.region),
      deletionProtection: zone.deletionProtection,
    });
    const log = {
      encryptionKey: base.dataKey,
      retentionDays: zone.retention.logDays,
      retain: zone.deletionProtection,
    };
    if (zone.firewall !== null) {
      new Firewall(this, 'Firewall', {
        ...log,
        // It has a name, which would be taken when a firewall that was removed comes back.
        retain: false,
        ...zone.firewall,
        loadBalancerArn: balancer.loadBalancerArn,
      });
    }
    addPeerName(this, {
      zone,
      region: here.region,
      hostedZoneId: zoneStack.privateZone.hostedZoneId,
      loadBalancer: balancer,
    });

    const definitions = this.#definitions(props, log);
    const tasks = new VerifyTasks(this, 'Tasks', {
      zone,
      region: here.region,
      encryptionKey: base.dataKey,
      vpc: base.vpc,
      subnets: base.taskSubnets,
      securityGroup: this.#group('TasksGroup', base.securityGroups.tasks),
      targetGroup,
      taskDefinition: definitions.service,
      size: here.size,
    });
    this.loadBalancer = balancer;
    this.targetGroup = targetGroup;
    this.cluster = tasks.cluster;
    this.service = tasks.service;
    new RegionAlarms(this, 'Alarms', {
      zone,
      region: here.region,
      topic: base.alarmTopic,
      plans: serviceAlarms({
        zone,
        region: here.region,
        loadBalancer: balancer,
        targetGroup,
        service: tasks.service,
        minTasks: here.size.minTasks,
      }),
    });
    untag(this);
    this.#output(outputKeys.service.clusterName, tasks.cluster.clusterName);
    this.#output(outputKeys.service.serviceName, tasks.service.serviceName);
    this.#output(outputKeys.service.taskDefinitionArn, definitions.service.taskDefinitionArn);
    this.#output(outputKeys.service.loadBalancerArn, balancer.loadBalancerArn);
    this.#output(outputKeys.service.oneOffTaskDefinitionArn, definitions.oneOff.taskDefinitionArn);
    const subnets = base.vpc.selectSubnets(base.taskSubnets).subnetIds.join(',');
    const group = base.securityGroups.tasks.securityGroupId;
    this.#output(
      outputKeys.service.oneOffNetwork,
      `awsvpcConfiguration={subnets=[${subnets}],securityGroups=[${group}],assignPublicIp=DISABLED}`,
    );
  }

  #definitions(
    { base, data, zoneStack }: ServiceStackProps,
    log: { encryptionKey: BaseStack['dataKey']; retentionDays: number; retain: boolean },
  ): TaskDefinitions {
    const { zone, here } = base;
    const secret = (id: string, of: secretsmanager.Secret): secretsmanager.ISecret =>
      secretsmanager.Secret.fromSecretCompleteArn(this, id, zoneStack.arnIn(here.region, of));
    const peers = secret('PeerSecret', zoneStack.peerSecret);
    const master = secret('MasterSecret', zoneStack.masterSecret);
    const roles = new TaskRoles(this, 'Roles', {
      clusterResourceId: data.database.clusterResourceId,
      cacheArn: data.cache.arn,
      cacheUserArn: data.cache.userArn,
      eventStreamArn: data.events?.arn ?? null,
      secretKey: base.dataKey,
      recoverableKeyArn: base.recoverableKeyArn,
      zone: zone.name,
    });
    const place = { zone, here, database: data.database };
    const definitions = new TaskDefinitions(this, 'Definitions', {
      image: serviceImage(this, zone.image),
      size: here.size,
      roles,
      environments: {
        service: serviceEnvironment({
          ...place,
          cache: data.cache,
          recoverableKeyArn: base.recoverableKeyArn,
        }),
        migrator: migratorEnvironment(place),
        oneOff: oneOffEnvironment(place),
      },
      peerSecret: ecs.Secret.fromSecretsManager(peers),
      eventSecrets: zone.events.kind === 'clickhouse' ? this.#clickhouse(zone.events.secretName) : {},
      masterPassword: ecs.Secret.fromSecretsManager(master, 'password'),
      log: new EncryptedLogGroup(this, 'Log', log),
      oneOffLog: this.#oneOffLog(log),
    });
    Validations.of(definitions).acknowledge({
      id: 'AwsSolutions-ECS2',
      reason: 'Settings are variables, and none of these is secret: the secrets come from Secrets Manager.',
    });
    return definitions;
  }

  /** Of commands that people run in the zone. */
  #oneOffLog(log: { encryptionKey: BaseStack['dataKey'] }): EncryptedLogGroup {
    const made = new EncryptedLogGroup(this, 'OneOffLog', {
      ...log,
      retentionDays: ONE_OFF_LOG_DAYS,
      retain: false,
    });
    this.#output(outputKeys.service.oneOffLogGroup, made.logGroupName);
    return made;
  }

  /** Fields of a secret that somebody has put into this region. */
  #clickhouse(secretName: string): Readonly<Record<string, ecs.Secret>> {
    const secret = secretsmanager.Secret.fromSecretNameV2(this, 'ClickHouse', secretName);
    const field = (name: string): ecs.Secret => ecs.Secret.fromSecretsManager(secret, name);
    return {
      KEYHEARTH_CLICKHOUSE_URL: field('url'),
      KEYHEARTH_CLICKHOUSE_USER: field('user'),
      KEYHEARTH_CLICKHOUSE_PASSWORD: field('password'),
    };
  }

  /** One of base's groups, to which nothing here adds a rule: they would be in this stack, and base has them all. */
  #group(id: string, { securityGroupId }: ec2.ISecurityGroup): ec2.ISecurityGroup {
    return ec2.SecurityGroup.fromSecurityGroupId(this, id, securityGroupId, { mutable: false });
  }

  #output(key: string, value: string): void {
    new CfnOutput(this, key, { value });
  }
}

/** Takes the tags off what CloudFormation's published schemas know no tags of; none of it costs anything by itself. */
function untag(stack: ServiceStack): void {
  const includeResourceTypes = [
    'AWS::ElasticLoadBalancingV2::Listener',
    'AWS::ElasticLoadBalancingV2::ListenerRule',
    'AWS::ApplicationAutoScaling::ScalableTarget',
  ];
  for (const key of ['keyhearth:environment', 'keyhearth:zone']) {
    Tags.of(stack).remove(key, { includeResourceTypes });
  }
}
