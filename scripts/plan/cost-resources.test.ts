import { expect, test } from 'vitest';
import { allStacks, deployment, templateOf, testApp } from '../../infra/test/zones.ts';
import { buildZone } from '../../infra/zone.ts';
import { EMF_METRICS } from '../../service/cloudwatch/metric-table.ts';
import topology from '../../test/topology-fixture.ts';
import { deploymentOf, type ZoneDeployment } from '../../topology/deployment.ts';
import type { ClickHouseSink, Environment } from '../../topology/types.ts';
import { costOf } from './cost.ts';
import { isPriceName } from './prices/price-names.ts';
import { readPrices } from './prices/price-table.ts';
import { FREE, PRICED } from './prices/test/resource-types.ts';

interface Resource {
  readonly stack: string;
  readonly type: string;
  readonly properties: Readonly<Record<string, unknown>>;
}

const OUTSIDE: ClickHouseSink = {
  kind: 'clickhouse',
  secretName: 'x',
  addressRanges: ['203.0.113.7/32'],
  port: 8443,
};
const EXAMPLES = Object.entries<Environment>(topology.environments).flatMap(([name, { zones }]) =>
  zones.map((zone) =>
    deploymentOf(
      { name, zones },
      { ...zone, image: { repository: 'x', digest: `sha256:${'0'.repeat(64)}` } },
    ),
  ),
);
const ZONES: readonly ZoneDeployment[] = [
  ...EXAMPLES,
  deployment({
    firewall: { requestsPer5Minutes: 1000 },
    sizes: { default: { databaseInstanceClass: 'r8g.large' } },
  }),
  deployment({ replicas: [], events: OUTSIDE, sizes: { default: { databaseInstances: 3 } } }),
];

/** Of every stack of a zone. */
function resourcesOf(zone: ZoneDeployment): readonly Resource[] {
  return allStacks(buildZone(testApp(), zone)).flatMap((stack) =>
    // A template's resources by their ids; each has a type.
    Object.values<{ Type: string; Properties?: Record<string, unknown> }>(
      templateOf(stack).toJSON()['Resources'],
    ).map(({ Type: type, Properties: properties = {} }) => ({ stack: stack.stackName, type, properties })),
  );
}

const TEMPLATES = new Map(ZONES.map((zone) => [zone, resourcesOf(zone)]));

function resources(zone: ZoneDeployment, type: string, region?: string): readonly Resource[] {
  const all = TEMPLATES.get(zone) ?? [];
  return all.filter((one) => one.type === type && (region === undefined || one.stack.endsWith(`-${region}`)));
}

test('the three example zones are looked at', () => {
  expect(EXAMPLES.map(({ name }) => name)).toEqual(['global', 'eu', 'trial']);
});

test('every type of resource in the templates has a price, or a reason why it has none', () => {
  const types = new Set([...TEMPLATES.values()].flat().map(({ type }) => type));
  expect([...types].filter((type) => !Object.hasOwn(PRICED, type) && !Object.hasOwn(FREE, type))).toEqual([]);
  expect(Object.keys(PRICED).filter((type) => Object.hasOwn(FREE, type))).toEqual([]);
  expect([...Object.keys(PRICED), ...Object.keys(FREE)].filter((type) => !types.has(type))).toEqual([]);
});

test('what a type is charged by is in the bill of each zone that has it', () => {
  for (const zone of ZONES) {
    const { prices } = costOf(zone, { prices: readPrices(), rates: [100] });
    const taken = new Set([...prices.used, ...prices.missing].map(({ name }) => name));
    for (const [type, names] of Object.entries(PRICED)) {
      expect(names.filter((name) => !isPriceName(name))).toEqual([]);
      if (resources(zone, type).length === 0) continue;
      // Instances have one of two prices.
      const isOne = type === 'AWS::RDS::DBInstance';
      const lacking = names.filter((name) => !taken.has(name));
      expect({ zone: zone.name, type, lacking: lacking.length }).toEqual({
        zone: zone.name,
        type,
        lacking: isOne ? 1 : 0,
      });
    }
  }
});

/** Numbers of a line's formula, in their order. */
function numbersOf(zone: ZoneDeployment, place: string, service: string, what: string): readonly number[] {
  const [cost] = costOf(zone, { prices: readPrices(), rates: [100] }).rates;
  const line = cost?.keyhearth.lines.find(
    (one) => one.place === place && one.service === service && one.what === what,
  );
  return (line?.formula.match(/\d[\d,]*(\.\d+)?/g) ?? []).map((text) => Number(text.replaceAll(',', '')));
}

test.each(ZONES)('counts in the bill of $name are those of its templates', (zone) => {
  for (const { region, availabilityZones } of zone.regions) {
    const endpoints = resources(zone, 'AWS::EC2::VPCEndpoint', region).filter(
      ({ properties }) => properties['VpcEndpointType'] === 'Interface',
    );
    expect(numbersOf(zone, region, 'VPC endpoints', 'hours').slice(0, 2)).toEqual([
      endpoints.length,
      availabilityZones.length,
    ]);
    for (const { properties } of endpoints)
      expect(properties['SubnetIds']).toHaveLength(availabilityZones.length);
    const keys = ['AWS::KMS::Key', 'AWS::KMS::ReplicaKey'].flatMap((type) => resources(zone, type, region));
    expect(numbersOf(zone, region, 'KMS', 'keys')[0]).toBe(keys.length);
    // Made once, with a replica in each further region.
    expect(numbersOf(zone, region, 'Secrets Manager', 'secrets')[0]).toBe(
      resources(zone, 'AWS::SecretsManager::Secret').length,
    );
    const nats = resources(zone, 'AWS::EC2::NatGateway', region);
    expect(numbersOf(zone, region, 'NAT', 'hours')[0] ?? 0).toBe(nats.length);
    const instances = resources(zone, 'AWS::RDS::DBInstance', region);
    const service =
      instances[0]?.properties['DBInstanceClass'] === 'db.serverless'
        ? 'capacity units'
        : 'instances db.r8g.large';
    expect(numbersOf(zone, region, 'Aurora', service)[0]).toBe(instances.length);
  }
  expect(resources(zone, 'AWS::GlobalAccelerator::Accelerator')).toHaveLength(1);
  expect(resources(zone, 'AWS::CloudWatch::Dashboard')).toHaveLength(1);
  expect(resources(zone, 'AWS::Route53::HostedZone')).toHaveLength(1);
});

/** A query looks at one metric of each instance; any other alarm at those that it names, or at its own. */
function metricsOf({ properties }: Resource): { readonly named: number; readonly queries: number } {
  const metrics = properties['Metrics'];
  if (!Array.isArray(metrics)) return { named: 1, queries: 0 };
  const queries = metrics.filter((one) => String(one.Expression).startsWith('SELECT ')).length;
  return { named: metrics.filter((one) => one.MetricStat !== undefined).length, queries };
}

test.each(ZONES)(
  'the alarms in the bill of $name look at as many metrics as those of its templates',
  (zone) => {
    for (const { region, size } of zone.regions) {
      const alarms = resources(zone, 'AWS::CloudWatch::Alarm', region).map(metricsOf);
      const total = (kind: 'named' | 'queries'): number =>
        alarms.reduce((sum, alarm) => sum + alarm[kind], 0);
      // Above and below, for each rule of scaling.
      const scaling = 2 * resources(zone, 'AWS::ApplicationAutoScaling::ScalingPolicy', region).length;
      const expected = [total('named'), total('queries'), size.databaseInstances, scaling];
      expect(numbersOf(zone, region, 'CloudWatch', 'alarms').slice(0, 4)).toEqual(expected);
    }
  },
);

test('no listener has more rules than cost nothing', () => {
  for (const zone of ZONES) {
    const [listeners, rules] = ['Listener', 'ListenerRule'].map(
      (name) => resources(zone, `AWS::ElasticLoadBalancingV2::${name}`).length,
    );
    expect(rules).toBeLessThanOrEqual(listeners ?? 0);
  }
});

test('the database is of the kind whose storage and I/O are priced: Standard', () => {
  for (const cluster of ZONES.flatMap((zone) => resources(zone, 'AWS::RDS::DBCluster'))) {
    expect(cluster.properties['StorageType'] ?? 'aurora').toBe('aurora');
  }
});

test('tasks have as many metrics as are priced: all while there are verifications, none of verdicts before', () => {
  const kinds = Object.values(EMF_METRICS).map(({ kind }) => kind);
  const [zone] = EXAMPLES;
  if (zone === undefined) throw new Error('no example');
  const workings = costOf(zone, { prices: readPrices(), rates: [0, 100] }).rates.map(
    ({ keyhearth }) => keyhearth.lines.find(({ what }) => what === 'metrics')?.workings[0],
  );
  expect(workings[0]).toContain(`${kinds.filter((kind) => kind !== 'verdict').length} of the tasks`);
  expect(workings[1]).toContain(`${kinds.length} of the tasks`);
});
