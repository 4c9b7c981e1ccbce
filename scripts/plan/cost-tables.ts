import Table from 'cli-table3';
import { usdText } from './cost-amount.ts';
import type { Bill, CostLine } from './cost-bill.ts';
import { DESIGN_NAMES, DESIGNS } from './cost-designs.ts';
import type { CostReport, Crossing, RateCost } from './cost.ts';
import type { PriceStatus } from './prices/price-table.ts';

const plain = { style: { head: [], border: [], compact: true } };
const RIGHT = 'right' as const;
const TOO_MUCH = 'beyond maxTasks';
const PERCENT = 100;
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
    ...countedText(all),
    'Idle, the zone’s heartbeat and a change to a key each second are paid for.',
    ...all.flatMap(crossingText),
    ...all.flatMap(trustText),
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

/** The same of all, for they have the same prices and assumptions. */
function countedText([first]: readonly CostReport[]): readonly string[] {
  if (first === undefined) return [];
  const share = NUMBERS.format(PERCENT * (first.assumptions['limitedShare'] ?? 0));
  return [
    `${share} % of the verifications are of keys with a rate limit, which both sides count. This version writes no`,
    'usage events, so neither side records any.',
  ];
}

/** Where the two cross, in each of the ordinary ways to do the same. */
function crossingText({ zone, crossings, countedCrossings, capacity }: CostReport): readonly string[] {
  if (Object.values(crossings).includes('prices are missing')) {
    return [`${zone}: which is cheaper can't be told without the missing prices.`];
  }
  const text = (crossing: Crossing): string =>
    typeof crossing === 'number'
      ? `below ${NUMBERS.format(crossing)}/s`
      : `up to the ${NUMBERS.format(capacity)}/s that the zone carries`;
  const others = DESIGN_NAMES.filter((name) => name !== 'http' && name !== 'rest').map((name) => {
    const crossing = crossings[name];
    return `${DESIGNS[name].short} ${typeof crossing === 'number' ? `${NUMBERS.format(crossing)}/s` : 'at any rate'}`;
  });
  return [
    `${zone}: serverless is cheaper ${text(crossings.http)} with an HTTP API, ${text(crossings.rest)} with a REST API; Keyhearth above.`,
    `${zone}: other serverless designs are cheaper below: ${others.join(', ')}.`,
    `${zone}: with a limit on each key and events on both sides serverless is cheaper ${text(countedCrossings.http)} with an HTTP API, ${text(countedCrossings.rest)} with a REST API.`,
  ];
}

/** Of the lowest rate that was asked for. */
function trustText({ zone, rates }: CostReport): readonly string[] {
  const [cost] = rates;
  if (cost === undefined || cost.keyhearth.usd === 0) return [];
  const { rate, keyhearth } = cost;
  const shareText = (usd: number): string => `${Math.round((100 * usd) / keyhearth.usd)} %`;
  const { unchecked, estimate } = keyhearth.doubtful;
  const [largest] = keyhearth.lines
    .map((line) => ({ line, usd: line.doubtful.unchecked + line.doubtful.estimate }))
    .toSorted((one, other) => other.usd - one.usd);
  const most =
    largest === undefined || largest.usd === 0
      ? ''
      : `; ${shareText(largest.usd)} is ${largest.line.service}, ${largest.line.what}, in ${largest.line.place}`;
  return [
    `${zone}: of Keyhearth's sum ${rate === 0 ? 'idle' : `at ${rateText(rate)}/s`}, ${shareText(unchecked)} rests on prices not re-checked (†), ${shareText(estimate)} on estimated ones (*)${most}.`,
  ];
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
    ...DESIGN_NAMES.flatMap((name) =>
      billText(`Serverless ${DESIGNS[name].words}, zone ${zone}, ${rateWords(rate)}`, serverless[name]),
    ),
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
