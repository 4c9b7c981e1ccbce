import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import topology from '../../test/topology-fixture.ts';
import type { AwsRegion } from '../../topology/aws-regions.ts';
import { deploymentOf } from '../../topology/deployment.ts';
import type { Environment, RegionSize, Retention } from '../../topology/types.ts';
import { usdText } from './cost-amount.ts';
import { DESIGN_NAMES, DESIGNS } from './cost-designs.ts';
import { type CostReport, costOf, type Crossing } from './cost.ts';
import { type Assumptions, ASSUMPTION_NAMES, ASSUMPTIONS, COUNTED } from './prices/assumptions.ts';
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

/** Named by their size: whoever edits regions.config.ts has others. These are the sizes that the file comes with. */
const SIZES: Readonly<
  Record<string, { readonly label: string; readonly size: RegionSize; readonly retention?: Retention }>
> = {
  global: {
    label: '3 regions, 8 ACU',
    size: {
      minTasks: 3,
      maxTasks: 12,
      taskVcpu: 1,
      taskMemoryMb: 2048,
      databaseMinAcu: 8,
      databaseMaxAcu: 32,
      databaseInstances: 2,
    },
  },
  eu: { label: '2 regions, 8 ACU', size: { databaseMinAcu: 8, databaseMaxAcu: 16 } },
  trial: {
    label: '1 region, 0.5 ACU',
    size: {
      minTasks: 1,
      maxTasks: 2,
      taskVcpu: 0.5,
      taskMemoryMb: 1024,
      databaseMinAcu: 0.5,
      databaseMaxAcu: 2,
      databaseInstances: 1,
    },
    retention: { logDays: 7, backupDays: 1, eventDays: 30 },
  },
};
const LABELS = Object.values(SIZES).map(({ label }) => label);

function reportsWith(changed: Partial<Assumptions> = {}): readonly CostReport[] {
  const changedTable = { ...TABLE, assumptions: { ...TABLE.assumptions, ...changed } };
  return Object.entries<Environment>(topology.environments).flatMap(([name, { zones }]) =>
    zones.map((zone) => {
      const { label, size, ...more } = SIZES[zone.name] ?? { label: zone.name, size: {} };
      const sized = { ...zone, ...more, sizes: { ...zone.sizes, default: size } };
      return {
        ...costOf(deploymentOf({ name, zones: [sized] }, sized), { prices: changedTable }),
        zone: label,
      };
    }),
  );
}

const REPORTS = reportsWith();

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [line(head), `|${head.map(() => '---').join('|')}|`, ...rows.map(line)].join('\n');
}

function summary(): string {
  const rows = REPORTS.flatMap(({ zone, rates }) =>
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

/** What verifications are served by beside the two kinds of API. */
function designs(): string {
  const rows = DESIGN_NAMES.map((name) => [
    DESIGNS[name].words,
    ...REPORTS.map(({ crossings, rates }) => {
      const usd = rates.find(({ rate }) => rate === 1000)?.serverless[name].usd ?? 0;
      return `${crossingText(crossings[name])}; ${usdText(usd)}`;
    }),
  ]);
  return table(['serverless', ...LABELS], rows);
}

const AS_IT_IS = 'as assumed: one in four verifications is of a key with a limit; none is recorded';
const VARIANTS: readonly (readonly [string, Partial<Assumptions>])[] = [
  [AS_IT_IS, {}],
  ['no key has a limit', { limitedShare: 0 }],
  ['each key has a limit', { limitedShare: 1 }],
  ['each key has a limit, and each verification is recorded, on both sides', COUNTED],
  ['Lambda with its own lines of log, 500 bytes', { lambdaLogBytes: 500 }],
  ['database instances stay at 2 capacity units for their insights', { acuAtLeast: 2 }],
  ['answers of 2,000 bytes', { responseBytes: 2000 }],
  ['each client opens a connection for each verification', { newConnectionShare: 1 }],
];

function crossingText(crossing: Crossing): string {
  return typeof crossing === 'number' ? `${NUMBERS.format(crossing)}/s` : crossing;
}

function variants(): string {
  const rows = VARIANTS.map(([name, changed]) => [
    name,
    ...(name === AS_IT_IS ? REPORTS : reportsWith(changed)).map(
      ({ crossings: { http, rest } }) => `${crossingText(http)}; ${crossingText(rest)}`,
    ),
  ]);
  return table(['supposed', ...LABELS], rows);
}

/** How much of Keyhearth's sums is by prices that weren't found quoted. */
function shares(): string {
  const rows = REPORTS.flatMap(({ zone, rates }) =>
    rates
      .filter(({ isCarried }) => isCarried)
      .map(({ rate, keyhearth: { usd, doubtful, lines } }) => {
        const [most] = lines
          .map((line) => ({ ...line, doubt: line.doubtful.unchecked + line.doubtful.estimate }))
          .toSorted((one, other) => other.doubt - one.doubt);
        const share = (part: number): string => `${((100 * part) / usd).toFixed(1)} %`;
        return [
          zone,
          rate === 0 ? 'idle' : NUMBERS.format(rate),
          share(doubtful.unchecked),
          share(doubtful.estimate),
          `${most?.service}, ${most?.what}, ${most?.place}: ${share(most?.doubt ?? 0)}`,
        ];
      }),
  );
  return table(
    ['zone', 'verifications/s', 'not re-checked (†)', 'estimated (\\*)', 'the largest of them'],
    rows,
  );
}

function priceText(price: Price | undefined): string {
  const [first, last] = [price?.bands[0], price?.bands.at(-1)];
  if (first === undefined || last === undefined) return '–';
  const bands = first === last ? [first] : [first, last];
  return bands.map(({ usd, status }) => `${NUMBERS.format(usd)}${MARKS[status]}`).join('–');
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
  const parts = { summary, designs, crossings: variants, shares, trust, assumptions, prices, sources };
  let written = page;
  for (const [name, make] of Object.entries(parts)) {
    const [start, end] = [`<!-- ${name} -->`, `<!-- /${name} -->`];
    expect(page).toMatch(new RegExp(`${start}[^]*${end}`));
    written = written.replace(new RegExp(`${start}[^]*${end}`), () => `${start}\n\n${make()}\n\n${end}`);
  }
  await expect(written).toMatchFileSnapshot(PAGE);
});

test('what docs/PRICES.md says of the comparison holds', () => {
  for (const { rates, crossings } of REPORTS) {
    expect(rates[0]?.serverless.http.usd).toBeLessThan((rates[0]?.keyhearth.usd ?? 0) / 10);
    expect(crossings.rest).toBeLessThan(Number(crossings.http));
    // A function URL that caches and counts in Valkey is the cheapest of what is compared.
    const dearest = Math.max(...DESIGN_NAMES.map((name) => Number(crossings[name])).filter(Number.isFinite));
    if (typeof crossings.urlCachedValkey === 'number') expect(crossings.urlCachedValkey).toBe(dearest);
  }
});

test('what the capacity units of three regions cost is what docs/PRICES.md says of them', () => {
  const [three] = REPORTS;
  const units = three?.rates[0]?.keyhearth.lines.filter(({ what }) => what === 'capacity units') ?? [];
  const usd = units.reduce((sum, line) => sum + (line.usd ?? 0), 0);
  expect(readFileSync(PAGE, 'utf8')).toContain(`capacity units alone are ${usdText(usd)}`);
});
