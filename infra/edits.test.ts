import { expect, test } from 'vitest';
import { DEFAULT_SIZE } from '../topology/read.ts';
import type { RegionSize, Zone } from '../topology/types.ts';
import { type Body, type Effect, effectOf } from './test/replacements.ts';
import { allStacks, stacksOf, templateOf } from './test/zones.ts';

/**
 * What an edit of a deployed zone's description would do to what is there, read from the templates before and after and AWS's schemas.
 * No edit makes anything anew, but what is new by its nature, or leaves a name behind that its way back needs. What goes, and what is
 * refused, is listed.
 */
interface Edit {
  readonly what: string;
  readonly from?: Partial<Zone>;
  readonly to: Partial<Zone>;
  /** `<stack> <type>`, each once. */
  readonly gone?: readonly string[];
  /** `<stack> <parameter>`. */
  readonly refused?: readonly string[];
}

/** What is made anew by its nature: a revision of a task definition is never changed, and the service moves over to the new one. */
const ALWAYS_NEW = 'AWS::ECS::TaskDefinition';

const R = 'eu-central-1';
const size = (fields: RegionSize): Partial<Zone> => ({ sizes: { default: fields } });
const zones = (letters: string): Partial<Zone> => ({
  availabilityZones: { [R]: Array.from(letters, (letter) => `${R}${letter}`) },
});
const ALARMS = { email: 'one@example.com' };
const FIREWALL = { requestsPer5Minutes: 1000 };
const OWN_CERTIFICATES = { certificateArns: { [R]: `arn:aws:acm:${R}:222222222222:certificate/0` } };
const CLICKHOUSE = {
  kind: 'clickhouse',
  secretName: 'clickhouse',
  addressRanges: ['198.51.100.0/24'],
  port: 8443,
} as const;

/** One for each size: a bigger or a smaller number, and nothing is made anew. */
const SIZES: { readonly [F in keyof RegionSize]-?: readonly Edit[] } = {
  minTasks: [{ what: 'more tasks at least', to: size({ minTasks: 3 }) }],
  maxTasks: [{ what: 'more tasks at most', to: size({ maxTasks: 20 }) }],
  taskVcpu: [{ what: 'larger tasks', to: size({ taskVcpu: 2, taskMemoryMb: 4096 }) }],
  taskMemoryMb: [{ what: 'more memory', to: size({ taskMemoryMb: 4096 }) }],
  requestsPerTask: [{ what: 'fewer requests a task', to: size({ requestsPerTask: 500 }) }],
  cpuTargetPercent: [{ what: 'another processor target', to: size({ cpuTargetPercent: 30 }) }],
  databaseMinAcu: [
    {
      what: 'from 8 capacity units to 1',
      from: size({ databaseMinAcu: 8 }),
      to: size({ databaseMinAcu: 1 }),
    },
    { what: 'from 1 capacity unit to 8', from: size({ databaseMinAcu: 1 }), to: size({ databaseMinAcu: 8 }) },
  ],
  databaseMaxAcu: [{ what: 'a larger database', to: size({ databaseMaxAcu: 32 }) }],
  databaseInstances: [
    { what: 'one more instance', to: size({ databaseInstances: 3 }) },
    {
      what: 'one more instance in two availability zones',
      from: zones('ab'),
      to: { ...zones('ab'), ...size({ databaseInstances: 3 }) },
    },
    {
      what: 'one instance less',
      from: size({ databaseInstances: 3 }),
      to: {},
      gone: ['data AWS::RDS::DBInstance'],
    },
  ],
  databaseInstanceClass: [
    {
      what: 'from serverless to provisioned instances, which have no capacity to watch',
      to: size({ databaseInstanceClass: 'r8g.large' }),
      gone: ['data AWS::CloudWatch::Alarm'],
    },
    {
      what: 'to a burstable class',
      from: size({ databaseInstanceClass: 'r8g.large' }),
      to: size({ databaseInstanceClass: 't4g.medium' }),
    },
    {
      what: 'from a burstable class to serverless, which has no credits to watch',
      from: size({ databaseInstanceClass: 't4g.medium' }),
      to: {},
      gone: ['data AWS::CloudWatch::Alarm'],
    },
  ],
};

const EDITS: readonly Edit[] = [
  ...Object.values(SIZES).flat(),
  { what: 'a third availability zone', from: zones('ab'), to: zones('abc') },
  {
    what: 'a third availability zone for three instances',
    from: { ...zones('ab'), ...size({ databaseInstances: 3 }) },
    to: { ...zones('abc'), ...size({ databaseInstances: 3 }) },
  },
  {
    what: 'a third availability zone less: AWS refuses it while tasks or load balancers are in its subnets',
    from: zones('abc'),
    to: zones('ab'),
    gone: ['RouteTable', 'Subnet', 'SubnetRouteTableAssociation'].map((type) => `base AWS::EC2::${type}`),
  },
  {
    what: 'another third availability zone',
    from: zones('abc'),
    to: zones('abd'),
    refused: ['base ThirdZone'],
  },
  {
    what: 'availability zones in another order',
    from: zones('abc'),
    to: zones('bac'),
    refused: ['base FirstZones'],
  },
  {
    what: 'another address range',
    to: { addressRanges: { [R]: '10.9.0.0/16' } },
    refused: ['base AddressRange'],
  },
  { what: 'logs kept longer', to: { retention: { logDays: 90 } } },
  { what: 'backups kept longer', to: { retention: { backupDays: 30 } } },
  { what: 'events kept shorter', to: { retention: { eventDays: 30 } } },
  { what: 'somebody told of alarms', to: { alarms: ALARMS } },
  {
    what: 'somebody else told of alarms, who confirms it',
    from: { alarms: ALARMS },
    to: { alarms: { email: 'two@example.com' } },
    gone: ['base AWS::SNS::Subscription'],
  },
  { what: 'a budget', from: { alarms: ALARMS }, to: { alarms: ALARMS, budget: { usdPerMonth: 100 } } },
  {
    what: 'another budget',
    from: { alarms: ALARMS, budget: { usdPerMonth: 100 } },
    to: { alarms: ALARMS, budget: { usdPerMonth: 200 } },
  },
  { what: 'a firewall', to: { firewall: FIREWALL } },
  {
    what: 'a stricter firewall',
    from: { firewall: FIREWALL },
    to: { firewall: { requestsPer5Minutes: 500 } },
  },
  {
    what: 'no firewall any more',
    from: { firewall: FIREWALL },
    to: {},
    gone: [
      'svc AWS::Logs::LogGroup',
      ...['IPSet', 'LoggingConfiguration', 'WebACL', 'WebACLAssociation'].map(
        (type) => `svc AWS::WAFv2::${type}`,
      ),
    ],
  },
  { what: 'deletion protection off', to: { deletionProtection: false } },
  { what: 'deletion protection on', from: { deletionProtection: false }, to: {} },
  { what: 'another staleness mode', to: { stalenessMode: 'refuse' } },
  { what: 'another limit of staleness', to: { maxStalenessMs: 5000 } },
  { what: 'another answer to the loss of a region', to: { regionLoss: 'scale-out' } },
  { what: 'a known zone', to: { knownZones: ['us'] } },
  { what: 'a new image', to: { image: { repository: 'keyhearth', digest: `sha256:${'1'.repeat(64)}` } } },
  {
    what: 'events to a ClickHouse server: the bucket stays in AWS, under a name that CloudFormation made up',
    to: { events: CLICKHOUSE },
    gone: [
      'base AWS::EC2::VPCEndpoint',
      'data AWS::CloudWatch::Alarm',
      'data AWS::IAM::Role',
      'data AWS::KinesisFirehose::DeliveryStream',
      'data AWS::Logs::LogGroup',
      'data AWS::Logs::LogStream',
      'data AWS::S3::Bucket',
      'data AWS::S3::BucketPolicy',
    ],
  },
  {
    what: 'events back to Firehose, and no way out any more',
    from: { events: CLICKHOUSE },
    to: {},
    gone: ['EIP', 'NatGateway', 'Route', 'RouteTable', 'Subnet', 'SubnetRouteTableAssociation'].map(
      (type) => `base AWS::EC2::${type}`,
    ),
  },
  {
    what: 'another hostname',
    to: { hostname: 'api.eu.example.com' },
    refused: ['svc Hostname'],
  },
  {
    what: 'certificates of one’s own, with a DNS record of one’s own',
    to: { domain: OWN_CERTIFICATES },
    gone: ['edge AWS::Route53::RecordSet', 'svc AWS::CertificateManager::Certificate'],
  },
  { what: 'a hosted zone', from: { domain: OWN_CERTIFICATES }, to: {} },
  {
    what: 'a second replica',
    from: { replicas: ['eu-west-3'] },
    to: { replicas: ['eu-west-3', 'eu-north-1'] },
  },
  { what: 'a first replica', to: { replicas: ['eu-west-3'] }, refused: ['data GlobalMembership'] },
];

const NOTHING: Effect = { refused: [], replaced: [], gone: [], left: [] };

interface Deployed {
  readonly body: Body;
  /** Stacks that come before, directly. */
  readonly after: readonly string[];
}

/** By short name, in the order in which they are deployed. */
function deployedOf(zone: Partial<Zone>): ReadonlyMap<string, Deployed> {
  const short = (name: string): string =>
    name.replace('keyhearth-test-eu-', '').replace(new RegExp(`^(base|data|svc)-${R}$`), '$1');
  return new Map(
    allStacks(stacksOf({ replicas: [], ...zone })).map((stack) => [
      short(stack.stackName),
      {
        body: templateOf(stack).toJSON() as Body,
        after: stack.dependencies.map(({ stackName }) => short(stackName)),
      },
    ]),
  );
}

/** The stacks that an edit reaches: none that comes after one which refuses it. */
function effectsOf({ from = {}, to }: Edit): Record<keyof Effect, readonly string[]> {
  const [before, after] = [deployedOf(from), deployedOf(to)];
  const effects = new Map<string, Effect>();
  for (const [name, { body }] of before) {
    const next = after.get(name);
    if (next !== undefined) effects.set(name, effectOf(body, next.body));
  }
  const stopped = (name: string): boolean =>
    after.get(name)?.after.some((one) => (effects.get(one)?.refused ?? []).length > 0 || stopped(one)) ===
    true;
  const all = (kind: keyof Effect): readonly string[] => {
    const found = [...effects].flatMap(([name, effect]) =>
      stopped(name) ? [] : effect[kind].map((text) => `${name} ${text}`),
    );
    return [...new Set(found)].filter((text) => !text.includes(ALWAYS_NEW)).toSorted();
  };
  return { replaced: all('replaced'), gone: all('gone'), left: all('left'), refused: all('refused') };
}

test.each(EDITS)('$what', (edit) => {
  const { gone = [], refused = [] } = edit;
  expect(effectsOf(edit)).toEqual({ ...NOTHING, gone, refused });
});

test('every size has an edit here', () => {
  expect(Object.keys(SIZES).toSorted()).toEqual(Object.keys(DEFAULT_SIZE).toSorted());
});

const one = (Type: string, Properties: Record<string, unknown>, rest: object = {}): Body => ({
  Resources: { One: { Type, Properties, ...rest } },
});

test.each([
  ['AWS::RDS::DBInstance', 'PerformanceInsightsKMSKeyId'],
  ['AWS::RDS::DBInstance', 'AvailabilityZone'],
  ['AWS::ElastiCache::ServerlessCache', 'SubnetIds'],
  ['AWS::EC2::Subnet', 'CidrBlock'],
])('the comparison sees that %s can’t always be given another %s', (type, property) => {
  const replaced = [`${type} ${property}`];
  expect(effectOf(one(type, { [property]: 'a' }), one(type, {}))).toEqual({ ...NOTHING, replaced });
  expect(effectOf(one(type, { Tags: 'a' }), one(type, { Tags: 'b' }))).toEqual(NOTHING);
});

test('what can’t be changed and refers to something new is made anew too', () => {
  const network = (range: string): Body => ({
    Resources: {
      Subnet: { Type: 'AWS::EC2::Subnet', Properties: { VpcId: { Ref: 'Vpc' } } },
      Vpc: { Type: 'AWS::EC2::VPC', Properties: { CidrBlock: range } },
    },
  });
  expect(effectOf(network('10.0.0.0/16'), network('10.1.0.0/16')).replaced).toEqual([
    'AWS::EC2::Subnet VpcId',
    'AWS::EC2::VPC CidrBlock',
  ]);
});

test('a resource that is gone but kept holds its name, if the template gave it one', () => {
  const kept = { DeletionPolicy: 'RetainExceptOnCreate' };
  const group = 'AWS::Logs::LogGroup';
  const empty: Body = { Resources: {} };
  expect(effectOf(one(group, { LogGroupName: 'a' }, kept), empty).left).toEqual([group]);
  expect(effectOf(one(group, {}, kept), empty).left).toEqual([]);
  expect(effectOf(one(group, { LogGroupName: 'a' }), empty)).toEqual({ ...NOTHING, gone: [group] });
});

test('a type that nobody knows is an error, not a change that does no harm', () => {
  const body = one('AWS::No::Such', {});
  expect(() => effectOf(body, body)).toThrow('doesn’t know AWS::No::Such');
});
