import Table from 'cli-table3';
import { usdText } from './cost-amount.ts';
import type { Bill, CostLine } from './cost-bill.ts';
import type { CostReport, RateCost } from './cost.ts';
import type { PriceStatus } from './prices/price-table.ts';

const plain = { style: { head: [], border: [], compact: true } };
const RIGHT = 'right' as const;
const TOO_MUCH = 'beyond maxTasks';
const NUMBERS = new Intl.NumberFormat('en-US');

/** What the statuses of prices are called where they are counted. */
const STATUSES: Readonly<Record<PriceStatus, string>> = {
  quoted: 'quoted from AWS by a public source',
  unchecked: 'believed and not re-checked (†)',
  estimate: 'estimated from another region (*)',
  own: 'your own',
};

/** Reports for a terminal of 100 columns: what each zone costs beside the same serverless, and by region. `detail` adds every line with its formula. */
export function costTables(
  reports: CostReport | readonly CostReport[],
  { detail = false }: { readonly detail?: boolean } = {},
): string {
  const all: readonly CostReport[] = 'zone' in reports ? [reports] : reports;
  return [
    'USD a month of 730 hours at list prices, without taxes, discounts and free tiers. Each region gets the',
    'same share of the verifications. Serverless is API Gateway, Lambda and DynamoDB doing the same there.',
    '',
    summary(all),
    ...all.map(crossingText),
    '',
    byPlace(all),
    '',
    ...(detail ? all.flatMap(details) : []),
    ...pricesText(all),
    ...all.flatMap(({ zone, warnings, rates }) =>
      unique([...warnings, ...rates.flatMap((rate) => rate.warnings)]).map((text) => `! ${zone}: ${text}`),
    ),
    '',
  ].join('\n');
}

function summary(reports: readonly CostReport[]): string {
  const table = new Table({
    head: ['zone', 'verifications/s', 'Keyhearth', 'serverless, HTTP API', 'serverless, REST API'],
    colAligns: ['left', RIGHT, RIGHT, RIGHT, RIGHT],
    ...plain,
  });
  for (const { zone, rates } of reports) {
    for (const cost of rates) {
      const { rate, serverless } = cost;
      table.push([zone, rateText(rate), ownText(cost), sumText(serverless.http), sumText(serverless.rest)]);
    }
  }
  return table.toString();
}

/** What can't be had has no price. */
function ownText({ keyhearth, isCarried }: RateCost): string {
  return isCarried ? sumText(keyhearth) : TOO_MUCH;
}

function crossingText({ zone, crossings: { http, rest }, capacity, prices }: CostReport): string {
  if (prices.missing.length > 0) return `${zone}: which is cheaper can't be told without the missing prices.`;
  const text = (rate: number | null): string =>
    rate === null
      ? `up to the ${NUMBERS.format(capacity)}/s that the zone carries`
      : `below ${NUMBERS.format(rate)}/s`;
  return `${zone}: serverless is cheaper ${text(http)} with an HTTP API, ${text(rest)} with a REST API; Keyhearth above.`;
}

function byPlace(reports: readonly CostReport[]): string {
  const rates = [...new Set(reports.flatMap((report) => report.rates.map(({ rate }) => rate)))];
  const table = new Table({
    head: ['Keyhearth in', 'zone', ...rates.map((rate) => (rate === 0 ? 'idle' : `${rateText(rate)}/s`))],
    colAligns: ['left', 'left', ...rates.map(() => RIGHT)],
    ...plain,
  });
  for (const report of reports) {
    for (const place of ['zone', ...report.regions]) {
      const cells = rates.map((rate) =>
        placeText(
          report.rates.find((one) => one.rate === rate),
          place,
        ),
      );
      table.push([place === 'zone' ? 'all regions together' : place, report.zone, ...cells]);
    }
  }
  return table.toString();
}

function placeText(cost: RateCost | undefined, place: string): string {
  if (cost === undefined) return '';
  if (!cost.isCarried) return TOO_MUCH;
  const isComplete = cost.keyhearth.lines.every((line) => line.place !== place || line.usd !== null);
  return `${isComplete ? '' : '> '}${usdText(cost.keyhearth.places[place] ?? 0)}`;
}

function details({ zone, rates }: CostReport): readonly string[] {
  return rates.flatMap(({ rate, keyhearth, serverless }) => [
    ...billText(`Keyhearth, zone ${zone}, ${rateWords(rate)}`, keyhearth),
    ...billText(`Serverless with an HTTP API, zone ${zone}, ${rateWords(rate)}`, serverless.http),
    ...billText(`Serverless with a REST API, zone ${zone}, ${rateWords(rate)}`, serverless.rest),
  ]);
}

/** Formulas are longer than a terminal is wide, and a table would cut them. */
function billText(title: string, bill: Bill): readonly string[] {
  const places = unique(bill.lines.map(({ place }) => place));
  return [
    `${title}: ${sumText(bill)}`,
    ...places.flatMap((place) => {
      const lines = bill.lines.filter((line) => line.place === place);
      return [
        `  ${place}: ${usdText(bill.places[place] ?? 0)}`,
        ...unique(lines.flatMap(({ workings }) => workings)).map((working) => `    ${working}`),
        ...lines.map((line) => `    ${lineText(line)}`),
      ];
    }),
    '',
  ];
}

function lineText({ service, what, formula }: CostLine): string {
  return `${service}, ${what}: ${formula}`;
}

function pricesText(reports: readonly CostReport[]): readonly string[] {
  const [first] = reports;
  if (first === undefined) return [];
  const used = new Map(
    reports.flatMap(({ prices }) => prices.used.map((price) => [`${price.region} ${price.name}`, price])),
  );
  const counted = Object.entries(STATUSES).flatMap(([status, text]) => {
    const number = [...used.values()].filter((price) => price.status === status).length;
    return number === 0 ? [] : [`${number} ${text}`];
  });
  const missing = new Set(
    reports.flatMap(({ prices }) => prices.missing.map(({ region, name }) => `${region} ${name}`)),
  );
  const { date, file } = first.prices;
  return [
    `Prices: looked up on ${date}${file === null ? '' : `, with those of ${file} over them`}. Of ${used.size} used, ${counted.join(', ')}${missing.size === 0 ? '' : `; ${missing.size} are missing`}.`,
    'Sources, assumptions and what is left out: docs/PRICES.md. Every formula: --detail.',
  ];
}

function sumText({ usd, isComplete }: Bill): string {
  return `${isComplete ? '' : '> '}${usdText(usd)}`;
}

function rateText(rate: number): string {
  return rate === 0 ? 'idle' : NUMBERS.format(rate);
}

function rateWords(rate: number): string {
  return rate === 0 ? 'idle' : `${rateText(rate)} verifications/s`;
}

function unique<T>(values: readonly T[]): readonly T[] {
  return [...new Set(values)];
}
