import type { AwsRegion } from '../../topology/aws-regions.ts';
import { type Amount, count, dollars, named, plus, times, usdText } from './cost-amount.ts';
import type { PriceName } from './prices/price-names.ts';
import { unitOf } from './prices/price-names.ts';
import { type Band, type Price, type PriceStatus, type PriceTable, priceOf } from './prices/price-table.ts';

/** What is paid once for a zone, and what is paid in a region. */
export type Place = AwsRegion | 'zone';

/** One line of a bill: what it comes to in USD a month of 730 hours, and how. */
export interface CostLine {
  readonly place: Place;
  readonly service: string;
  readonly what: string;
  /** Formulas of the numbers in `formula` that are computed themselves. */
  readonly workings: readonly string[];
  /** `2 tasks × 1 vCPU × 730 h × $0.03238 = $47.27`. Behind a price: `*` an estimate, `†` not re-checked. */
  readonly formula: string;
  /** Null where there is no price. */
  readonly usd: number | null;
  /** How much of `usd` is by prices that weren't re-checked, and by estimated ones. */
  readonly doubtful: Doubtful;
}

/** USD by how little their prices can be trusted. */
export interface Doubtful {
  readonly unchecked: number;
  readonly estimate: number;
}

export interface Bill {
  readonly lines: readonly CostLine[];
  /** Of the lines that have a price. */
  readonly usd: number;
  /** USD by place. */
  readonly places: Readonly<Record<string, number>>;
  /** Whether every line has a price. */
  readonly isComplete: boolean;
  readonly doubtful: Doubtful;
}

/** A price that a bill needs and no table has. */
export interface MissingPrice {
  readonly name: PriceName;
  readonly region: AwsRegion | null;
}

const MARKS: Readonly<Record<PriceStatus, string>> = { quoted: '', own: '', estimate: '*', unchecked: '†' };

const NOTHING: Doubtful = { unchecked: 0, estimate: 0 };

/** Writes the lines of one bill, and keeps what prices they took. */
export class BillWriter {
  readonly #table: PriceTable;
  readonly #lines: CostLine[] = [];
  readonly #used = new Map<string, Price>();
  readonly #missing = new Map<string, MissingPrice>();

  constructor(table: PriceTable) {
    this.#table = table;
  }

  /** `quantity` is of the price's units in a month. */
  add(place: Place, service: string, what: string, quantity: Amount, name: PriceName): void {
    const region = place === 'zone' ? null : place;
    const price = priceOf(this.#table, region, name);
    const line = { place, service, what };
    if (price === undefined) {
      this.#missing.set(`${place} ${name}`, { name, region });
      const formula = `${quantity.text} × no price of ${unitOf(name)}`;
      this.#lines.push({ ...line, workings: quantity.workings, formula, usd: null, doubtful: NOTHING });
      return;
    }
    this.#used.set(`${price.region ?? ''} ${name}`, price);
    const { sum, doubtful } = sumOf(what, quantity, price);
    const formula = `${sum.text} = ${usdText(sum.value)}`;
    this.#lines.push({ ...line, workings: sum.workings, formula, usd: sum.value, doubtful });
  }

  get bill(): Bill {
    const places: Record<string, number> = {};
    for (const { place, usd } of this.#lines) places[place] = (places[place] ?? 0) + (usd ?? 0);
    return {
      lines: this.#lines,
      usd: Object.values(places).reduce((sum, usd) => sum + usd, 0),
      places,
      isComplete: this.#missing.size === 0,
      doubtful: {
        unchecked: this.#lines.reduce((sum, { doubtful }) => sum + doubtful.unchecked, 0),
        estimate: this.#lines.reduce((sum, { doubtful }) => sum + doubtful.estimate, 0),
      },
    };
  }

  get used(): readonly Price[] {
    return [...this.#used.values()];
  }

  get missing(): readonly MissingPrice[] {
    return [...this.#missing.values()];
  }
}

function sumOf(
  what: string,
  quantity: Amount,
  { bands }: Price,
): { readonly sum: Amount; readonly doubtful: Doubtful } {
  const [only, ...others] = bands;
  if (only === undefined) return { sum: count(0), doubtful: NOTHING };
  const all = others.length === 0 ? quantity : named(what, quantity);
  const parts =
    others.length === 0
      ? [{ sum: times(quantity, priced(only)), status: only.status }]
      : split(all.value, bands).map(({ part, band }) => ({
          sum: times(count(part), priced(band)),
          status: band.status,
        }));
  const by = (wanted: PriceStatus): number =>
    parts.reduce((usd, { sum, status }) => (status === wanted ? usd + sum.value : usd), 0);
  return {
    sum: { ...plus(...parts.map(({ sum }) => sum)), workings: all.workings },
    doubtful: { unchecked: by('unchecked'), estimate: by('estimate') },
  };
}

function priced({ usd, status }: Band): Amount {
  return dollars(usd, MARKS[status]);
}

/** How much falls into each band; the first one always, so that there is a formula for nothing too. */
function split(
  quantity: number,
  bands: readonly Band[],
): readonly { readonly part: number; readonly band: Band }[] {
  let start = 0;
  const parts: { readonly part: number; readonly band: Band }[] = [];
  for (const band of bands) {
    const part = Math.min(quantity, band.upTo ?? Number.POSITIVE_INFINITY) - start;
    if (part > 0 || start === 0) parts.push({ part, band });
    if (band.upTo === null || quantity <= band.upTo) break;
    start = band.upTo;
  }
  return parts;
}
