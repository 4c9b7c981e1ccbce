import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { Stage } from 'aws-cdk-lib';
import { Match } from 'aws-cdk-lib/assertions';
import { expect, test } from 'vitest';
import { readEnv, readSettings } from '../../service/env.ts';
import { PREPARE_SETTINGS } from '../../service/prepare-settings.ts';
import type { AwsRegion } from '../../topology/aws-regions.ts';
import type { Zone } from '../../topology/types.ts';
import { outputKeys } from '../names.ts';
import { regionOf, stacksOf, templateOf } from '../test/zones.ts';

interface Container {
  readonly Name: string;
  readonly Environment: readonly { readonly Name: string; readonly Value: unknown }[];
  readonly Secrets?: readonly { readonly Name: string; readonly ValueFrom: unknown }[];
  readonly [property: string]: unknown;
}

const ZONE: Partial<Zone> = { replicas: ['eu-west-3', 'eu-north-1'] };
const REGIONS: readonly AwsRegion[] = ['eu-central-1', 'eu-west-3', 'eu-north-1'];

const stacks = stacksOf(ZONE);
const templates = new Map(
  REGIONS.map((region) => [region, templateOf(regionOf(stacks, region).service)] as const),
);
const template = templates.get('eu-west-3') as ReturnType<typeof templateOf>;

const serviceOf = (zone: Partial<Zone>): ReturnType<typeof templateOf> =>
  templateOf(regionOf(stacksOf(zone), 'eu-west-3').service);

/** Fails where no resource of the type has the properties. */
const expectResource = (type: string, properties: object, of = template): void =>
  of.hasResourceProperties(type, properties);

/** A container of a region's task definitions. */
function container(name: string, of = template): Container {
  const definitions = Object.values(of.findResources('AWS::ECS::TaskDefinition'));
  const all: readonly Container[] = definitions.flatMap(({ Properties }) => Properties.ContainerDefinitions);
  const found = all.find((one) => one.Name === name);
  if (found === undefined) throw new Error(`there is no container ${name}`);
  return found;
}

const KEY_ARN = 'arn:aws:kms:eu-west-3:222222222222:key/mrk-0123456789abcdef0123456789abcdef';

/** A value as CloudFormation would make it: a key's ARN, a port, and a host in the place of whatever else only AWS knows. */
function resolved(value: unknown): string {
  if (typeof value === 'string') return value;
  if (/"OutputName":"\w*RecoverableKey\w*Arn/.test(JSON.stringify(value)) && !isJoined(value)) return KEY_ARN;
  if (/EndpointPort/.test(JSON.stringify(value)) && !isJoined(value)) return '6379';
  const parts = (value as { 'Fn::Join'?: [string, unknown[]] })['Fn::Join'];
  return parts === undefined ? 'made-by-aws.example.com' : parts[1].map(resolved).join(parts[0]);
}

function isJoined(value: unknown): boolean {
  return Object.hasOwn(value as object, 'Fn::Join');
}

function variablesOf({ Environment, Secrets = [] }: Container): Record<string, string> {
  return Object.fromEntries([
    ...Environment.map(({ Name, Value }) => [Name, resolved(Value)]),
    ...Secrets.map(({ Name }) => [Name, 'x'.repeat(32)]),
  ]);
}

/** What the policies of a role allow, by action. */
function allowedTo(role: 'Task' | 'Execution', of = template): Record<string, unknown> {
  const policies = Object.entries(of.findResources('AWS::IAM::Policy'));
  const statements = policies
    .filter(([id]) => id.startsWith(`Roles${role}`))
    .flatMap(([, { Properties }]) => Properties.PolicyDocument.Statement);
  return Object.fromEntries(
    statements.flatMap(({ Action, Resource, Effect }) => {
      expect(Effect).toBe('Allow');
      return [Action].flat().map((action) => [action, Resource]);
    }),
  );
}

test.each(REGIONS)('the containers of %s accept exactly what the template gives them', (region) => {
  const env = readEnv(variablesOf(container('service', templates.get(region))));
  expect(env).toMatchObject({
    region,
    origin: 'eu-central-1',
    databaseAuth: 'iam',
    valkey: 'rediss://made-by-aws.example.com:6379',
    valkeyAuth: 'iam',
    valkeyUser: 'keyhearth-test-eu-tasks',
    valkeyCache: 'keyhearth-test-eu',
  });
  const migrator = variablesOf(container('migrator', templates.get(region)));
  expect(readSettings(PREPARE_SETTINGS, migrator).masterUrls).toHaveLength(2);
});

test('no template of a service names another region but the origin', () => {
  for (const [region, one] of templates) {
    const others = REGIONS.filter((other) => other !== region && other !== 'eu-central-1');
    for (const other of others) expect(JSON.stringify(one.toJSON())).not.toContain(other);
  }
});

test('the master password reaches the migrator, and no other container', () => {
  expect(container('migrator').Secrets?.map(({ Name }) => Name)).toEqual(['KEYHEARTH_MASTER_PASSWORD']);
  expect(resolved(container('migrator').Secrets?.[0]?.ValueFrom)).toMatch(/:password::$/);
  expect(container('service').Secrets?.map(({ Name }) => Name)).toEqual(['KEYHEARTH_PEER_SECRET']);
  expect(container('command').Secrets).toBeUndefined();
});

test('the service starts only after the migrator has ended well, and outlives it', () => {
  expect(container('service')['DependsOn']).toEqual([{ ContainerName: 'migrator', Condition: 'SUCCESS' }]);
  expect(container('migrator')).toMatchObject({ Essential: false, StartTimeout: 120 });
  const { prepareMs } = readSettings(PREPARE_SETTINGS, variablesOf(container('migrator')));
  expect(prepareMs).toBeLessThan(120_000);
});

test.each(['service', 'migrator', 'command'])('container %s is confined', (name) => {
  expect(container(name)).toMatchObject({
    ReadonlyRootFilesystem: true,
    User: '1000:1000',
    LinuxParameters: { InitProcessEnabled: true, Capabilities: { Drop: ['ALL'] } },
    Ulimits: [{ Name: 'nofile', SoftLimit: 65_535, HardLimit: 65_535 }],
  });
  expect(container(name)).not.toHaveProperty('Privileged');
});

test('a container whose log can’t be written goes on', () => {
  for (const name of ['service', 'migrator', 'command']) {
    expect(container(name)).toMatchObject({
      LogConfiguration: { LogDriver: 'awslogs', Options: { mode: 'non-blocking' } },
    });
  }
});

test('a container is stopped only after it had its time, and restarted only for its life', () => {
  expect(container('service')).toMatchObject({
    StopTimeout: 40,
    HealthCheck: { Command: ['CMD', 'node', '/app/healthcheck.mjs'] },
    PortMappings: [{ ContainerPort: 8080 }],
    MountPoints: [{ ContainerPath: '/tmp', ReadOnly: false }],
  });
});

test('tasks are of the size of their region, on ARM64', () => {
  const own = serviceOf({ sizes: { 'eu-west-3': { taskVcpu: 2, taskMemoryMb: 8192 } } });
  expectResource(
    'AWS::ECS::TaskDefinition',
    {
      Cpu: '2048',
      Memory: '8192',
      RuntimePlatform: { CpuArchitecture: 'ARM64', OperatingSystemFamily: 'LINUX' },
      RequiresCompatibilities: ['FARGATE'],
    },
    own,
  );
});

test('a task may use its own region’s database as the app role, cache, event stream and key for recoverable keys, and nothing else', () => {
  const allowed = allowedTo('Task');
  expect(Object.keys(allowed).toSorted()).toEqual([
    'elasticache:Connect',
    'firehose:PutRecordBatch',
    'kms:Decrypt',
    'kms:Encrypt',
    'rds-db:connect',
  ]);
  expect(JSON.stringify(allowed)).not.toContain('*');
  expect(resolved(allowed['rds-db:connect'])).toBe(
    'arn:aws:rds-db:eu-west-3:222222222222:dbuser:made-by-aws.example.com/keyhearth_app',
  );
});

test.each(REGIONS)(
  'tasks of %s may use its copy of the key for recoverable keys, for texts of their zone alone',
  (region) => {
    const own = templates.get(region);
    const statements = Object.values(own?.findResources('AWS::IAM::Policy') ?? {}).flatMap(
      ({ Properties }) => Properties.PolicyDocument.Statement,
    );
    const uses = statements.filter(({ Action }) => [Action].flat().includes('kms:Encrypt'));
    expect(uses).toEqual([
      {
        Effect: 'Allow',
        Action: ['kms:Decrypt', 'kms:Encrypt'],
        Resource: expect.anything() as unknown,
        Condition: { StringEquals: { 'kms:EncryptionContext:zone': 'eu' } },
      },
    ]);
    const { KEYHEARTH_ZONE: zone, KEYHEARTH_VAULT: vault } = variablesOf(container('service', own));
    expect([zone, vault]).toEqual(['eu', `kms:${resolved(uses[0]?.Resource)}`]);
    expect(JSON.stringify(uses[0]?.Resource)).toContain(`-base-${region}`);
    for (const name of ['migrator', 'command'])
      expect(variablesOf(container(name, own))).not.toHaveProperty('KEYHEARTH_VAULT');
  },
);

test('with a ClickHouse server a task may use no event stream', () => {
  const events = {
    kind: 'clickhouse',
    secretName: 'ours',
    addressRanges: ['203.0.113.7/32'],
    port: 8443,
  } as const;
  expect(Object.keys(allowedTo('Task', serviceOf({ events })))).not.toContain('firehose:PutRecordBatch');
});

test('ECS may read two secrets, one image repository and write two logs', () => {
  const allowed = allowedTo('Execution');
  expect(Object.keys(allowed).toSorted()).toEqual([
    'ecr:BatchCheckLayerAvailability',
    'ecr:BatchGetImage',
    'ecr:GetAuthorizationToken',
    'ecr:GetDownloadUrlForLayer',
    'kms:Decrypt',
    'logs:CreateLogStream',
    'logs:PutLogEvents',
    'secretsmanager:DescribeSecret',
    'secretsmanager:GetSecretValue',
  ]);
  const { 'ecr:GetAuthorizationToken': token, ...rest } = allowed;
  expect(token).toBe('*');
  expect(JSON.stringify(rest)).not.toContain('*');
  expect(allowed['secretsmanager:GetSecretValue']).toHaveLength(2);
});

test('the image of a registry is pulled by its digest from the region’s own', () => {
  const digest = `sha256:${'a'.repeat(64)}`;
  const own = serviceOf({ image: { repository: 'keyhearth', digest } });
  for (const name of ['service', 'migrator', 'command']) {
    const image = JSON.stringify(container(name, own)['Image']);
    expect(image).toContain('222222222222.dkr.ecr.eu-west-3.');
    expect(image).toContain(`/keyhearth@${digest}`);
  }
  expect(allowedTo('Execution', own)['ecr:BatchGetImage']).toBe(
    'arn:aws:ecr:eu-west-3:222222222222:repository/keyhearth',
  );
});

test('what an image is built from is the service, and neither the topology nor the infrastructure', () => {
  const built = stacksOf({ image: undefined });
  const assembly = Stage.of(regionOf(built, 'eu-west-3').service)?.outdir ?? '';
  const [folder, ...more] = readdirSync(assembly).filter((name) => name.startsWith('asset.'));
  expect(more).toEqual([]);
  const files = readdirSync(join(assembly, folder ?? ''), { recursive: true, encoding: 'utf8' });
  const top = new Set(files.map((file) => file.split('/')[0]));
  expect([...top]).toEqual(expect.arrayContaining(['Dockerfile', 'package-lock.json', 'service']));
  for (const absent of ['regions.config.ts', 'infra', 'docs', 'node_modules', 'scripts', 'test', '.git']) {
    expect(top).not.toContain(absent);
  }
  expect(files.filter((file) => file.endsWith('.test.ts'))).toEqual([]);
});

test('a deployment never has fewer tasks than before, and takes itself back where it fails', () => {
  expectResource('AWS::ECS::Service', {
    LaunchType: 'FARGATE',
    DesiredCount: Match.absent(),
    AvailabilityZoneRebalancing: 'ENABLED',
    EnableExecuteCommand: false,
    EnableECSManagedTags: true,
    PropagateTags: 'SERVICE',
    HealthCheckGracePeriodSeconds: 120,
    DeploymentConfiguration: {
      MinimumHealthyPercent: 100,
      MaximumPercent: 200,
      DeploymentCircuitBreaker: { Enable: true, Rollback: true },
      Alarms: { Enable: true, Rollback: true, AlarmNames: Match.anyValue() },
    },
    NetworkConfiguration: { AwsvpcConfiguration: { AssignPublicIp: 'DISABLED' } },
  });
});

test('what a service names or needs at its first start is there before it', () => {
  const [service] = Object.values(template.findResources('AWS::ECS::Service'));
  const before = new Set<string>(service?.['DependsOn']);
  const alarms = Object.entries(template.findResources('AWS::CloudWatch::Alarm'));
  for (const name of service?.['Properties'].DeploymentConfiguration.Alarms.AlarmNames ?? []) {
    const found = alarms.find(([, { Properties }]) => Properties.AlarmName === name);
    expect([name, before.has(found?.[0] ?? '')]).toEqual([name, true]);
  }
  for (const type of ['AWS::IAM::Policy', 'AWS::ElasticLoadBalancingV2::ListenerRule']) {
    for (const id of Object.keys(template.findResources(type))) expect([...before]).toContain(id);
  }
});

test('tasks are added by requests of a minute and by processor use, within the region’s bounds', () => {
  const own = serviceOf({
    sizes: { 'eu-west-3': { minTasks: 3, maxTasks: 7, requestsPerTask: 50, cpuTargetPercent: 30 } },
  });
  expectResource(
    'AWS::ApplicationAutoScaling::ScalableTarget',
    {
      MinCapacity: 3,
      MaxCapacity: 7,
    },
    own,
  );
  for (const [metric, target] of [
    ['ALBRequestCountPerTarget', 50 * 60],
    ['ECSServiceAverageCPUUtilization', 30],
  ]) {
    expectResource(
      'AWS::ApplicationAutoScaling::ScalingPolicy',
      {
        TargetTrackingScalingPolicyConfiguration: {
          PredefinedMetricSpecification: { PredefinedMetricType: metric },
          TargetValue: target,
        },
      },
      own,
    );
  }
});

test('a certificate is proven in the hosted zone, or is the one that is given', () => {
  expectResource('AWS::CertificateManager::Certificate', {
    DomainName: 'keys.eu.example.com',
    DomainValidationOptions: [{ DomainName: 'keys.eu.example.com', HostedZoneId: 'Z0EXAMPLE0000000EU' }],
  });
  const arnOf = (region: string): string =>
    `arn:aws:acm:${region}:222222222222:certificate/12345678-1234-1234-1234-123456789012`;
  const certificateArns = {
    'eu-central-1': arnOf('eu-central-1'),
    'eu-west-3': arnOf('eu-west-3'),
  } as const;
  const own = serviceOf({ domain: { certificateArns } });
  own.resourceCountIs('AWS::CertificateManager::Certificate', 0);
  own.allResourcesProperties('AWS::ElasticLoadBalancingV2::Listener', {
    Certificates: [{ CertificateArn: arnOf('eu-west-3') }],
  });
  expect(() => serviceOf({ domain: { certificateArns: { 'eu-central-1': arnOf('eu-central-1') } } })).toThrow(
    'zone eu: domain.certificateArns has no certificate for eu-west-3; add its ARN',
  );
});

test('the other regions find the load balancer by a private name that belongs to this stack', () => {
  expectResource('AWS::Route53::RecordSet', {
    Name: 'eu-west-3.test-eu.keyhearth.internal.',
    Type: 'A',
    HostedZoneId: { 'Fn::GetStackOutput': Match.objectLike({ StackName: 'keyhearth-test-eu-zone' }) },
  });
});

test('every log is encrypted and has an end; what one-off commands say is gone after a week', () => {
  const groups = Object.entries(template.findResources('AWS::Logs::LogGroup'));
  expect(groups.map(([, { Properties }]) => Properties.RetentionInDays)).toEqual(
    expect.arrayContaining([7, 30]),
  );
  for (const [, { Properties }] of groups) expect(Properties).toHaveProperty('KmsKeyId');
  const [oneOff] = groups.find(([, { Properties }]) => Properties.RetentionInDays === 7) ?? [];
  expect(container('command')).toMatchObject({
    LogConfiguration: { Options: { 'awslogs-group': { Ref: oneOff } } },
  });
});

test('tasks’ disks are encrypted by the region’s key', () => {
  expectResource('AWS::ECS::Cluster', {
    Configuration: { ManagedStorageConfiguration: { FargateEphemeralStorageKmsKeyId: Match.anyValue() } },
  });
});

test('the stack adds no rule to a security group and runs no code of its own', () => {
  for (const type of [
    'AWS::EC2::SecurityGroup',
    'AWS::EC2::SecurityGroupIngress',
    'AWS::EC2::SecurityGroupEgress',
    'AWS::Lambda::Function',
  ]) {
    expect([type, Object.keys(template.findResources(type))]).toEqual([type, []]);
  }
});

test('scripts find what they look for among the outputs', () => {
  expect(Object.keys(template.toJSON()['Outputs'])).toEqual(
    expect.arrayContaining(Object.values(outputKeys.service)),
  );
});
