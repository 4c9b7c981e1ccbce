import fc from 'fast-check';
import { expect, test } from 'vitest';

import { FARGATE_MEMORY_MB } from './aws-sizes.ts';
import { hasEndpointGroups, offersInstanceClass } from './aws-offers.ts';
import {
  AWS_REGION_CODES,
  JURISDICTIONS,
  regionsIn,
  type AwsRegion,
  type Jurisdiction,
} from './aws-regions.ts';
import { deploymentOf } from './deployment.ts';
import { environmentOf } from './read.ts';
import { EVERY_CHOICE, problemsOf, problemsWith } from './test-zones.ts';
import { parseTopology } from './validate.ts';

/** Wrong values, by the path at which they are put and reported. None has to do with another. */
const WRONG: Readonly<Record<string, unknown>> = {
  account: '22',
  maxStalenessMs: 1,
  stalenessMode: 'never',
  'sizes.default.requestsPerTask': 0,
  'sizes.default.cpuTargetPercent': 100,
  'sizes.default.databaseInstanceClass': 'm5.large',
  'sizes.default.databaseInstances': 0,
  'sizes.default.databaseMaxAcu': 300,
  'sizes.eu-west-3.taskMemoryMb': 2000,
  'sizes.eu-west-3.surprise': 1,
  regionLoss: 'never',
  'knownZones[0]': 'mars',
  'domain.hostedZoneId': 'z',
  'domain.hostedZoneName': 'Example.com',
  'domain.surprise': 1,
  'addressRanges.eu-west-3': '10.0.0.1/16',
  'availabilityZones.eu-west-3': [],
  'image.repository': 'Keyhearth',
  'image.digest': 'latest',
  'events.secretName': '',
  'events.addressRanges[0]': '0.0.0.0/0',
  'events.port': 0,
  'firewall.requestsPer5Minutes': 1,
  'alarms.email': 'ops',
  'budget.usdPerMonth': -1,
  'retention.logDays': 2,
  'retention.backupDays': 99,
  'retention.eventDays': 0,
  deletionProtection: 1,
  surprise: 1,
};

/** Wrong values that make more wrong than themselves: regions that others name. */
const FAR_REACHING: Readonly<Record<string, unknown>> = {
  origin: 'eu-central-9',
  'replicas[0]': 'eu-west-9',
  residency: 'XX',
};

function broken(paths: readonly string[]): Record<string, unknown> {
  const zone = structuredClone(EVERY_CHOICE) as Record<string, unknown>;
  for (const path of paths) {
    const keys = path.replaceAll(/\[(\d)\]/g, '.$1').split('.');
    const last = keys.pop() ?? '';
    const parent = keys.reduce<object>((object, key) => Reflect.get(object, key) as object, zone);
    Reflect.set(parent, last, WRONG[path] ?? FAR_REACHING[path]);
  }
  return zone;
}

function fieldsOf(problems: readonly string[]): readonly string[] {
  return problems.map((problem) => problem.slice(0, problem.indexOf(': ')));
}

test('whatever fields are wrong, exactly they are reported', () => {
  fc.assert(
    fc.property(fc.subarray(Object.keys(WRONG)), (paths) => {
      expect(fieldsOf(problemsWith(broken(paths))).toSorted()).toEqual(paths.toSorted());
    }),
  );
});

test('wrong regions hide no other wrong field', () => {
  // Whether a server may be anywhere depends on the residency.
  const others = Object.keys(WRONG).filter((path) => path !== 'events.addressRanges[0]');
  fc.assert(
    fc.property(
      fc.subarray(Object.keys(FAR_REACHING), { minLength: 1 }),
      fc.subarray(others),
      (roots, paths) => {
        const all = [...roots, ...paths];
        expect(fieldsOf(problemsWith(broken(all)))).toEqual(expect.arrayContaining(all));
      },
    ),
  );
});

/** A size that any region may have. */
const anySize = fc
  .constantFrom(...FARGATE_MEMORY_MB)
  .chain(([taskVcpu, { amountsMb }]) =>
    fc.record({
      taskVcpu: fc.constant(taskVcpu),
      taskMemoryMb: fc.constantFrom(...amountsMb),
      tasks: fc.tuple(fc.integer({ min: 1, max: 1000 }), fc.integer({ min: 1, max: 1000 })),
      units: fc.tuple(fc.integer({ min: 2, max: 512 }), fc.integer({ min: 2, max: 512 })),
      requestsPerTask: fc.integer({ min: 1, max: 100_000 }),
      cpuTargetPercent: fc.integer({ min: 10, max: 50 }),
      databaseInstances: fc.integer({ min: 1, max: 8 }),
      databaseInstanceClass: fc.constantFrom('serverless', 'r8g.large', 'r6gd.16xlarge'),
    }),
  )
  .map(({ tasks, units, ...size }) => ({
    ...size,
    minTasks: Math.min(...tasks),
    maxTasks: Math.max(...tasks),
    databaseMinAcu: Math.min(...units) / 2,
    databaseMaxAcu: Math.max(...units) / 2,
  }));

/** Regions where what `anySize` has is offered. */
function deployable(residency: Jurisdiction | undefined): readonly AwsRegion[] {
  return (residency === undefined ? AWS_REGION_CODES : regionsIn(residency)).filter(
    (region) =>
      hasEndpointGroups(region) &&
      offersInstanceClass(region, 'r8g.large') &&
      offersInstanceClass(region, 'r6gd.16xlarge'),
  );
}

/** A zone without its name and hostname, for an account. */
const anyZone = fc
  .option(fc.constantFrom(...JURISDICTIONS.filter((one) => deployable(one).length > 0)), {
    nil: undefined,
  })
  .chain((residency) =>
    fc.record({
      residency: fc.constant(residency),
      regions: fc.uniqueArray(fc.constantFrom(...deployable(residency)), {
        minLength: 1,
        maxLength: 9,
      }),
      size: anySize,
      other: fc.option(anySize),
      hasRanges: fc.boolean(),
      hasCertificates: fc.boolean(),
    }),
  )
  .map(({ residency, regions, size, other, hasRanges, hasCertificates }) => (account: string) => {
    const [origin, ...replicas] = regions;
    const byRegion = (entry: (region: AwsRegion, index: number) => unknown): unknown =>
      Object.fromEntries(regions.map((region, index) => [region, entry(region, index)]));
    return {
      account,
      residency,
      origin,
      replicas,
      // Equal sizes absorb; where one region differs, it has to be allowed.
      sizes: { default: size, ...(other !== null && origin !== undefined && { [origin]: other }) },
      ...(other !== null && { regionLoss: 'scale-out' }),
      ...(hasRanges && { addressRanges: byRegion((_, index) => `172.16.${index * 16}.0/20`) }),
      domain: hasCertificates
        ? {
            certificateArns: byRegion(
              (region) => `arn:aws:acm:${region}:${account}:certificate/12345678-90ab-cdef-1234-567890abcdef`,
            ),
          }
        : { hostedZoneId: 'Z0EXAMPLE', hostedZoneName: 'example.com' },
    };
  });

test('valid topologies pass for a deployment, and every zone of them can be deployed', () => {
  fc.assert(
    fc.property(fc.array(anyZone, { minLength: 1, maxLength: 3 }), (zones) => {
      const names = zones.map((_, index) => `zone-${index}`);
      const value = {
        environments: {
          p: {
            zones: zones.map((zone, index) => ({
              ...zone(String(100_000_000_000 + index)),
              name: names[index],
              hostname: `${names[index]}.example.com`,
              knownZones: names.filter((_, other) => other !== index),
            })),
          },
        },
      };
      expect(problemsOf(value, { forDeployment: true })).toEqual([]);
      const environment = { name: 'p', ...environmentOf(parseTopology(value)) };
      for (const zone of environment.zones) {
        const { regions, knownZones } = deploymentOf(environment, zone);
        expect(regions.map(({ region }) => region)).toEqual([zone.origin, ...zone.replicas.toSorted()]);
        expect(knownZones.map(({ name }) => name)).toEqual(names);
      }
    }),
  );
});
