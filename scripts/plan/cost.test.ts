import { expect, test } from 'vitest';
import { TWO_REGIONS } from '../../infra/test/zones.ts';
import { publicRanges } from '../../infra/constructs/network.ts';
import { deploymentOf, type ZoneDeployment } from '../../topology/deployment.ts';
import type { ClickHouseSink, Zone } from '../../topology/types.ts';
import { type Bill, type CostLine, type CostReport, costOf } from './cost.ts';
import { evaluate } from './prices/test/evaluate.ts';
import { DESIGN_NAMES } from './cost-designs.ts';
import { hasWayOut } from './cost-service.ts';
import { type Assumptions, COUNTED } from './prices/assumptions.ts';
import { type PriceTable, readPrices } from './prices/price-table.ts';

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

function pricesWith(changed: Partial<Assumptions>): PriceTable {
  return { ...PRICES, assumptions: { ...PRICES.assumptions, ...changed } };
}

function reportOf(zone: Partial<Zone>, ...rates: readonly number[]): CostReport {
  return costOf(zoneOf(zone), { prices: PRICES, rates });
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

test('the same serverless: requests, invocations, GB-seconds and reads', () => {
  const [cost] = reportOf(ONE, 1000).rates;
  const millions = (1000 * SECONDS) / 1e6;
  const http = cost?.serverless.http;
  if (http === undefined) throw new Error('no price');
  expect(line(http, 'us-east-1', 'API Gateway', 'HTTP API').usd).toBeCloseTo(300 + (millions - 300) * 0.9, 6);
  expect(line(http, 'us-east-1', 'Lambda', 'invocations').usd).toBeCloseTo(millions * 0.2, 6);
  // 8 ms, and 4 more for each fourth, with a quarter of a GB
  expect(line(http, 'us-east-1', 'Lambda', 'GB-seconds').usd).toBeCloseTo(
    millions * 1e6 * 0.009 * 0.25 * 0.0000133334,
    6,
  );
  expect(line(http, 'us-east-1', 'DynamoDB', 'reads of keys').usd).toBeCloseTo(millions * 0.5 * 0.125, 6);
  expect(cost?.serverless.rest.usd).toBeGreaterThan(http.usd);
});

test('where no key has a limit, neither side is billed for counting or recording', () => {
  const [cost] = costOf(zoneOf(THREE), { prices: pricesWith({ limitedShare: 0 }), rates: [1000] }).rates;
  for (const bill of [cost?.keyhearth, ...Object.values(cost?.serverless ?? {})]) {
    const counting = bill?.lines.filter(({ service, what }) =>
      /^(Firehose|S3)$|processing units|counters/.test(`${service}|${what}`),
    );
    expect(counting?.filter(({ usd }) => usd !== 0)).toEqual([]);
  }
});

test('verifications of keys with a limit are counted on both sides, by an exchange and by a write', () => {
  const [cost] = reportOf(ONE, 1000).rates;
  if (cost === undefined) throw new Error('no price');
  const millions = (1000 * SECONDS) / 1e6;
  // A quarter of them, each by a call of 6 units at most.
  const own = line(cost.keyhearth, 'us-east-1', 'Valkey', 'processing units');
  expect(own.usd).toBeCloseTo(millions * 0.25 * 6 * 0.0023, 6);
  const { http, provisioned, valkey } = cost.serverless;
  expect(line(http, 'us-east-1', 'DynamoDB', 'counters').usd).toBeCloseTo(millions * 0.25 * 0.625, 6);
  // 250 a second are 70 % of 358.
  const units = line(provisioned, 'us-east-1', 'DynamoDB', 'counters, provisioned');
  expect(units.usd).toBeCloseTo(358 * HOURS * 0.00065, 6);
  expect(line(valkey, 'us-east-1', 'Valkey', 'processing units').usd).toBeCloseTo(own.usd ?? 0, 6);
  expect(valkey.lines.some(({ what }) => what.startsWith('counters'))).toBe(false);
});

test('a cache is billed for no more than it may use', () => {
  const sizes = { default: { minTasks: 1, maxTasks: 2, requestsPerTask: 500 } };
  const [cost] = costOf(zoneOf({ ...ONE, sizes }), {
    prices: pricesWith({ limitedShare: 1, ecpuPerExchange: 9 }),
    rates: [1000],
  }).rates;
  if (cost === undefined) throw new Error('no price');
  const { usd, formula } = line(cost.keyhearth, 'us-east-1', 'Valkey', 'processing units');
  expect(usd).toBeCloseTo(((6000 * SECONDS) / 1e6) * 0.0023, 6);
  expect(formula).toContain('min(6,000 at most, ');
});

test('with a limit on each key and events both sides pay for them, the function for a record of each event', () => {
  const [cost] = costOf(zoneOf(ONE), { prices: pricesWith(COUNTED), rates: [1000] }).rates;
  if (cost === undefined) throw new Error('no price');
  const { keyhearth, serverless } = cost;
  const millions = (1000 * SECONDS) / 1e6;
  expect(line(serverless.http, 'us-east-1', 'DynamoDB', 'counters').usd).toBeCloseTo(millions * 0.625, 6);
  expect(line(keyhearth, 'us-east-1', 'Valkey', 'processing units').usd).toBeCloseTo(
    millions * 6 * 0.0023,
    6,
  );
  // 5 KB for each event, and for each 14 of Keyhearth's.
  const gb = (millions * 1e6 * 5 * 1024) / 2 ** 30;
  expect(line(serverless.http, 'us-east-1', 'Firehose', 'events').usd).toBeCloseTo(gb * 0.029, 4);
  expect(line(keyhearth, 'us-east-1', 'Firehose', 'events').usd).toBeCloseTo((gb / 14) * 0.029, 4);
  const report = reportOf(ONE);
  expect(report.countedCrossings.http).toBeLessThan(Number(report.crossings.http));
});

test('a function URL has no API to pay for, and is otherwise the same', () => {
  const [cost] = reportOf(THREE, 1000).rates;
  if (cost === undefined) throw new Error('no price');
  const { http, url } = cost.serverless;
  expect(url.lines).toEqual(http.lines.filter(({ service }) => service !== 'API Gateway'));
  expect(url.lines.length).toBe(http.lines.length - 3);
});

test('provisioned tables have units of which 70 % are used, by the hour', () => {
  const { provisioned } = reportOf(ONE, 1000).rates[0]?.serverless ?? {};
  if (provisioned === undefined) throw new Error('no price');
  const reads = line(provisioned, 'us-east-1', 'DynamoDB', 'reads of keys, provisioned');
  // Half a unit for each of 1,000 a second is 714.3 of 500.
  expect(reads.usd).toBeCloseTo(715 * HOURS * 0.00013, 6);
  expect(reads.formula).toContain('max(1 at least, ceil(1,000 per second × 0.5 units ÷ 0.7 of units))');
  const writes = line(provisioned, 'us-east-1', 'DynamoDB', 'changes to keys, provisioned');
  expect(writes.usd).toBeCloseTo(2 * HOURS * 0.00065, 6);
});

test('a function that caches reads one key in ten and is done sooner', () => {
  const { cached } = reportOf(ONE, 1000).rates[0]?.serverless ?? {};
  if (cached === undefined) throw new Error('no price');
  const millions = (1000 * SECONDS) / 1e6;
  expect(line(cached, 'us-east-1', 'DynamoDB', 'reads of keys').usd).toBeCloseTo(millions * 0.05 * 0.125, 6);
  expect(line(cached, 'us-east-1', 'Lambda', 'GB-seconds').usd).toBeCloseTo(
    millions * 1e6 * 0.004 * 0.25 * 0.0000133334,
    6,
  );
});

test('a firewall is billed on both sides where the other one can have any', () => {
  const report = reportOf({ ...ONE, firewall: { requestsPer5Minutes: 1000 } }, 1000);
  const [cost] = report.rates;
  const usd = (bill: Bill | undefined): number | undefined =>
    bill?.lines.reduce((sum, one) => (one.service === 'Firewall' ? sum + (one.usd ?? 0) : sum), 0);
  // 5 for the list, 2 for its rules, 0.6 a million.
  expect(usd(cost?.keyhearth)).toBeCloseTo(7 + ((1000 * SECONDS) / 1e6) * 0.6, 6);
  expect(usd(cost?.serverless.rest)).toBe(usd(cost?.keyhearth));
  expect(usd(cost?.serverless.http)).toBe(0);
  expect(usd(cost?.serverless.url)).toBe(0);
  expect(report.warnings).toContainEqual(expect.stringContaining('AWS WAF takes no HTTP API'));
});

test('flow logs have a record for either direction of a connection, at both ends, each minute', () => {
  const { workings } = line(billAt(ONE, 1000), 'us-east-1', 'CloudWatch', 'flow logs');
  const gb = Number(/= ([\d.]+) GB$/.exec(workings.find((one) => one.startsWith('flow logs =')) ?? '')?.[1]);
  // 10 connections a second are new, 200 are open.
  expect(gb).toBeCloseTo(((10 * SECONDS + 200 * HOURS * 60) * 2 * 2 * 150) / 2 ** 30, 6);
});

test('what a sum rests on is known by how far its prices can be trusted', () => {
  const bill = billAt(THREE, 0);
  // One price a line: idle, nothing reaches a second tier.
  const usd = (mark: string): number =>
    bill.lines
      .filter(({ formula }) => new RegExp(`\\$[\\d.]+\\${mark} = `).test(formula))
      .reduce((sum, one) => sum + (one.usd ?? 0), 0);
  expect(bill.doubtful.unchecked).toBeGreaterThan(0);
  expect(bill.doubtful.unchecked).toBeCloseTo(usd('†'), 6);
  expect(bill.doubtful.estimate).toBeCloseTo(usd('*'), 6);
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
  const bills = choices.flatMap((zone) =>
    [PRICES, pricesWith(COUNTED)].flatMap(
      (prices) => costOf(zoneOf(zone), { prices, rates: [0, 7, 100, 1000, 10_000] }).rates,
    ),
  );
  const lines = bills.flatMap(({ keyhearth, serverless }) =>
    [keyhearth, ...Object.values(serverless)].flatMap((bill) => bill.lines),
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
      ...DESIGN_NAMES.map((name) => priced.map(({ serverless }) => serverless[name].usd)),
    ]) {
      expect(side).toEqual(side.toSorted((one, other) => one - other));
    }
  }
});

test('where the two cross: below it serverless is cheaper, from it on Keyhearth', () => {
  const { crossings, capacity } = reportOf(THREE);
  expect(capacity).toBe(24_000);
  for (const api of DESIGN_NAMES) {
    const at = Number(crossings[api]);
    expect(at).toBeGreaterThan(0);
    const [below, from, all] = reportOf(THREE, at - 1, at, capacity).rates;
    expect(below?.keyhearth.usd).toBeGreaterThan(below?.serverless[api].usd ?? Number.NaN);
    expect(from?.keyhearth.usd).toBeLessThanOrEqual(from?.serverless[api].usd ?? Number.NaN);
    expect(all?.keyhearth.usd).toBeLessThan(all?.serverless[api].usd ?? Number.NaN);
  }
  expect(crossings.rest).toBeLessThan(Number(crossings.http));
});

test('a zone that carries too little has no rate from which it is cheaper', () => {
  const tiny = { default: { minTasks: 1, maxTasks: 1, requestsPerTask: 1 } };
  const all = new Set(Object.values(reportOf({ ...ONE, sizes: tiny }).crossings));
  expect([...all]).toEqual(['beyond what the zone carries']);
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
  const [cost] = reportOf({ ...ONE, sizes: { default: { maxTasks: 1000 } } }, 150_000).rates;
  expect(cost?.warnings).toEqual([
    'us-east-1: API Gateway takes 10000 requests per second until AWS raises that',
    'us-east-1: 1350 invocations at once; Lambda runs 1000 until AWS raises that',
  ]);
});

test('a region without prices is left out of the sum and says how to give them', () => {
  const report = reportOf({ ...ONE, replicas: ['eu-north-1'] }, 0);
  expect(report.rates[0]?.keyhearth.isComplete).toBe(false);
  expect(report.rates[0]?.keyhearth.places['eu-north-1']).toBeLessThan(30);
  expect([...new Set(Object.values(report.crossings))]).toEqual(['prices are missing']);
  expect(report.warnings).toContain(
    'no price of a vCPU of a Fargate task on ARM, an hour in eu-north-1: sums are without it. Give it by --prices <file> with {"regions":{"eu-north-1":{"fargateVcpuHour":0.01}}}',
  );
  const missing = report.rates[0]?.keyhearth.lines.find(({ usd }) => usd === null);
  expect(missing?.formula).toContain('× no price of');
});

test('old prices are said to be old', () => {
  const at = (now: string): readonly string[] =>
    costOf(zoneOf(ONE), { prices: PRICES, rates: [], now: new Date(now) }).warnings;
  const age = expect.stringContaining('the prices were looked up');
  expect(at(PRICES.date)).not.toContainEqual(age);
  expect(at(new Date(Date.parse(PRICES.date) + 180 * 86_400_000).toISOString())).not.toContainEqual(age);
  expect(at(new Date(Date.parse(PRICES.date) + 181 * 86_400_000).toISOString())).toContainEqual(age);
});

test('a database smaller than its insights need is priced as configured, with a warning', () => {
  // 2 instances × 1.5 ACU × 730 h × $0.12
  const warning = expect.stringMatching(
    /an idle one may stay at up to 2, .* which is \$262\.80 a month more/,
  );
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
