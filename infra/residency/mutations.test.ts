import { describe, expect, test } from 'vitest';
import { deployment } from '../test/zones.ts';
import { borderOf } from './border.ts';
import { checkStack, type StackFile } from './check.ts';
import { MUTATIONS, type Mutation } from '../test/residency/mutations.ts';
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
  test.each([
    ['a region of the zone in a host name', 'https://firehose.eu-west-3.amazonaws.com'],
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
    expect(
      rulesBrokenBy({ rule: 'Residency-RegionLiteral', what: text, stack: 'keyhearth-test-eu-zone', mutate }),
    ).toEqual([]);
  });
});
