import type { ZoneDeployment } from '../../topology/deployment.ts';
import { usdText } from './cost-amount.ts';
import { type Bill, BillWriter, type CostLine, type MissingPrice } from './cost-bill.ts';
import { dataLines } from './cost-data.ts';
import { byDesign, type DesignName } from './cost-designs.ts';
import { capacityOf, type Load, loadsOf } from './cost-load.ts';
import { operationLines, zoneLines } from './cost-operations.ts';
import { edgeLines, serviceLines } from './cost-service.ts';
import { serverlessLimits, serverlessLines, serverlessZoneLines } from './cost-serverless.ts';
import { COUNTED } from './prices/assumptions.ts';
import { unitOf } from './prices/price-names.ts';
import { type Price, priceOf, type PriceTable } from './prices/price-table.ts';

export type { Bill, CostLine };
export { costTables } from './cost-tables.ts';

/** Verifications per second of a whole zone; 0 is idle. */
const DEFAULT_RATES: readonly number[] = [0, 100, 1000, 10_000];

/** Aurora keeps so much for its insights, whatever is configured: see infra/constructs/database.ts. */
const INSIGHTS_ACU = 2;
const HOURS_A_MONTH = 730;
const STALE_DAYS = 180;
const MS_PER_DAY = 86_400_000;

export interface RateCost {
  /** Verifications per second of the whole zone, the same share in every region. */
  readonly rate: number;
  readonly keyhearth: Bill;
  /** The same by Lambda and DynamoDB in the same regions, in each of the ordinary ways. */
  readonly serverless: Readonly<Record<DesignName, Bill>>;
  /** Whether each region's `maxTasks` are enough for its share. */
  readonly isCarried: boolean;
  /** What can't be had as it is configured. */
  readonly warnings: readonly string[];
}

/** From this rate on Keyhearth is the cheaper one; or why there is none: not up to the rate that the zone carries, or a price is missing. */
export type Crossing = number | 'beyond what the zone carries' | 'prices are missing';
export type Crossings = Readonly<Record<DesignName, Crossing>>;

export interface CostReport {
  readonly zone: string;
  readonly regions: readonly string[];
  readonly rates: readonly RateCost[];
  readonly crossings: Crossings;
  /** Where they are if every key has a limit and both sides record each verification (`COUNTED`), which this version doesn't. */
  readonly countedCrossings: Pick<Crossings, 'http' | 'rest'>;
  /** Verifications per second that the zone carries with its `maxTasks`. */
  readonly capacity: number;
  readonly warnings: readonly string[];
  readonly assumptions: Readonly<Record<string, number>>;
  readonly prices: {
    /** `YYYY-MM-DD` */
    readonly date: string;
    /** Laid over the repository's; null: none. */
    readonly file: string | null;
    readonly used: readonly Price[];
    readonly missing: readonly MissingPrice[];
  };
}

export interface CostOptions {
  readonly prices: PriceTable;
  /** Verifications per second of the zone. @default DEFAULT_RATES */
  readonly rates?: readonly number[];
  /** Tells how old the prices are. @default not looked at */
  readonly now?: Date;
}

/** What a zone costs a month at each rate, and what the same costs serverless: from the data it is given alone. */
export function costOf(
  zone: ZoneDeployment,
  { prices, rates = DEFAULT_RATES, now }: CostOptions,
): CostReport {
  const used = new Map<string, Price>();
  const missing = new Map<string, MissingPrice>();
  const note = (writer: BillWriter): Bill => {
    for (const price of writer.used) used.set(`${price.region} ${price.name}`, price);
    for (const price of writer.missing) missing.set(`${price.region} ${price.name}`, price);
    return writer.bill;
  };
  const capacity = capacityOf(zone);
  const countedCrossing = crossingsIn(zone, {
    ...prices,
    assumptions: { ...prices.assumptions, ...COUNTED },
  });
  const priced = rates.map((rate) => {
    const loads = loadsOf(zone, rate, prices.assumptions);
    const excess = tooMuch(zone, loads, rate);
    return {
      rate,
      isCarried: excess.length === 0,
      keyhearth: note(keyhearth(prices, loads)),
      serverless: byDesign((name) => note(serverless(prices, loads, name))),
      warnings: [...excess, ...loads.flatMap(serverlessLimits)],
    };
  });
  return {
    zone: zone.name,
    regions: zone.regions.map(({ region }) => region),
    rates: priced,
    crossings: byDesign(crossingsIn(zone, prices)),
    countedCrossings: { http: countedCrossing('http'), rest: countedCrossing('rest') },
    capacity,
    warnings: [
      ...ageWarnings(prices, now),
      ...missingWarnings([...missing.values()]),
      ...databaseWarnings(zone, prices),
      ...firewallWarnings(zone),
    ],
    assumptions: prices.assumptions,
    prices: {
      date: prices.date,
      file: prices.file,
      used: [...used.values()],
      missing: [...missing.values()],
    },
  };
}

function keyhearth(prices: PriceTable, loads: readonly Load[]): BillWriter {
  const bill = new BillWriter(prices);
  edgeLines(bill);
  zoneLines(bill);
  for (const load of loads) {
    serviceLines(bill, load);
    dataLines(bill, load);
    operationLines(bill, load);
  }
  return bill;
}

function serverless(prices: PriceTable, loads: readonly Load[], name: DesignName): BillWriter {
  const bill = new BillWriter(prices);
  serverlessZoneLines(bill);
  for (const load of loads) serverlessLines(bill, load, name);
  return bill;
}

/** Finds crossings of one zone. Designs have many rates in common, at which Keyhearth is priced once. */
function crossingsIn(zone: ZoneDeployment, prices: PriceTable): (name: DesignName) => Crossing {
  const known = new Map<number, { readonly loads: readonly Load[]; readonly own: Bill }>();
  const at = (rate: number): { readonly loads: readonly Load[]; readonly own: Bill } => {
    const found = known.get(rate);
    if (found !== undefined) return found;
    const loads = loadsOf(zone, rate, prices.assumptions);
    const made = { loads, own: keyhearth(prices, loads).bill };
    known.set(rate, made);
    return made;
  };
  return (name) =>
    crossing(capacityOf(zone), (rate) => {
      const { loads, own } = at(rate);
      return [own, serverless(prices, loads, name).bill];
    });
}

/**
 * The lowest whole rate from which Keyhearth stays the cheaper one, up to what the zone carries. Both bills grow with the rate, that of
 * Keyhearth in steps: so the rates are gone through from above, first by halves and then by ones within the last half.
 */
function crossing(capacity: number, billsAt: (rate: number) => readonly [Bill, Bill]): Crossing {
  const isCheaper = (rate: number): boolean => {
    const [own, other] = billsAt(rate);
    return own.usd <= other.usd;
  };
  let high = capacity;
  if (billsAt(high).some(({ isComplete }) => !isComplete)) return 'prices are missing';
  if (!isCheaper(high)) return 'beyond what the zone carries';
  let low = Math.floor(high / 2);
  while (low > 0 && isCheaper(low)) [high, low] = [low, Math.floor(low / 2)];
  while (high - low > 1) {
    const middle = Math.floor((high + low) / 2);
    if (isCheaper(middle)) high = middle;
    else low = middle;
  }
  return high;
}

function tooMuch(zone: ZoneDeployment, loads: readonly Load[], rate: number): readonly string[] {
  return loads.flatMap(({ region, here: { size }, rate: share }) => {
    const most = size.maxTasks * size.requestsPerTask;
    if (share.value <= most) return [];
    const needed = Math.ceil(share.value / size.requestsPerTask);
    return [
      `zone ${zone.name} can't carry ${rate} per second: ${region} has at most ${size.maxTasks} tasks × ${size.requestsPerTask} = ${most} per second, its share needs ${needed} tasks (sizes.maxTasks)`,
    ];
  });
}

function ageWarnings({ date }: PriceTable, now: Date | undefined): readonly string[] {
  if (now === undefined) return [];
  const days = Math.floor((now.getTime() - Date.parse(date)) / MS_PER_DAY);
  return days > STALE_DAYS ? [`the prices were looked up ${days} days ago, on ${date}: check them`] : [];
}

function missingWarnings(missing: readonly MissingPrice[]): readonly string[] {
  return missing.map(({ name, region }) => {
    const place =
      region === null ? { everywhere: { [name]: 0.01 } } : { regions: { [region]: { [name]: 0.01 } } };
    const where = region === null ? '' : ` in ${region}`;
    return `no price of ${unitOf(name)}${where}: sums are without it. Give it by --prices <file> with ${JSON.stringify(place)}`;
  });
}

function databaseWarnings({ regions }: ZoneDeployment, prices: PriceTable): readonly string[] {
  return regions.flatMap(({ region, size }) => {
    const units = Math.max(size.databaseMinAcu, prices.assumptions.acuAtLeast);
    if (size.databaseInstanceClass !== 'serverless' || units >= INSIGHTS_ACU) return [];
    const usd = priceOf(prices, region, 'auroraAcuHour')?.bands[0]?.usd;
    const more = size.databaseInstances * (INSIGHTS_ACU - units) * HOURS_A_MONTH * (usd ?? 0);
    const dearer = usd === undefined ? '' : `, which is ${usdText(more)} a month more`;
    return [
      `${region}: priced at ${units} ACU for each instance; an idle one may stay at up to ${INSIGHTS_ACU}, since its insights take memory${dearer} (assumption acuAtLeast)`,
    ];
  });
}

function firewallWarnings({ firewall }: ZoneDeployment): readonly string[] {
  if (firewall === null) return [];
  return [
    'the firewall is in the bill of a REST API too; AWS WAF takes no HTTP API and no function URL, so theirs are without one',
  ];
}
