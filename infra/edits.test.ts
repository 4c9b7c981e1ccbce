import { expect, test } from 'vitest';
import { effectOf } from '../scripts/plan/effect.ts';
import type { Template } from '../scripts/plan/template.ts';
import { DEFAULT_SIZE } from '../topology/read.ts';
import type { RegionSize, Zone } from '../topology/types.ts';
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

/** An effect as it is compared here: in a word or two for each resource, in the order of the alphabet. */
interface Summary {
  readonly refused: readonly string[];
  /** `<type> <property>` of each resource that would be made anew, and which property asks for it. */
  readonly replaced: readonly string[];
  /** Types of the resources that the new template hasn't got. */
  readonly gone: readonly string[];
  /** Of these: those that stay in AWS under a name of the template's. A template that has them again fails, for the name is taken. */
  readonly left: readonly string[];
}

const NOTHING: Summary = { refused: [], replaced: [], gone: [], left: [] };

function summaryOf(before: Template, after: Template): Summary {
  const { refused, replaced, removed } = effectOf({ template: before }, after);
  const left = removed.filter(({ fate, name }) => fate === 'kept' && name !== null);
  return {
    refused: refused.map((one) => (one.kind === 'type' ? one.id : one.parameter)),
    replaced: replaced.map(({ type, property }) => `${type} ${property}`).toSorted(),
    gone: removed.map(({ type }) => type).toSorted(),
    left: left.map(({ type }) => type).toSorted(),
  };
}

interface Deployed {
  readonly body: Template;
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
        body: templateOf(stack).toJSON() as Template,
        after: stack.dependencies.map(({ stackName }) => short(stackName)),
      },
    ]),
  );
}

/** The stacks that an edit reaches: none that comes after one which refuses it. */
function effectsOf({ from = {}, to }: Edit): Summary {
  const [before, after] = [deployedOf(from), deployedOf(to)];
  const effects = new Map<string, Summary>();
  for (const [name, { body }] of before) {
    const next = after.get(name);
    if (next !== undefined) effects.set(name, summaryOf(body, next.body));
  }
  const stopped = (name: string): boolean =>
    after.get(name)?.after.some((one) => (effects.get(one)?.refused ?? []).length > 0 || stopped(one)) ===
    true;
  const all = (kind: keyof Summary): readonly string[] => {
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
