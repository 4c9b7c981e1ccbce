import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import topology from '../../test/topology-fixture.ts';
import type { AwsRegion } from '../../topology/aws-regions.ts';
import { deploymentOf } from '../../topology/deployment.ts';
import type { Environment } from '../../topology/types.ts';
import { usdText } from './cost-amount.ts';
import { type CostReport, priceOf as costOf } from './cost.ts';
import { type Assumptions, ASSUMPTION_NAMES, ASSUMPTIONS } from './prices/assumptions.ts';
import { sourcesFile } from './prices/price-files.ts';
import { PRICE_UNITS, type PriceName, unitOf } from './prices/price-names.ts';
import { type Price, priceOf, readPrices } from './prices/price-table.ts';

const PAGE = join(import.meta.dirname, '../../docs/PRICES.md');
const TABLE = readPrices();
// The files are named after AWS's regions; the test of the price table says so.
const REGIONS = [...TABLE.regions.keys()] as readonly AwsRegion[];
const NAMES = [
  ...Object.keys(PRICE_UNITS),
  'auroraHour r6g.large',
  'auroraHour r7g.large',
  'auroraHour r8g.large',
] as readonly PriceName[];
const MARKS = { quoted: '', unchecked: '†', estimate: '\\*', own: '' } as const;
const NUMBERS = new Intl.NumberFormat('en-US', { maximumFractionDigits: 12 });

function reportsWith(changed: Partial<Assumptions> = {}): readonly CostReport[] {
  const changedTable = { ...TABLE, assumptions: { ...TABLE.assumptions, ...changed } };
  return Object.entries<Environment>(topology.environments).flatMap(([name, { zones }]) =>
    zones.map((zone) => costOf(deploymentOf({ name, zones }, zone), { prices: changedTable })),
  );
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [line(head), `|${head.map(() => '---').join('|')}|`, ...rows.map(line)].join('\n');
}

function summary(): string {
  const rows = reportsWith().flatMap(({ zone, rates }) =>
    rates.map(({ rate, keyhearth, serverless, isCarried }) => [
      zone,
      rate === 0 ? 'idle' : NUMBERS.format(rate),
      isCarried ? usdText(keyhearth.usd) : 'beyond `maxTasks`',
      usdText(serverless.http.usd),
      usdText(serverless.rest.usd),
    ]),
  );
  return table(
    ['zone', 'verifications/s', 'Keyhearth', 'serverless, HTTP API', 'serverless, REST API'],
    rows,
  );
}

const VARIANTS: readonly (readonly [string, Partial<Assumptions>])[] = [
  ['as it is', {}],
  ['keys without limits: serverless writes no counters', { writeUnitsPerVerification: 0 }],
  ['Keyhearth without usage events, as in this version', { eventsPerVerification: 0 }],
  ['Lambda with its own lines of log, 500 bytes', { lambdaLogBytes: 500 }],
  ['database instances stay at 2 capacity units for their insights', { acuAtLeast: 2 }],
  ['answers of 2,000 bytes', { responseBytes: 2000 }],
  ['each client opens a connection for each verification', { newConnectionShare: 1 }],
];

function crossings(): string {
  const text = (rate: number | null): string => (rate === null ? 'never' : `${NUMBERS.format(rate)}/s`);
  const rows = VARIANTS.flatMap(([name, changed]) =>
    reportsWith(changed).map(({ zone, crossings: { http, rest } }) => [name, zone, text(http), text(rest)]),
  );
  return table(
    ['supposed', 'zone', 'Keyhearth is cheaper than an HTTP API from', 'than a REST API from'],
    rows,
  );
}

function priceText(price: Price | undefined): string {
  const usd = [...new Set([price?.bands[0]?.usd, price?.bands.at(-1)?.usd])];
  if (price === undefined) return '–';
  return `${usd.map((one) => NUMBERS.format(one ?? 0)).join('–')}${MARKS[price.status]}`;
}

function trust(): string {
  const rows = REGIONS.map((region) => {
    const found = NAMES.map((name) => priceOf(TABLE, region, name)).filter((price) => price !== undefined);
    const number = (status: Price['status']): string =>
      String(found.filter((price) => price.status === status).length);
    const factor = TABLE.estimates.get(region)?.factor;
    return [
      region,
      number('quoted'),
      number('unchecked'),
      number('estimate'),
      factor === undefined ? '–' : `us-east-1 × ${factor}`,
    ];
  });
  return table(['region', 'quoted', 'not re-checked (†)', 'estimated (\\*)', 'estimate'], rows);
}

function assumptions(): string {
  const rows = ASSUMPTION_NAMES.map((name) => {
    const { value, unit, why } = ASSUMPTIONS[name];
    return [`\`${name}\``, NUMBERS.format(value), unit, why];
  });
  return table(['name', 'value', 'unit', 'what it is'], rows);
}

function prices(): string {
  const rows = NAMES.map((name) => [
    `\`${name}\``,
    ...REGIONS.map((region) => priceText(priceOf(TABLE, region, name))),
    unitOf(name),
  ]);
  return table(['name', ...REGIONS, 'price of'], rows);
}

function sources(): string {
  const file = join(import.meta.dirname, 'prices/aws/sources.json');
  const rows = Object.values(sourcesFile(JSON.parse(readFileSync(file, 'utf8'))).sources).map((source) => {
    const { url, lookedUp, status, note } = source;
    return [status === 'quoted' ? 'quoted' : 'not re-checked', `<${url}>`, lookedUp, note];
  });
  return table(['', 'address', 'looked up', 'what it is'], rows);
}

test('the tables of docs/PRICES.md are those of the code (npm test -- -u writes them)', async () => {
  const page = readFileSync(PAGE, 'utf8');
  const parts = { summary, crossings, trust, assumptions, prices, sources };
  let written = page;
  for (const [name, make] of Object.entries(parts)) {
    const [start, end] = [`<!-- ${name} -->`, `<!-- /${name} -->`];
    expect(page).toMatch(new RegExp(`${start}[^]*${end}`));
    written = written.replace(new RegExp(`${start}[^]*${end}`), () => `${start}\n\n${make()}\n\n${end}`);
  }
  await expect(written).toMatchFileSnapshot(PAGE);
});

test('what docs/PRICES.md says of the comparison holds', () => {
  for (const {
    rates,
    crossings: { http, rest },
  } of reportsWith()) {
    expect(rates[0]?.serverless.http.usd).toBeLessThan((rates[0]?.keyhearth.usd ?? 0) / 10);
    expect(rest).toBeLessThan(http ?? 0);
  }
});
