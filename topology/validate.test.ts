import fc from 'fast-check';
import { expect, test } from 'vitest';

import config from '../regions.config.ts';
import { AWS_REGION_CODES, AWS_REGIONS, regionsIn } from './aws-regions.ts';
import { MAX_REPLICAS, parseTopology, TopologyError } from './validate.ts';

const EU_ZONE = {
  name: 'eu',
  hostname: 'keys.eu.example.com',
  account: '222222222222',
  residency: 'EU',
  origin: 'eu-central-1',
  replicas: ['eu-west-3'],
};

function problemsOf(value: unknown): readonly string[] {
  try {
    parseTopology(value);
    return [];
  } catch (error) {
    if (!(error instanceof TopologyError)) throw error;
    return error.problems.map(({ zone, field, message }) => `${zone}: ${field}: ${message}`);
  }
}

function withZones(...zones: readonly object[]): unknown {
  return { environments: { production: { zones } } };
}

test('the repository’s own topology passes and comes back as it was', () => {
  expect(parseTopology(JSON.parse(JSON.stringify(config)))).toEqual(config);
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
  ['too small a bound of staleness', { maxStalenessMs: 2999 }, 'maxStalenessMs', 'at least 3000'],
  [
    'an unknown staleness mode',
    { stalenessMode: 'ignore' },
    'stalenessMode',
    'allowed are serve, confirm, refuse',
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
  fc.assert(
    fc.property(
      fc.oneof(
        fc.anything(),
        fc.anything().map((zone) => withZones(Object(zone))),
      ),
      (value) => void problemsOf(value),
    ),
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
  expect(problemsOf(withZones({ ...zone, replicas: others.slice(0, MAX_REPLICAS + 1) }))).toHaveLength(1);
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
