import { expect, test } from 'vitest';
import { deployment } from '../../infra/test/zones.ts';
import type { Zone } from '../../topology/types.ts';
import { type CostReport, costTables, costOf } from './cost.ts';
import { readPrices } from './prices/price-table.ts';

function reportOf(zone: Partial<Zone> = {}, ...rates: readonly number[]): CostReport {
  const options = rates.length === 0 ? {} : { rates };
  return costOf(deployment(zone), { prices: readPrices(), ...options });
}

function lineWith(text: string, ...parts: readonly string[]): string {
  return text.split('\n').find((line) => parts.every((part) => line.includes(part))) ?? '';
}

test('a zone is shown beside the same serverless at each rate, and by region', () => {
  const report = reportOf();
  const text = costTables(report);
  for (const [label, index] of [
    ['idle', 0],
    ['100', 1],
    ['1,000', 2],
    ['10,000', 3],
  ] as const) {
    const cost = report.rates[index];
    const cents = (cost?.keyhearth.usd ?? 0).toLocaleString('en-US', {
      maximumFractionDigits: 2,
      minimumFractionDigits: 2,
    });
    expect(lineWith(text, 'eu', ` ${label} `, `$${cents}`)).toContain('│');
  }
  expect(lineWith(text, 'eu-central-1', 'eu').match(/\$[\d,]+\.\d\d/g)).toHaveLength(4);
  expect(text).toContain('all regions together');
  expect(lineWith(text, 'serverless is cheaper below')).toContain('Keyhearth above.');
});

test('tables fit a terminal of 100 columns', () => {
  const table = costTables([reportOf(), reportOf({ name: 'other' })])
    .split('\n')
    .filter((line) => /[│─]/.test(line));
  expect(Math.max(...table.map((line) => line.length))).toBeLessThanOrEqual(100);
});

test('several zones share the tables', () => {
  const text = costTables([reportOf({}, 0), reportOf({ name: 'other' }, 0)]);
  expect(text.match(/serverless, HTTP API/g)).toHaveLength(1);
  expect(text).toContain('│ other');
});

test('with details every line has its formula, and each formula of a number stands once for a region', () => {
  const text = costTables(reportOf({}, 1000), { detail: true });
  expect(text).toMatch(/Fargate, processors: 2 tasks × 1 vCPU × 730 h × \$0\.03725† = \$54\.39/);
  expect(text).toContain('Serverless with a REST API, zone eu, 1,000 verifications/s: $');
  const [own = ''] = text.split('Serverless with an HTTP API');
  // The zone's two regions.
  expect(own.match(/^ +rate of a region = /gm)).toHaveLength(2);
  expect(costTables(reportOf({}, 1000))).not.toContain(' = $');
});

test('how far the prices can be trusted is said in numbers', () => {
  const text = costTables(reportOf());
  expect(text).toMatch(
    /Prices: looked up on \d{4}-\d\d-\d\d\. Of \d+ used, \d+ quoted from AWS by a public source, \d+ believed and not re-checked \(†\), \d+ estimated/,
  );
});

test('a sum without all its prices is a lower bound, and what is missing is listed', () => {
  const text = costTables(reportOf({ replicas: ['eu-north-1'] }, 0));
  expect(lineWith(text, 'idle', '> $')).not.toBe('');
  expect(lineWith(text, 'eu-north-1', '> $')).not.toBe('');
  expect(lineWith(text, 'eu-central-1', '$')).not.toContain('>');
  expect(text).toContain("eu: which is cheaper can't be told without the missing prices.");
  expect(text).toContain('! eu: no price of');
  expect(text).toMatch(/; \d+ are missing\./);
});

test('a rate that the zone cannot carry has no price', () => {
  const text = costTables(reportOf({ sizes: { default: { maxTasks: 2 } } }, 0, 10_000));
  expect(lineWith(text, 'eu ', '10,000')).toContain('beyond maxTasks');
  expect(text).toContain("! eu: zone eu can't carry 10000 per second");
});

test('other designs and the same with limits and events stand beside the crossing, on a line each', () => {
  const report = reportOf();
  const text = costTables(report);
  const designs = lineWith(text, 'eu: other serverless designs are cheaper below: function URL ');
  for (const name of ['url', 'provisioned', 'urlProvisioned', 'cached', 'urlCached'] as const) {
    expect(designs).toContain(` ${Number(report.crossings[name]).toLocaleString('en-US')}/s`);
  }
  expect(lineWith(text, 'with a limit on each key and events on both sides')).toContain(
    `below ${Number(report.countedCrossings.http).toLocaleString('en-US')}/s with an HTTP API`,
  );
  expect(text).toContain('25 % of the verifications are of keys with a rate limit, which both sides count.');
});

test('which share of a sum rests on prices that were not found quoted is said, with the largest', () => {
  const report = reportOf({ sizes: { default: { databaseMinAcu: 8, databaseMaxAcu: 16 } } });
  const bill = report.rates[0]?.keyhearth;
  const share = Math.round((100 * (bill?.doubtful.unchecked ?? 0)) / (bill?.usd ?? 1));
  const said = lineWith(costTables(report), "eu: of Keyhearth's sum idle");
  expect(said).toContain(`${share} % rests on prices not re-checked (†)`);
  expect(said).toMatch(/\d+ % is Aurora, capacity units, in eu-/);
});

test('a zone that serverless is cheaper than at any rate is not said to lack prices', () => {
  const tiny = { default: { minTasks: 1, maxTasks: 1, requestsPerTask: 1 } };
  const text = costTables(reportOf({ sizes: tiny }));
  expect(text).toContain('serverless is cheaper up to the 2/s that the zone carries with an HTTP API');
  expect(text).not.toContain('missing prices');
});
