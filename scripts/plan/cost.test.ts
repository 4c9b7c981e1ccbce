import { expect, test } from 'vitest';
import { TWO_REGIONS } from '../../infra/test/zones.ts';
import { publicRanges } from '../../infra/constructs/network.ts';
import { deploymentOf, type ZoneDeployment } from '../../topology/deployment.ts';
import type { ClickHouseSink, Zone } from '../../topology/types.ts';
import { type Bill, type CostLine, type CostReport, priceOf } from './cost.ts';
import { evaluate } from './cost-evaluate.ts';
import { hasWayOut } from './cost-service.ts';
import { readPrices } from './prices/price-table.ts';

const PRICES = readPrices();
const HOURS = 730;
const SECONDS = HOURS * 3600;

/** One region, for sums that fit on a line. */
const ONE: Partial<Zone> = { origin: 'us-east-1', replicas: [] };
const THREE: Partial<Zone> = { ...ONE, replicas: ['eu-west-1', 'ap-southeast-1'] };

function zoneOf(zone: Partial<Zone> = {}): ZoneDeployment {
  const whole = { ...TWO_REGIONS, ...zone };
  return deploymentOf({ name: 'test', zones: [whole] }, whole);
}

function reportOf(zone: Partial<Zone>, ...rates: readonly number[]): CostReport {
  return priceOf(zoneOf(zone), { prices: PRICES, rates });
}

function billAt(zone: Partial<Zone>, rate: number): Bill {
  const [cost] = reportOf(zone, rate).rates;
  if (cost === undefined) throw new Error('no price');
  return cost.keyhearth;
}

function line(bill: Bill, place: string, service: string, what: string): CostLine {
  const found = bill.lines.find((one) => one.place === place && one.service === service && one.what === what);
  if (found === undefined) throw new Error(`no line ${place} ${service} ${what}`);
  return found;
}

test('the tasks of an idle region are its minimum', () => {
  const bill = billAt({ ...ONE, sizes: { default: { minTasks: 2, taskVcpu: 1, taskMemoryMb: 2048 } } }, 0);
  expect(line(bill, 'us-east-1', 'Fargate', 'processors')).toMatchObject({
    formula: '2 tasks × 1 vCPU × 730 h × $0.03238 = $47.27',
    workings: [
      'tasks = min(8 at most, max(2 at least, ceil(0 per second ÷ 1,000 per second and task))) = 2 tasks',
    ],
  });
  // 2 tasks × 2 GB × 730 h × 0.00356
  expect(line(bill, 'us-east-1', 'Fargate', 'memory').usd).toBeCloseTo(10.3952, 6);
});

test('scaling runs as many tasks as the share of the region needs, and no more than it may', () => {
  const tasks = (rate: number): string | undefined =>
    line(billAt(THREE, rate), 'eu-west-1', 'Fargate', 'processors').workings.at(-1);
  expect(tasks(3000)).toContain('= 2 tasks');
  expect(tasks(9001)).toContain('= 4 tasks');
  expect(tasks(1_000_000)).toContain('= 8 tasks');
});

test('the capacity of the load balancer is the largest of what a unit holds', () => {
  const { workings, usd } = line(billAt(ONE, 1000), 'us-east-1', 'Load balancer', 'capacity');
  // 1,000/s × 1,300 bytes × 3,600 s is 4.36 GB an hour; 1 % of them open a connection: 10/s of 25; 200 of 3,000 are open.
  expect(workings.at(-1)).toBe('LCU = max(0.4, 0.0666666667, 4.35858965, 0 by rules) = 4.35858965 LCU');
  expect(usd).toBeCloseTo(4.358_589_65 * HOURS * 0.008, 6);
});

test('each serverless instance costs its minimum at all hours, in every region', () => {
  const bill = billAt(
    { ...THREE, sizes: { default: { databaseMinAcu: 8, databaseMaxAcu: 16, databaseInstances: 2 } } },
    0,
  );
  expect(line(bill, 'us-east-1', 'Aurora', 'capacity units').usd).toBeCloseTo(2 * 8 * HOURS * 0.12, 6);
  expect(line(bill, 'eu-west-1', 'Aurora', 'capacity units').usd).toBeCloseTo(2 * 8 * HOURS * 0.14, 6);
});

test('instances of a class cost their hours, whatever the capacity units are', () => {
  const bill = billAt(
    { ...ONE, sizes: { default: { databaseInstanceClass: 'r8g.large', databaseInstances: 3 } } },
    0,
  );
  expect(line(bill, 'us-east-1', 'Aurora', 'instances db.r8g.large').usd).toBeCloseTo(3 * HOURS * 0.276, 6);
  expect(bill.lines.some(({ what }) => what === 'capacity units')).toBe(false);
});

test('replication is paid for each further region, and not in a zone of one', () => {
  const bill = billAt(THREE, 0);
  // 2 writes a second, 3 I/O each, 15.768 millions a month
  expect(line(bill, 'ap-southeast-1', 'Aurora', 'writes replicated to here').usd).toBeCloseTo(
    15.768 * 0.22,
    6,
  );
  expect(line(bill, 'us-east-1', 'Aurora', 'reads and writes, as home').usd).toBeCloseTo(15.768 * 0.2, 6);
  expect(billAt(ONE, 1000).lines.filter(({ what }) => /replicat|other regions/.test(what))).toEqual([]);
});

test('data out is billed by tiers, each with its part', () => {
  const { formula, usd } = line(
    billAt({ ...ONE, sizes: { default: { maxTasks: 100 } } }, 50_000),
    'us-east-1',
    'Data transfer',
    'to the internet',
  );
  const gb = (50_000 * SECONDS * 600) / 2 ** 30;
  expect(usd).toBeCloseTo(10_240 * 0.09 + 40_960 * 0.085 + (gb - 51_200) * 0.07, 2);
  expect(formula).toMatch(/^10,240 × \$0\.09 \+ 40,960 × \$0\.085 \+ 22,[\d.,]+ × \$0\.07 = \$/);
});

test('the same serverless: requests, invocations, GB-seconds, reads and counters', () => {
  const [cost] = reportOf(ONE, 1000).rates;
  const millions = (1000 * SECONDS) / 1e6;
  const http = cost?.serverless.http;
  if (http === undefined) throw new Error('no price');
  expect(line(http, 'us-east-1', 'API Gateway', 'HTTP API').usd).toBeCloseTo(300 + (millions - 300) * 0.9, 6);
  expect(line(http, 'us-east-1', 'Lambda', 'invocations').usd).toBeCloseTo(millions * 0.2, 6);
  // 12 ms with a quarter of a GB
  expect(line(http, 'us-east-1', 'Lambda', 'GB-seconds').usd).toBeCloseTo(
    millions * 1e6 * 0.012 * 0.25 * 0.0000133334,
    6,
  );
  expect(line(http, 'us-east-1', 'DynamoDB', 'reads of keys').usd).toBeCloseTo(millions * 0.5 * 0.125, 6);
  expect(line(http, 'us-east-1', 'DynamoDB', 'counters').usd).toBeCloseTo(millions * 0.625, 6);
  expect(cost?.serverless.rest.usd).toBeGreaterThan(http.usd);
});

test('every formula, and each of a number in it, says by its text what it comes to', () => {
  const choices: readonly Partial<Zone>[] = [
    THREE,
    {},
    {
      ...ONE,
      firewall: { requestsPer5Minutes: 1000 },
      sizes: { default: { databaseInstanceClass: 'r8g.large' } },
    },
    { events: { kind: 'clickhouse', secretName: 'x', addressRanges: ['203.0.113.7/32'], port: 8443 } },
  ];
  const bills = choices.flatMap((zone) => reportOf(zone, 0, 7, 100, 1000, 10_000).rates);
  const lines = bills.flatMap(({ keyhearth, serverless }) =>
    [keyhearth, serverless.http, serverless.rest].flatMap((bill) => bill.lines),
  );
  expect(lines.length).toBeGreaterThan(1000);
  const wrong = lines.filter(({ formula, usd }) => {
    const [text = '', result = ''] = formula.split(' = ');
    const shown = evaluate(text);
    // Sums are shown in cents, and with four digits below one.
    const isShown = Math.abs(evaluate(result) - shown) <= (shown < 0.01 ? shown / 1000 : 0.005_000_1);
    return !isShown || Math.abs(shown - (usd ?? Number.NaN)) > 1e-6;
  });
  expect(wrong).toEqual([]);
  const workings = [...new Set(lines.flatMap((one) => one.workings))];
  expect(workings.length).toBeGreaterThan(100);
  const miscounted = workings.filter((working) => {
    const [, text = '', result = ''] = working.split(' = ');
    const [computed, shown] = [evaluate(text), evaluate(result)];
    return Math.abs(computed - shown) > Math.abs(computed) * 1e-8;
  });
  expect(miscounted).toEqual([]);
});

test('a bill is the sum of its lines, and so is each place', () => {
  const bill = billAt(THREE, 1000);
  const sum = (lines: readonly CostLine[]): number => lines.reduce((total, { usd }) => total + (usd ?? 0), 0);
  expect(bill.usd).toBeCloseTo(sum(bill.lines), 6);
  for (const place of ['zone', 'us-east-1', 'eu-west-1', 'ap-southeast-1']) {
    expect(bill.places[place]).toBeCloseTo(sum(bill.lines.filter((one) => one.place === place)), 6);
  }
});

test('more verifications never cost less, on either side', () => {
  const rates = [0, 1, 10, 99, 100, 500, 999, 1000, 1001, 3000, 7999, 8000, 20_000];
  for (const zone of [ONE, THREE]) {
    const priced = reportOf(zone, ...rates).rates;
    for (const side of [
      priced.map(({ keyhearth }) => keyhearth.usd),
      priced.map(({ serverless }) => serverless.http.usd),
      priced.map(({ serverless }) => serverless.rest.usd),
    ]) {
      expect(side).toEqual(side.toSorted((one, other) => one - other));
    }
  }
});

test('where the two cross: below it serverless is cheaper, from it on Keyhearth', () => {
  const { crossings, capacity } = reportOf(THREE);
  expect(capacity).toBe(24_000);
  for (const api of ['http', 'rest'] as const) {
    const at = crossings[api] ?? 0;
    expect(at).toBeGreaterThan(0);
    const [below, from, all] = reportOf(THREE, at - 1, at, capacity).rates;
    expect(below?.keyhearth.usd).toBeGreaterThan(below?.serverless[api].usd ?? Number.NaN);
    expect(from?.keyhearth.usd).toBeLessThanOrEqual(from?.serverless[api].usd ?? Number.NaN);
    expect(all?.keyhearth.usd).toBeLessThan(all?.serverless[api].usd ?? Number.NaN);
  }
  expect(crossings.rest).toBeLessThan(crossings.http ?? 0);
});

test('a zone that carries too little has no rate from which it is cheaper', () => {
  const tiny = { default: { minTasks: 1, maxTasks: 1, requestsPerTask: 1 } };
  expect(reportOf({ ...ONE, sizes: tiny }).crossings).toEqual({ http: null, rest: null });
});

test('a rate beyond maxTasks is said to be one', () => {
  const [carried, beyond] = reportOf({ ...ONE, sizes: { default: { maxTasks: 2 } } }, 2000, 2001).rates;
  expect(carried).toMatchObject({ isCarried: true, warnings: [] });
  expect(beyond).toMatchObject({
    isCarried: false,
    warnings: [
      "zone eu can't carry 2001 per second: us-east-1 has at most 2 tasks × 1000 = 2000 per second, its share needs 3 tasks (sizes.maxTasks)",
    ],
  });
});

test('what AWS has to raise for the serverless side is said', () => {
  const [cost] = reportOf({ ...ONE, sizes: { default: { maxTasks: 1000 } } }, 100_000).rates;
  expect(cost?.warnings).toEqual([
    'us-east-1: API Gateway takes 10000 requests per second until AWS raises that',
    'us-east-1: 1200 invocations at once; Lambda runs 1000 until AWS raises that',
  ]);
});

test('a region without prices is left out of the sum and says how to give them', () => {
  const report = reportOf({ ...ONE, replicas: ['eu-north-1'] }, 0);
  expect(report.rates[0]?.keyhearth.isComplete).toBe(false);
  expect(report.rates[0]?.keyhearth.places['eu-north-1']).toBeLessThan(30);
  expect(report.crossings).toEqual({ http: null, rest: null });
  expect(report.warnings).toContain(
    'no price of a vCPU of a Fargate task on ARM, an hour in eu-north-1: sums are without it. Give it by --prices <file> with {"regions":{"eu-north-1":{"fargateVcpuHour":0.01}}}',
  );
  const missing = report.rates[0]?.keyhearth.lines.find(({ usd }) => usd === null);
  expect(missing?.formula).toContain('× no price of');
});

test('old prices are said to be old', () => {
  const at = (now: string): readonly string[] =>
    priceOf(zoneOf(ONE), { prices: PRICES, rates: [], now: new Date(now) }).warnings;
  const age = expect.stringContaining('the prices were looked up');
  expect(at(PRICES.date)).not.toContainEqual(age);
  expect(at(new Date(Date.parse(PRICES.date) + 180 * 86_400_000).toISOString())).not.toContainEqual(age);
  expect(at(new Date(Date.parse(PRICES.date) + 181 * 86_400_000).toISOString())).toContainEqual(age);
});

test('a database smaller than its insights need is priced as configured, with a warning', () => {
  const warning = expect.stringContaining('an idle one may stay at up to 2');
  expect(reportOf({ ...ONE, sizes: { default: { databaseMinAcu: 0.5 } } }).warnings).toContainEqual(warning);
  expect(reportOf({ ...ONE, sizes: { default: { databaseMinAcu: 2 } } }).warnings).toEqual([]);
});

test.each([
  [['203.0.113.7/32'], true],
  [['10.1.0.0/16', '203.0.113.0/24'], true],
  [['10.1.0.0/16', '100.64.0.0/10'], false],
])('NAT gateways are priced where the network has them: %j', (addressRanges, expected) => {
  const events: ClickHouseSink = { kind: 'clickhouse', secretName: 'x', addressRanges, port: 8443 };
  expect(hasWayOut(zoneOf({ events }))).toBe(expected);
  expect(publicRanges(addressRanges).length > 0).toBe(expected);
  const lines = billAt({ ...ONE, events }, 0).lines.filter(({ service }) => service === 'NAT');
  expect(lines.map(({ what }) => what)).toEqual(expected ? ['hours', 'their addresses', 'events'] : []);
});
