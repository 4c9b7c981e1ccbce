import { describe, expect, test } from 'vitest';
import { deploymentOf } from '../../topology/deployment.ts';
import { deployment, TWO_REGIONS } from '../test/zones.ts';
import { borderOf } from './border.ts';
import { checkStack, type StackFile } from './check.ts';
import { change, keyPolicy, rolePolicy, text as textOf, type Mutation } from '../test/residency/mutation.ts';
import { MUTATIONS } from '../test/residency/mutations.ts';
import { FULL, stackFilesOf } from '../test/residency/templates.ts';
import { RULE_IDS } from './rules.ts';

/** Another zone of the same account beside the one that is looked at: its regions and stacks are outside. */
const BORDERS = [
  borderOf(deployment(FULL)),
  borderOf(
    deployment({
      name: 'us',
      residency: 'US',
      origin: 'us-east-1',
      replicas: [],
      hostname: 'keys.us.example.com',
    }),
  ),
];
const STACKS = stackFilesOf();
const STACK = 'keyhearth-test-eu-zone';

function rulesBrokenBy({ stack: name, mutate }: Mutation): readonly string[] {
  const original = STACKS.get(name);
  if (original === undefined) throw new Error(`no stack ${name}`);
  const before = checkStack(BORDERS, original).map((finding) => JSON.stringify(finding));
  const mutated: StackFile = mutate(
    structuredClone(original) as unknown as Parameters<Mutation['mutate']>[0],
  );
  return checkStack(BORDERS, mutated)
    .filter((finding) => !before.includes(JSON.stringify(finding)))
    .map(({ rule }) => rule);
}

test.each([
  ['two regions with everything', FULL],
  ['one region', { replicas: [] }],
  ['no residency', { residency: undefined, replicas: ['us-east-1', 'ap-southeast-1'] }],
  [
    'events in ClickHouse, an image by digest, own certificates, nothing protected',
    {
      events: {
        kind: 'clickhouse',
        secretName: 'clickhouse',
        addressRanges: ['203.0.113.0/24'],
        port: 8443,
      },
      image: { repository: 'keyhearth', digest: `sha256:${'0123456789'.repeat(6)}abcd` },
      domain: {
        certificateArns: {
          'eu-central-1': 'arn:aws:acm:eu-central-1:222222222222:certificate/a',
          'eu-west-3': 'arn:aws:acm:eu-west-3:222222222222:certificate/b',
        },
      },
      deletionProtection: false,
    },
  ],
  [
    'names that look like regions and accounts',
    {
      hostname: 'keys.us-west-2.eu.example.com',
      alarms: { email: 'ops-us-east-1@example.com' },
      domain: { hostedZoneId: 'Z123456789012', hostedZoneName: 'us-west-2.eu.example.com' },
      image: { repository: 'app/us-east-1', digest: `sha256:${'1'.repeat(64)}` },
      // Of the memory, a number of bytes with twelve digits.
      sizes: { default: { taskVcpu: 32, taskMemoryMb: 249_856 } },
    },
  ],
  [
    "certificates and secrets with digits like an account's, in a region's name",
    {
      events: {
        kind: 'clickhouse',
        secretName: 'events/us-east-1',
        addressRanges: ['203.0.113.0/24'],
        port: 8443,
      },
      domain: {
        certificateArns: {
          'eu-central-1':
            'arn:aws:acm:eu-central-1:222222222222:certificate/12345678-1234-1234-1234-123456789012',
          'eu-west-3': 'arn:aws:acm:eu-west-3:222222222222:certificate/12345678-1234-1234-1234-123456789012',
        },
      },
    },
  ],
] as const)('nothing of a real zone is outside: %s', (_, zone) => {
  const border = borderOf(deployment(zone));
  const findings = [...stackFilesOf(zone as typeof FULL).values()].flatMap((stack) =>
    checkStack([border], stack).map((finding) => ({ stack: stack.stackName, ...finding })),
  );
  expect(findings).toEqual([]);
});

describe('an injected violation breaks exactly its rule', () => {
  test.each(MUTATIONS.map((mutation) => [mutation.rule, mutation.what, mutation] as const))(
    '%s: %s',
    (rule, _, mutation) => {
      expect(rulesBrokenBy(mutation)).toEqual([rule]);
    },
  );

  test('every rule has one', () => {
    expect(RULE_IDS.filter((id) => !MUTATIONS.some(({ rule }) => rule === id))).toEqual([]);
  });
});

describe('what looks like a violation and is none', () => {
  test('the hostname of another zone that callers are told', () => {
    const other = {
      ...TWO_REGIONS,
      name: 'us',
      account: '333333333333',
      hostname: 'keys.us-east-1.example.com',
    };
    const own = { ...TWO_REGIONS, knownZones: ['us'] };
    const border = borderOf(deploymentOf({ name: 'test', zones: [own, other] }, own));
    const stack = STACKS.get(STACK) ?? expect.fail('no such stack');
    const findings = (text: string): readonly string[] =>
      checkStack([border], {
        ...stack,
        template: { ...stack.template, Description: text },
      }).map(({ rule }) => rule);
    expect(findings('us=https://keys.us-east-1.example.com')).toEqual([]);
    expect(findings('us=https://keys.us-east-2.example.com')).toEqual(['Residency-RegionLiteral']);
    expect(findings('us-east-1')).toEqual(['Residency-RegionLiteral']);
  });

  test('a service whose name has several parts may write logs', () => {
    const { mutate } = keyPolicy('logs', { Service: 'delivery.logs.amazonaws.com' });
    expect(rulesBrokenBy({ rule: 'Residency-Principal', what: '', stack: STACK, mutate })).toEqual([]);
  });

  test('the contents of the secret that the database is made with', () => {
    const { mutate } = textOf(
      'Residency-Parameter',
      '',
      '{{resolve:secretsmanager:keyhearth/test/eu/database-master:SecretString:password::}}',
    );
    expect(rulesBrokenBy({ rule: 'Residency-Parameter', what: '', stack: STACK, mutate })).toEqual([]);
  });

  test('a parameter with one choice', () => {
    const { mutate } = change('Residency-Parameter', '', ({ template }) => {
      template.Parameters['Injected'] = { Type: 'String', AllowedValues: ['none'] };
    });
    expect(rulesBrokenBy({ rule: 'Residency-Parameter', what: '', stack: STACK, mutate })).toEqual([]);
  });

  test('wildcards in a policy that denies', () => {
    const { mutate } = rolePolicy('Residency-ArnRegion', '', {
      Effect: 'Deny',
      Action: '*',
      Resource: 'arn:aws:sns:*:*:topic',
    });
    expect(rulesBrokenBy({ rule: 'Residency-ArnRegion', what: '', stack: STACK, mutate })).toEqual([]);
  });

  test.each([
    ['a region of the zone in a host name', 'https://firehose.eu-west-3.amazonaws.com'],
    ['a number of twelve digits', '104796782592'],
    ['digits inside of a digest', 'sha256:a123456789012b'],
    ['a managed policy, which AWS owns', 'arn:aws:iam::aws:policy/ReadOnlyAccess'],
    ['an identifier of an availability zone of the zone', 'euc1-az2'],
    ['a text in capitals of the zone', 'EU-CENTRAL-1'],
    ['a bucket of the zone', 'arn:aws:s3:::cdk-assets-222222222222-eu-central-1/*'],
  ])('%s', (_, text) => {
    const mutate: Mutation['mutate'] = (stack) => {
      stack.template.Resources['Injected'] = {
        Type: 'AWS::EC2::RouteTable',
        Properties: { Tags: [{ Key: 'text', Value: text }] },
      };
      return stack as unknown as StackFile;
    };
    expect(rulesBrokenBy({ rule: 'Residency-RegionLiteral', what: text, stack: STACK, mutate })).toEqual([]);
  });
});
