import { type Static, type TSchema, Type } from 'typebox';
import { Compile } from 'typebox/compile';
import { isAwsRegion } from '../../../topology/aws-regions.ts';
import { UserError } from '../../lib/user-error.ts';
import { ASSUMPTION_NAMES } from './assumptions.ts';
import { isPriceName, PRICE_UNITS } from './price-names.ts';

const closed = { additionalProperties: false };
const Usd = Type.Number({ minimum: 0 });
const Day = Type.String({ pattern: String.raw`^\d{4}-\d{2}-\d{2}$` });
/** A tier may come from elsewhere than the first one: `source` as below. */
const Tier = Type.Object(
  {
    upTo: Type.Optional(Type.Number({ exclusiveMinimum: 0 })),
    usd: Usd,
    source: Type.Optional(Type.String()),
  },
  closed,
);
/** Either `usd` or `tiers`; where it comes from is a source's name here, and any text in a file of one's own. */
const PriceShape = Type.Object(
  {
    usd: Type.Optional(Usd),
    tiers: Type.Optional(Type.Array(Tier, { minItems: 1 })),
    source: Type.Optional(Type.String()),
  },
  closed,
);
const Source = Type.Object(
  {
    url: Type.String({ pattern: '^https://' }),
    lookedUp: Day,
    status: Type.Union([Type.Literal('quoted'), Type.Literal('unchecked')]),
    note: Type.String({ minLength: 1 }),
  },
  closed,
);
const SourcesShape = Type.Object({ date: Day, sources: Type.Record(Type.String(), Source) }, closed);
const RegionShape = Type.Object(
  {
    estimate: Type.Optional(
      Type.Object({ from: Type.String(), factor: Type.Number({ exclusiveMinimum: 0 }) }, closed),
    ),
    prices: Type.Record(Type.String(), PriceShape),
  },
  closed,
);
const OwnPrices = Type.Record(Type.String(), Type.Union([Usd, PriceShape]));
const OwnShape = Type.Object(
  {
    date: Type.Optional(Day),
    everywhere: Type.Optional(OwnPrices),
    regions: Type.Optional(Type.Record(Type.String(), OwnPrices)),
    assumptions: Type.Optional(
      Type.Object(
        Object.fromEntries(
          ASSUMPTION_NAMES.map((name) => [name, Type.Optional(Type.Number({ minimum: 0 }))]),
        ),
        closed,
      ),
    ),
  },
  closed,
);

export type RawPrice = Static<typeof PriceShape>;

/** The repository's list of sources. Throws an Error where it is broken. */
export const sourcesFile = reader(SourcesShape);
/** The repository's prices of a region. Throws an Error where they are broken. */
export const regionFile = reader(RegionShape);

/** A file of one's own. Throws a `UserError` that names the field which is wrong. */
export function ownFile(path: string, content: unknown): Static<typeof OwnShape> {
  const complain = (field: string, problem: string): UserError =>
    new UserError(`${path}: ${field === '' ? 'the file' : field} ${problem}`);
  const read = reader(OwnShape, (field, problem) => complain(field, problem))(content);
  for (const region of Object.keys(read.regions ?? {})) {
    if (!isAwsRegion(region)) throw complain(`regions.${region}`, 'is no region of AWS that Keyhearth knows');
  }
  const groups = [
    { group: 'everywhere', prices: read.everywhere ?? {} },
    ...Object.entries(read.regions ?? {}).map(([region, prices]) => ({ group: `regions.${region}`, prices })),
  ];
  for (const { group, prices } of groups) {
    for (const [name, price] of Object.entries(prices)) {
      const field = `${group}.${name}`;
      if (!isPriceName(name)) {
        throw complain(
          field,
          `is no price of a plan; known are ${Object.keys(PRICE_UNITS).join(', ')} and auroraHour <class>`,
        );
      }
      const problem = typeof price === 'number' ? null : problemOf(price);
      if (problem !== null) throw complain(field, problem);
    }
  }
  return read;
}

/** What a shape can't say of a price. */
function problemOf({ usd, tiers }: RawPrice): string | null {
  if ((usd === undefined) === (tiers === undefined)) return 'must have either usd or tiers';
  if (tiers === undefined) return null;
  const ends = tiers.map(({ upTo }) => upTo ?? Number.POSITIVE_INFINITY);
  const isAscending = ends.every((end, index) => index === 0 || end > (ends[index - 1] ?? 0));
  if (!isAscending || ends.at(-1) !== Number.POSITIVE_INFINITY) {
    return 'must have tiers in ascending order, and no upTo in the last alone';
  }
  return null;
}

function reader<T extends TSchema>(
  schema: T,
  complain: (field: string, problem: string) => Error = (field, problem) => new Error(`${field} ${problem}`),
): (content: unknown) => Static<T> {
  const compiled = Compile(schema);
  return (content) => {
    if (compiled.Check(content)) return content;
    const errors = compiled.Errors(content);
    // The longest path is the most exact one: a union tells of itself as well.
    const [error] = errors.toSorted((one, other) => other.instancePath.length - one.instancePath.length);
    const field = (error?.instancePath ?? '').slice(1).replaceAll('/', '.');
    throw complain(field, problemText(error));
  };
}

/** An unknown field is one of a schema that nothing fits. */
function problemText(error: { readonly keyword?: string; readonly message?: string } | undefined): string {
  return error?.keyword === 'boolean' ? 'is no field of it' : (error?.message ?? 'is wrong');
}
