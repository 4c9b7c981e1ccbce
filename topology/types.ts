import type { AwsRegion, RegionIn, Jurisdiction } from './aws-regions.ts';

/** The whole description: `regions.config.ts` at the root. Plain data. */
export interface Topology {
  /**
   * By name. Zones of different environments have nothing to do with each other. The one listed first is what tools take, and what
   * runs on a laptop, unless another is named.
   */
  readonly environments: Readonly<Record<string, Environment>>;
}

export interface Environment {
  readonly zones: readonly Zone[];
}

/** A set of regions that share data; nothing crosses its border. */
export interface Zone {
  /** Unique in its environment: `[a-z][a-z0-9-]*`, at most 32 characters. Part of every key's text, so it can't be renamed later. */
  readonly name: string;
  /** Where clients call; unique among all environments. */
  readonly hostname: string;
  /** AWS account, 12 digits. One of its own for each zone is recommended. */
  readonly account: string;
  /** Limits the zone to regions under this jurisdiction. @default any region */
  readonly residency?: Jurisdiction;
  /** Where the zone's database is first made. Never changes; where the writer is now is discovered, not configured. */
  readonly origin: AwsRegion;
  /** At most 10, without the origin. */
  readonly replicas: readonly AwsRegion[];
  /** How far a task's view may be behind before `stalenessMode` applies; at least 3000 (3 heartbeats). @default 10000 */
  readonly maxStalenessMs?: number;
  /**
   * What a task does beyond that: `serve` goes on from memory and flags it, `confirm` asks home each time, `refuse` answers 503.
   * @default 'serve'
   */
  readonly stalenessMode?: 'serve' | 'confirm' | 'refuse';
  /** Sizes in AWS; `default` holds for every region, an entry for a region overrides single fields of it. */
  readonly sizes?: ZoneSizes;
}

export type ZoneSizes = { readonly default?: RegionSize } & { readonly [R in AwsRegion]?: RegionSize };

/** What runs in one region of a zone. A field that isn't given has `DEFAULT_SIZE`'s value (topology/read.ts). */
export interface RegionSize {
  readonly minTasks?: number;
  readonly maxTasks?: number;
  /** vCPUs of a task: 0.25, 0.5, 1, 2, 4, 8, 16 or 32. */
  readonly taskVcpu?: number;
  readonly taskMemoryMb?: number;
  /** Aurora capacity units, steps of 0.5. */
  readonly databaseMinAcu?: number;
  readonly databaseMaxAcu?: number;
}

/**
 * What a topology has to be beyond its shape, for literal data:
 *
 *     const topology = { … } as const satisfies Topology;
 *     export default topology satisfies Checked<typeof topology>;
 *
 * A value that breaks a rule is expected to have the type of a sentence that says which, so the compiler's message ends in that
 * sentence. Rules: every region under the zone's residency, no origin among its replicas, no region twice, sizes only for the
 * zone's regions, zone names unique in an environment, account ids of 12 digits. `parseTopology` checks the same and more when a
 * topology is loaded from elsewhere.
 */
export type Checked<T extends Topology> = {
  readonly environments: {
    readonly [E in keyof T['environments']]: { readonly zones: CheckedZones<T['environments'][E]['zones']> };
  };
};

type CheckedZones<
  Zones extends readonly Zone[],
  Seen extends string = never,
  Out extends readonly unknown[] = readonly [],
> = Zones extends readonly [infer First extends Zone, ...infer Rest extends readonly Zone[]]
  ? CheckedZones<Rest, Seen | First['name'], readonly [...Out, CheckedZone<First, Seen>]>
  : Zones extends readonly []
    ? Out
    : 'zones must be a literal list: write `as const` behind the topology';

type CheckedZone<Z extends Zone, Seen extends string> = {
  readonly name: Z['name'] extends Seen ? `zone ${Z['name']} is listed twice` : Z['name'];
  readonly account: TwelveDigits<Z['account']> extends true
    ? Z['account']
    : `account of zone ${Z['name']} must be 12 digits`;
  readonly origin: CheckedRegion<Z, Z['origin']>;
  readonly replicas: CheckedReplicas<Z, Z['replicas'], Z['origin']>;
} & (Z extends { readonly sizes: infer Sizes }
  ? { readonly sizes: CheckedSizes<Sizes, Z['name'], Z['origin'] | Z['replicas'][number]> }
  : unknown);

type CheckedReplicas<
  Z extends Zone,
  Regions extends readonly AwsRegion[],
  Seen extends AwsRegion,
> = Regions extends readonly [infer First extends AwsRegion, ...infer Rest extends readonly AwsRegion[]]
  ? readonly [
      First extends Z['origin']
        ? `${First} is the origin of zone ${Z['name']} and can't be one of its replicas`
        : First extends Seen
          ? `${First} is listed twice in zone ${Z['name']}`
          : CheckedRegion<Z, First>,
      ...CheckedReplicas<Z, Rest, Seen | First>,
    ]
  : Regions;

type CheckedRegion<Z extends Zone, R extends AwsRegion> = Z extends {
  readonly residency: infer J extends Jurisdiction;
}
  ? R extends RegionIn<J>
    ? R
    : `${R} is outside the residency ${J} of zone ${Z['name']}`
  : R;

type CheckedSizes<Sizes, Name extends string, Regions extends AwsRegion> = {
  readonly [K in keyof Sizes]: K extends 'default' | Regions
    ? Sizes[K]
    : `sizes of zone ${Name} name a region that isn't in the zone`;
};

type Digit = '0' | '1' | '2' | '3' | '4' | '5' | '6' | '7' | '8' | '9';
type TwelveDigits<
  S extends string,
  Count extends readonly unknown[] = [],
> = S extends `${infer First}${infer Rest}`
  ? First extends Digit
    ? TwelveDigits<Rest, [...Count, unknown]>
    : false
  : Count['length'] extends 12
    ? true
    : false;
