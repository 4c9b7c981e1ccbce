import fc from 'fast-check';
import { expect, test } from 'vitest';

import config from '../regions.config.ts';
import fixture from '../test/topology-fixture.ts';
import { hasEndpointGroups } from './aws-offers.ts';
import { AWS_REGION_CODES, AWS_REGIONS, regionsIn } from './aws-regions.ts';
import { MAX_DEPLOYED_REPLICAS, MAX_REPLICAS } from './check-quotas.ts';
import { EU_ZONE, EVERY_CHOICE, LARGE, problemsOf, withZones } from './test-zones.ts';
import { parseTopology } from './validate.ts';

test('a good topology passes and comes back as it was', () => {
  const copy = JSON.parse(JSON.stringify(fixture));
  expect(parseTopology(copy, { forDeployment: true })).toEqual(fixture);
});

test('regions.config.ts passes, whatever it was edited to', () => {
  expect(problemsOf(config)).toEqual([]);
});

test.each<[string, object, string, string]>([
  [
    'a replica outside the residency',
    { replicas: ['us-east-1'] },
    'replicas[0]',
    'us-east-1 is under US, outside the residency EU; allowed are eu-central-1, eu-north-1',
  ],
  [
    'an origin outside the residency',
    { origin: 'eu-west-2' },
    'origin',
    'eu-west-2 is under GB, outside the residency EU; allowed are',
  ],
  [
    'an origin among its replicas',
    { replicas: ['eu-west-3', 'eu-central-1'] },
    'replicas[1]',
    'eu-central-1 is the origin',
  ],
  [
    'a region listed twice',
    { replicas: ['eu-west-3', 'eu-west-3'] },
    'replicas[1]',
    'eu-west-3 is listed twice',
  ],
  [
    'an unknown region',
    { replicas: ['eu-west-9'] },
    'replicas[0]',
    '"eu-west-9" is no commercial AWS region; allowed are eu-central-1',
  ],
  ['no origin', { origin: undefined }, 'origin', 'missing is no commercial AWS region; allowed are'],
  ['an inherited name as region', { origin: 'toString' }, 'origin', '"toString" is no commercial AWS region'],
  [
    'no list of replicas',
    { replicas: 'eu-west-3' },
    'replicas',
    'must be a list of regions (empty for none)',
  ],
  ['an unknown residency', { residency: 'Europe' }, 'residency', '"Europe" is unknown; allowed are AE, AU'],
  ['an account of 11 digits', { account: '22222222222' }, 'account', 'must be 12 digits'],
  ['an account as a number', { account: 222222222222 }, 'account', 'must be 12 digits'],
  [
    'a hostname with a scheme',
    { hostname: 'https://keys.example.com' },
    'hostname',
    'must be a full host name',
  ],
  ['too small a bound of staleness', { maxStalenessMs: 2999 }, 'maxStalenessMs', 'from 3000 (3 heartbeats)'],
  ['too large a bound of staleness', { maxStalenessMs: 86_400_001 }, 'maxStalenessMs', 'to 86400000 (a day)'],
  [
    'an unknown staleness mode',
    { stalenessMode: 'ignore' },
    'stalenessMode',
    'must be one of serve, confirm, refuse',
  ],
  [
    'a size of a foreign region',
    { sizes: { 'us-east-1': {} } },
    'sizes.us-east-1',
    'allowed are default, eu-central-1, eu-west-3',
  ],
  [
    'an unknown field of a size',
    { sizes: { default: { tasks: 2 } } },
    'sizes.default.tasks',
    'allowed are minTasks',
  ],
  [
    'more tasks at least than at most',
    { sizes: { default: { minTasks: 3, maxTasks: 2 } } },
    'sizes.default.minTasks',
    '3 is more than maxTasks, 2',
  ],
  [
    'a vCPU count that Fargate doesn’t have',
    { sizes: { default: { taskVcpu: 3 } } },
    'sizes.default.taskVcpu',
    'one of 0.25',
  ],
  ['an unknown field', { home: 'eu-west-3' }, 'home', 'is unknown; allowed are name'],
])('%s is refused with zone, field and what is allowed', (_, change, field, message) => {
  const problems = problemsOf(withZones({ ...EU_ZONE, ...change }));
  expect(problems).toHaveLength(1);
  expect(problems[0]).toMatch(`production/eu: ${field}: `);
  expect(problems[0]).toContain(message);
});

test('a zone name used twice is refused, the same name in another environment is not', () => {
  const other = { ...EU_ZONE, hostname: 'other.example.com' };
  expect(problemsOf(withZones(EU_ZONE, other))).toEqual([
    'production/eu: name: is the name of an earlier zone of production; names must differ, taken are eu',
  ]);
  expect(
    problemsOf({ environments: { production: { zones: [EU_ZONE] }, staging: { zones: [other] } } }),
  ).toEqual([]);
});

test('a hostname used twice is refused among all environments', () => {
  const problems = problemsOf({
    environments: { production: { zones: [EU_ZONE] }, staging: { zones: [EU_ZONE] } },
  });
  expect(problems).toEqual([
    'staging/eu: hostname: keys.eu.example.com is the hostname of production/eu already; each zone needs its own',
  ]);
});

test('all problems are told at once, in the message too', () => {
  expect(problemsOf(withZones({ ...EU_ZONE, account: '1', residency: 'XX' }, { name: '' }))).toHaveLength(7);
  expect(() => parseTopology(withZones({ ...EU_ZONE, account: '1', origin: 'x' }))).toThrow(
    /^the topology has 2 problems:\n {2}production\/eu: account: .*12 digits\n {2}production\/eu: origin: .*eu-west-3$/,
  );
});

test('what is wrong with the whole is told of the whole', () => {
  expect(() => parseTopology(5)).toThrow(
    'the topology has a problem:\n  the topology: must be an object, is 5',
  );
});

test.each([
  [null],
  [[]],
  ['text'],
  [{}],
  [{ environments: {} }],
  [{ environments: { p: { zones: [] } } }],
  [withZones([])],
])('what isn’t a topology at all is refused: %j', (value) => {
  expect(problemsOf(value)).not.toEqual([]);
});

test('any value is either accepted or refused with a TopologyError', () => {
  const anything = fc.anything({ withBigInt: true, withNullPrototype: true, withSparseArray: true });
  // Every known field, so that whatever it is gets as far as the check of it.
  const zone = fc.record(
    Object.fromEntries(
      Object.keys(EVERY_CHOICE).map((field) => [
        field,
        fc.oneof(anything, fc.constant(Reflect.get(EVERY_CHOICE, field))),
      ]),
    ),
    { requiredKeys: [] },
  );
  fc.assert(
    fc.property(
      fc.oneof(
        anything,
        anything.map((zones) => ({ environments: { production: { zones } } })),
        fc.array(zone).map((zones) => withZones(...zones)),
      ),
      (value) => void problemsOf(value, { forDeployment: true }),
    ),
  );
});

test('an environment can’t be named like the word for all of them', () => {
  expect(problemsOf({ environments: { all: { zones: [EU_ZONE] } } })).toEqual([
    'all: : is reserved: it stands for every environment where one is asked for; name the environment otherwise',
  ]);
});

test('only a deployment needs a domain', () => {
  expect(problemsOf(withZones(EU_ZONE))).toEqual([]);
  expect(problemsOf(withZones(EU_ZONE), { forDeployment: true })).toEqual([
    'production/eu: domain: is missing, a deployment needs { hostedZoneId, hostedZoneName } or { certificateArns }',
  ]);
});

test('more regions than an accelerator has listeners for are refused for a deployment only', () => {
  const [origin, ...others] = AWS_REGION_CODES.filter(hasEndpointGroups);
  const zoneOf = (regions: number): unknown =>
    withZones({ ...EVERY_CHOICE, ...LARGE, origin, replicas: others.slice(0, regions - 1) });
  expect(problemsOf(zoneOf(9), { forDeployment: true })).toEqual([]);
  expect(problemsOf(zoneOf(10))).toEqual([]);
  for (const regions of [10, 11, 12, 13]) {
    const [problem, ...rest] = problemsOf(zoneOf(regions), { forDeployment: true });
    expect(rest).toEqual([]);
    expect(problem).toContain(
      `production/eu: replicas: lists ${regions - 1} regions; at most ${MAX_DEPLOYED_REPLICAS} beside the origin can be deployed`,
    );
    expect(problem).toContain('"Listeners per accelerator"');
  }
});

test('more zones in one account than it may have accelerators are refused for a deployment, over all environments', () => {
  const zone = (index: number): object => ({
    ...EU_ZONE,
    residency: undefined,
    name: `zone-${index}`,
    hostname: `zone-${index}.example.com`,
    domain: { hostedZoneId: 'Z0EXAMPLE', hostedZoneName: 'example.com' },
  });
  const zones = (from: number, to: number): readonly object[] =>
    Array.from({ length: to - from }, (_, index) => zone(from + index));
  const environments = (last: number): unknown => ({
    environments: { production: { zones: zones(0, 12) }, staging: { zones: zones(12, last) } },
  });
  expect(problemsOf(environments(20), { forDeployment: true })).toEqual([]);
  expect(problemsOf(environments(21))).toEqual([]);
  const [problem, ...rest] = problemsOf(environments(21), { forDeployment: true });
  expect(rest).toEqual([]);
  expect(problem).toContain('staging/zone-20: account: 222222222222 has 21 zones');
  expect(problem).toContain('"Standard accelerators per AWS account"');
});

test('a zone with a residency shares its account with no other in a deployment, over all environments', () => {
  const zone = (name: string, residency?: string): object => ({
    ...EU_ZONE,
    residency,
    name,
    hostname: `${name}.example.com`,
    domain: { hostedZoneId: 'Z0EXAMPLE', hostedZoneName: 'example.com' },
  });
  const two = (one: object, other: object): unknown => ({
    environments: { production: { zones: [one] }, staging: { zones: [other] } },
  });
  const problem = (whose: string): string =>
    `staging/b: account: 222222222222 is the account of production/a already, and ${whose} zone has a residency: the service control policies of the two would exclude each other; give each zone an account of its own`;
  const deployed = { forDeployment: true };
  expect(problemsOf(two(zone('a', 'EU'), zone('b', 'EU')), deployed)).toEqual([problem('this')]);
  expect(problemsOf(two(zone('a'), zone('b', 'EU')), deployed)).toEqual([problem('this')]);
  expect(problemsOf(two(zone('a', 'EU'), zone('b')), deployed)).toEqual([problem('that')]);
  expect(problemsOf(two(zone('a'), zone('b')), deployed)).toEqual([]);
  expect(problemsOf(two(zone('a', 'EU'), { ...zone('b', 'EU'), account: '333333333333' }), deployed)).toEqual(
    [],
  );
  expect(problemsOf(two(zone('a', 'EU'), zone('b', 'EU')))).toEqual([]);
});

test('a region outside the residency is not advised where another is missing', () => {
  const zone = { ...EU_ZONE, replicas: ['eu-west-3', 'us-east-1'] };
  const elsewhere = { 'us-west-2': {}, 'us-east-1': {} };
  const sizes = problemsOf(withZones({ ...zone, sizes: elsewhere }));
  expect(sizes).toHaveLength(2);
  expect(sizes[1]).toBe(
    "production/eu: sizes.us-west-2: isn't in the zone; allowed are default, eu-central-1, eu-west-3",
  );
  const addressRanges = { 'us-west-2': '10.1.0.0/16', 'us-east-1': '10.2.0.0/16' };
  const ranges = problemsOf(withZones({ ...zone, addressRanges }));
  expect(ranges).toHaveLength(2);
  expect(ranges[1]).toBe(
    "production/eu: addressRanges.us-west-2: isn't in the zone; allowed are eu-central-1, eu-west-3",
  );
});

test('a zone passes exactly if its regions are distinct and under its residency', () => {
  const regions = fc.array(fc.constantFrom(...AWS_REGION_CODES), { minLength: 1, maxLength: 5 });
  const residency = fc.constantFrom<'EU' | 'US' | undefined>('EU', 'US', undefined);
  fc.assert(
    fc.property(regions, residency, ([origin, ...replicas], wanted) => {
      const all = [origin, ...replicas];
      const isGood =
        new Set(all).size === all.length &&
        all.every(
          (region) =>
            wanted === undefined || (region !== undefined && AWS_REGIONS[region].jurisdiction === wanted),
        );
      expect(problemsOf(withZones({ ...EU_ZONE, residency: wanted, origin, replicas })).length === 0).toBe(
        isGood,
      );
    }),
  );
});

test('more replicas than Aurora can have are refused', () => {
  const [origin, ...others] = AWS_REGION_CODES;
  const zone = { ...EU_ZONE, residency: undefined, origin };
  expect(problemsOf(withZones({ ...zone, replicas: others.slice(0, MAX_REPLICAS) }))).toEqual([]);
  expect(problemsOf(withZones({ ...zone, replicas: others.slice(0, MAX_REPLICAS + 1) }))).toEqual([
    'production/eu: replicas: lists 11 regions; at most 10 beside the origin are possible, the limit of an Aurora global database, and 8 in a deployment; make two zones of it',
  ]);
});

test('the table of regions is plausible: codes, countries and coordinates', () => {
  expect(AWS_REGION_CODES).toEqual(AWS_REGION_CODES.toSorted());
  for (const code of AWS_REGION_CODES) {
    const { country, jurisdiction, latitude, longitude } = AWS_REGIONS[code];
    expect(code).toMatch(/^[a-z]{2}-[a-z]+-\d$/);
    expect(country).toMatch(/^[A-Z]{2}$/);
    expect(Math.abs(latitude)).toBeLessThan(70);
    expect(Math.abs(longitude)).toBeLessThan(180);
    expect(['EU', country]).toContain(jurisdiction);
  }
  expect(regionsIn('EU')).toEqual([
    'eu-central-1',
    'eu-north-1',
    'eu-south-1',
    'eu-south-2',
    'eu-west-1',
    'eu-west-3',
  ]);
});

test('environment and zone together must differ, since names in AWS begin with both', () => {
  const zone = (name: string, hostname: string): object => ({ ...EU_ZONE, name, hostname });
  const problems = problemsOf({
    environments: {
      'a-b': { zones: [zone('c', 'one.example.com')] },
      a: { zones: [zone('b-c', 'two.example.com')] },
    },
  });
  expect(problems).toEqual([
    'a/b-c: name: names in AWS would begin with a-b-c as those of a-b/c do; name the zone otherwise',
  ]);
});

test.each(['eu-', 'e--u', '-eu'])(
  'a name such as %s is refused: no name in DNS or RDS may look so',
  (name) => {
    expect(problemsOf(withZones({ ...EU_ZONE, name })).join()).toContain('with single hyphens between them');
  },
);
