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
  /**
   * Unique in its environment: lower-case letters and digits with single hyphens between, a letter first, at most 32 characters; no
   * region's code, availability zone's id or account number. Part of every key's text, so it can't be renamed later.
   */
  readonly name: string;
  /** Where clients call; unique among all environments, at most 64 characters with a `HostedDomain`. For ever once deployed. */
  readonly hostname: string;
  /** AWS account, 12 digits; for ever once deployed. One of its own for each zone is recommended, and needed in a deployment where one of the zones has a `residency`. */
  readonly account: string;
  /** Limits the zone to regions under this jurisdiction. @default any region */
  readonly residency?: Jurisdiction;
  /** Where the zone's database is first made. For ever once deployed; where the writer is now is discovered, not configured. */
  readonly origin: AwsRegion;
  /** At most 10 beside the origin (Aurora's limit); 8 in a deployment to AWS (the accelerator's). */
  readonly replicas: readonly AwsRegion[];
  /** How far a task's view may be behind before `stalenessMode` applies; 3000 (3 heartbeats) to 86400000 (a day). @default 10000 */
  readonly maxStalenessMs?: number;
  /**
   * What a task does beyond that: `serve` goes on from memory and flags it, `confirm` asks home each time, `refuse` answers 503.
   * @default 'serve'
   */
  readonly stalenessMode?: 'serve' | 'confirm' | 'refuse';
  /** Sizes in AWS; `default` holds for every region, an entry for a region overrides single fields of it. */
  readonly sizes?: ZoneSizes;
  /**
   * What the loss of one region may cost until the others have scaled: with `absorb` every region must keep at least as many vCPUs
   * running as the largest one does, so that it takes over that one's clients at once, and at most 50 for `cpuTargetPercent`; `scale-out` asks for neither. @default 'absorb'
   */
  readonly regionLoss?: 'absorb' | 'scale-out';
  /** Zones of this environment that callers may be sent to when they use a key of theirs. @default none: they are told no hostname */
  readonly knownZones?: readonly string[];
  /** Where certificates and the hostname's DNS record come from. Needed for AWS only. */
  readonly domain?: HostedDomain | OwnCertificates;
  /** Private IPv4 range of a region's network, /16 to /20; ranges of a zone may not overlap. For ever once the region is deployed. @default `10.<64 + number>.0.0/16` (topology/region-defaults.ts) */
  readonly addressRanges?: { readonly [R in AwsRegion]?: string };
  /**
   * Availability zones of a region, two or three. The first two are for ever once the region is deployed: subnets get their addresses in
   * this order, so that another order would move them. @default the first three that accounts usually have (topology/region-defaults.ts)
   */
  readonly availabilityZones?: { readonly [R in AwsRegion]?: readonly string[] };
  /** An image that is in a registry already. @default built from this repository when it is deployed */
  readonly image?: RegistryImage;
  /** Where usage events go. @default Firehose to an S3 bucket in each region */
  readonly events?: FirehoseSink | ClickHouseSink;
  /** A web application firewall in front of each region. @default none */
  readonly firewall?: Firewall;
  /** Who is told of alarms, in every region. @default nobody */
  readonly alarms?: AlarmReceiver;
  /** Tells the same address when the zone's account spends more. Not with every origin (topology/aws-offers.ts). @default none */
  readonly budget?: Budget;
  /** How long data is kept. */
  readonly retention?: Retention;
  /**
   * Whether databases, events, the accelerator and their stacks are kept when somebody deletes them by mistake. Off, they go with their
   * stacks, but for a last snapshot of the database, a bucket that still has events in it, and keys, which wait 7 days for their
   * deletion. @default true
   */
  readonly deletionProtection?: boolean;
}

export type ZoneSizes = { readonly default?: RegionSize } & { readonly [R in AwsRegion]?: RegionSize };

/** What runs in one region of a zone. A field that isn't given has `DEFAULT_SIZE`'s value (topology/read.ts). */
export interface RegionSize {
  readonly minTasks?: number;
  readonly maxTasks?: number;
  /** vCPUs of a task: 0.25, 0.5, 1, 2, 4, 8, 16 or 32. */
  readonly taskVcpu?: number;
  /** Fargate has a range of memory for each number of vCPUs. */
  readonly taskMemoryMb?: number;
  /** Requests per second and task above which tasks are added. */
  readonly requestsPerTask?: number;
  /** Processor use of the tasks, in percent, above which tasks are added. */
  readonly cpuTargetPercent?: number;
  /** Aurora capacity units, steps of 0.5, which every instance of every region pays for at all hours. Without effect where `databaseInstanceClass` is a class. */
  readonly databaseMinAcu?: number;
  /** At least 1. */
  readonly databaseMaxAcu?: number;
  /** Aurora instance class such as `r8g.large`, which every region has to offer: provisioned instances. `serverless`: Serverless v2 between the two numbers above. */
  readonly databaseInstanceClass?: string;
  /** Database instances of the region, 1 to 16 less one for each replica of the zone; the first is the writer while the region is home, tasks read from the others. */
  readonly databaseInstances?: number;
}

/** A public hosted zone of Route 53 in the zone's account, in or above the hostname; a delegated subdomain where DNS belongs to another account. */
export interface HostedDomain {
  readonly hostedZoneId: string;
  readonly hostedZoneName: string;
}

/** For DNS that is kept elsewhere: a certificate of ACM for the hostname in each region; you make the DNS record. */
export interface OwnCertificates {
  readonly certificateArns: { readonly [R in AwsRegion]?: string };
}

/** The same digest in a repository of this name in the ECR registry of every region of the zone. */
export interface RegistryImage {
  /** Without its registry: `keyhearth`. No region's code or account number in it. */
  readonly repository: string;
  /** `sha256:` and 64 hex digits. */
  readonly digest: string;
}

export interface FirehoseSink {
  readonly kind: 'firehose';
}

export interface ClickHouseSink {
  readonly kind: 'clickhouse';
  /** Name of a secret that you put into every region of the zone: JSON with `url`, `user` and `password`. */
  readonly secretName: string;
  /** Where the server answers, for the tasks' security group: at most 20 ranges, with a `residency` each /16 at the widest. Public ones are reached through a NAT gateway. */
  readonly addressRanges: readonly string[];
  readonly port: number;
}

export interface Firewall {
  /** From one client address within 5 minutes; what is above is refused. 10 to 2,000,000,000. */
  readonly requestsPer5Minutes: number;
}

export interface AlarmReceiver {
  readonly email: string;
}

export interface Budget {
  /** 1 to 1,000,000,000. */
  readonly usdPerMonth: number;
}

export interface Retention {
  /** One of CloudWatch's steps. @default 30 */
  readonly logDays?: number;
  /** Of the database: 1 to 35. @default 14 */
  readonly backupDays?: number;
  /** Of usage events in S3. @default 400 */
  readonly eventDays?: number;
}

/**
 * What a topology has to be beyond its shape, for literal data:
 *
 *     const topology = { … } as const satisfies Topology;
 *     export default topology satisfies Checked<typeof topology>;
 *
 * A value that breaks a rule is expected to have the type of a sentence that says which, so the compiler's message ends in that
 * sentence; a zone that isn't of the shape passes, since `satisfies Topology` has told what is wrong with it. Rules: every region under
 * the zone's residency, no origin among its replicas, no region twice; sizes, address ranges,
 * availability zones and certificates only for the zone's regions; known zones only of the environment; zone names unique in an
 * environment, account ids of 12 digits. `parseTopology` checks the same and more when a topology is loaded.
 */
export type Checked<T> = T extends { readonly environments: infer Environments }
  ? {
      readonly environments: {
        readonly [E in keyof Environments]: Environments[E] extends { readonly zones: infer Zones }
          ? { readonly zones: Zones extends readonly unknown[] ? CheckedZones<Zones> : Zones }
          : Environments[E];
      };
    }
  : T;

type CheckedZones<
  Zones extends readonly unknown[],
  Names extends string = NameOf<Zones[number]>,
  Seen extends string = never,
  Out extends readonly unknown[] = readonly [],
> = Zones extends readonly [infer First, ...infer Rest]
  ? CheckedZones<
      Rest,
      Names,
      Seen | NameOf<First>,
      readonly [...Out, First extends Zone ? CheckedZone<First, Names, Seen | NameOf<Rest[number]>> : First]
    >
  : Zones extends readonly []
    ? Out
    : 'zones must be a literal list: write `as const` behind the topology';

type NameOf<Z> = Z extends { readonly name: infer Name extends string } ? Name : never;

type CheckedZone<
  Z extends Zone,
  Names extends string,
  Others extends string,
  Regions extends AwsRegion = Z['origin'] | Z['replicas'][number],
> = {
  readonly name: Z['name'] extends Others ? `zone ${Z['name']} is listed twice` : Z['name'];
  readonly account: TwelveDigits<Z['account']> extends true
    ? Z['account']
    : `account of zone ${Z['name']} must be 12 digits`;
  readonly origin: CheckedRegion<Z, Z['origin']>;
  readonly replicas: CheckedReplicas<Z, Z['replicas'], Z['origin']>;
} & (Z extends { readonly sizes: infer Sizes }
  ? { readonly sizes: CheckedKeys<'sizes', Sizes, Z['name'], 'default' | Regions> }
  : unknown) &
  (Z extends { readonly addressRanges: infer Ranges }
    ? { readonly addressRanges: CheckedKeys<'addressRanges', Ranges, Z['name'], Regions> }
    : unknown) &
  (Z extends { readonly availabilityZones: infer ByRegion }
    ? { readonly availabilityZones: CheckedKeys<'availabilityZones', ByRegion, Z['name'], Regions> }
    : unknown) &
  (Z extends { readonly domain: { readonly certificateArns: infer Arns } }
    ? {
        readonly domain: {
          readonly certificateArns: CheckedKeys<'certificateArns', Arns, Z['name'], Regions>;
        };
      }
    : unknown) &
  (Z extends { readonly knownZones: infer Known extends readonly string[] }
    ? { readonly knownZones: CheckedKnownZones<Known, Z['name'], Names> }
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

type CheckedKeys<Field extends string, Value, Name extends string, Allowed extends string> = {
  readonly [K in keyof Value]: K extends Allowed
    ? Value[K]
    : `${Field} of zone ${Name} name ${K & string}, which isn't in the zone`;
};

type CheckedKnownZones<Known extends readonly string[], Name extends string, Names extends string> = {
  readonly [I in keyof Known]: Known[I] extends Name
    ? `zone ${Name} lists itself in knownZones`
    : Known[I] extends Names
      ? Known[I]
      : `zone ${Name} knows ${Known[I]}, which is no zone of its environment`;
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
