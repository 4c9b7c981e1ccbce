import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { AwsRegion } from '../../../topology/aws-regions.ts';
import { UserError } from '../../lib/user-error.ts';
import { ASSUMPTION_NAMES, ASSUMPTIONS, type Assumptions } from './assumptions.ts';
import { isPriceName, type PriceName } from './price-names.ts';
import { ownFile, type RawPrice, regionFile, sourcesFile } from './price-files.ts';

/** Up to so many units of a month cost so much each; null: all that is above. */
export interface Band {
  readonly upTo: number | null;
  readonly usd: number;
  readonly status: PriceStatus;
}

/**
 * How far a price can be trusted. quoted: found in public material that quotes AWS, at the source's address; unchecked: believed, look at
 * the address; estimate: that of another region times a factor; own: from the file that was given.
 */
export type PriceStatus = 'quoted' | 'unchecked' | 'estimate' | 'own';

export interface Price {
  readonly name: PriceName;
  /** Null: the same in every region. */
  readonly region: AwsRegion | null;
  /** In ascending order, at least one; the last has no end. */
  readonly bands: readonly Band[];
  /** Of the band that can be trusted least. */
  readonly status: PriceStatus;
  /** Of the first band. */
  readonly url: string;
  /** `YYYY-MM-DD` */
  readonly lookedUp: string;
  readonly note: string;
}

/** Prices by name, of one region or of all. */
type Prices = ReadonlyMap<string, Price>;

export interface PriceTable {
  /** `YYYY-MM-DD`: when the repository's prices were looked up. */
  readonly date: string;
  /** Path of the file laid over them; null: none. */
  readonly file: string | null;
  readonly everywhere: Prices;
  readonly regions: ReadonlyMap<string, Prices>;
  readonly estimates: ReadonlyMap<string, { readonly from: string; readonly factor: number }>;
  readonly assumptions: Assumptions;
}

const FOLDER = join(import.meta.dirname, 'aws');
const NO_REGION = new Set(['sources.json', 'everywhere.json']);

/**
 * The repository's price table, with `file` laid over it: single prices and assumptions of it win, the others stay. Throws a
 * `UserError` that names the field where the file isn't of that form.
 */
export function readPrices(file: string | null = null): PriceTable {
  const table = repositoryTable();
  return file === null ? table : overlaid(table, file);
}

/** The price of something in a region; undefined where the table has none and no estimate can be made. */
export function priceOf(table: PriceTable, region: AwsRegion | null, name: PriceName): Price | undefined {
  const found =
    (region === null ? undefined : table.regions.get(region)?.get(name)) ?? table.everywhere.get(name);
  if (found !== undefined || region === null) return found;
  const estimate = table.estimates.get(region);
  const basis = estimate === undefined ? undefined : table.regions.get(estimate.from)?.get(name);
  if (estimate === undefined || basis === undefined) return undefined;
  const { from, factor } = estimate;
  const bands = basis.bands.map(({ upTo, usd }) => ({
    upTo,
    usd: Number((usd * factor).toPrecision(6)),
    status: 'estimate' as const,
  }));
  return { ...basis, region, bands, status: 'estimate', note: `estimated: ${from} × ${factor}` };
}

function repositoryTable(): PriceTable {
  const { date, sources } = sourcesFile(readFile('sources.json'));
  const pricesOf = (raw: Readonly<Record<string, RawPrice>>, region: string | null): Prices =>
    new Map(
      Object.entries(raw).map(([name, price]) => {
        const source = sources[price.source ?? ''];
        if (source === undefined || !isPriceName(name)) throw new Error(`no such source or price: ${name}`);
        const { url, lookedUp, note } = source;
        const bands = bandsOf(price, (from) => {
          const status = from === undefined ? source.status : sources[from]?.status;
          if (status === undefined) throw new Error(`no such source: ${from}`);
          return status;
        });
        const status = bands.some((band) => band.status === 'unchecked') ? 'unchecked' : source.status;
        // A file's name is its region's; a test holds them against AWS's list.
        return [name, { name, region: region as AwsRegion | null, bands, status, url, lookedUp, note }];
      }),
    );
  const regions = new Map<string, Prices>();
  const estimates = new Map<string, { from: string; factor: number }>();
  for (const name of readdirSync(FOLDER).filter((entry) => !NO_REGION.has(entry))) {
    const region = name.replace(/\.json$/, '');
    const { estimate, prices } = regionFile(readFile(name));
    regions.set(region, pricesOf(prices, region));
    if (estimate !== undefined) estimates.set(region, estimate);
  }
  const everywhere = pricesOf(regionFile(readFile('everywhere.json')).prices, null);
  return { date, file: null, everywhere, regions, estimates, assumptions: assumed() };
}

function overlaid(table: PriceTable, file: string): PriceTable {
  const own = ownFile(file, readOwn(file));
  const lookedUp = own.date ?? 'no date given';
  const over = (
    below: Prices,
    above: Readonly<Record<string, RawPrice | number>>,
    region: AwsRegion | null,
  ): Prices => {
    const merged = new Map(below);
    for (const [name, price] of Object.entries(above)) {
      // `ownFile` refuses other names.
      const known = name as PriceName;
      const whole = typeof price === 'number' ? { usd: price } : price;
      const url = whole.source ?? file;
      merged.set(name, {
        name: known,
        region,
        bands: bandsOf(whole, () => 'own'),
        status: 'own',
        url,
        lookedUp,
        note: '',
      });
    }
    return merged;
  };
  const regions = new Map(table.regions);
  for (const [region, prices] of Object.entries(own.regions ?? {})) {
    // Likewise.
    regions.set(region, over(table.regions.get(region) ?? new Map(), prices, region as AwsRegion));
  }
  // What is said of every region stands behind what the file says of single ones, and before what the repository says of them.
  const general = own.everywhere ?? {};
  for (const [region, prices] of regions) {
    const kept = [...prices].filter(
      ([name, { status }]) => status === 'own' || !Object.hasOwn(general, name),
    );
    regions.set(region, new Map(kept));
  }
  return {
    ...table,
    file,
    regions,
    everywhere: over(table.everywhere, general, null),
    assumptions: { ...table.assumptions, ...own.assumptions },
  };
}

/** `statusOf` takes a tier's own source, undefined where it has none. */
function bandsOf(
  { usd, tiers }: RawPrice,
  statusOf: (source: string | undefined) => PriceStatus,
): readonly Band[] {
  if (tiers === undefined) return [{ upTo: null, usd: usd ?? 0, status: statusOf(undefined) }];
  return tiers.map((tier) => ({ upTo: tier.upTo ?? null, usd: tier.usd, status: statusOf(tier.source) }));
}

function assumed(): Assumptions {
  const entries = ASSUMPTION_NAMES.map((name) => [name, ASSUMPTIONS[name].value] as const);
  // One entry for each name.
  return Object.fromEntries(entries) as Assumptions;
}

function readFile(name: string): unknown {
  return JSON.parse(readFileSync(join(FOLDER, name), 'utf8'));
}

function readOwn(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    throw new UserError(
      `${file} can't be read as JSON: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
}
