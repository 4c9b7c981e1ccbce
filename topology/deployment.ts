import type { AwsRegion } from './aws-regions.ts';
import { DEFAULT_MAX_STALENESS_MS, DEFAULT_STALENESS_MODE, sizeOf } from './read.ts';
import { defaultAddressRange, defaultAvailabilityZones } from './region-defaults.ts';
import type {
  AlarmReceiver,
  Budget,
  ClickHouseSink,
  FirehoseSink,
  Firewall,
  HostedDomain,
  OwnCertificates,
  RegionSize,
  RegistryImage,
  Retention,
  Zone,
} from './types.ts';

/** A zone as it is deployed to AWS: every choice made, every default in its place. */
export interface ZoneDeployment {
  readonly environment: string;
  readonly name: string;
  readonly hostname: string;
  readonly account: string;
  readonly residency: Zone['residency'];
  readonly origin: AwsRegion;
  /** The origin first, then the replicas by their codes: the order in which a topology lists them changes nothing. */
  readonly regions: readonly RegionDeployment[];
  readonly maxStalenessMs: number;
  readonly stalenessMode: NonNullable<Zone['stalenessMode']>;
  /** Names and hostnames of the zones that callers may be sent to, this one among them, by name: their order in the topology changes nothing. */
  readonly knownZones: readonly { readonly name: string; readonly hostname: string }[];
  readonly domain: HostedDomain | OwnCertificates;
  readonly image: RegistryImage | null;
  readonly events: FirehoseSink | ClickHouseSink;
  readonly firewall: Firewall | null;
  readonly alarms: AlarmReceiver | null;
  readonly budget: Budget | null;
  readonly retention: Required<Retention>;
  readonly deletionProtection: boolean;
}

export interface RegionDeployment {
  readonly region: AwsRegion;
  readonly addressRange: string;
  readonly availabilityZones: readonly string[];
  readonly size: Required<RegionSize>;
}

const DEFAULT_RETENTION: Required<Retention> = { logDays: 30, backupDays: 14, eventDays: 400 };

/**
 * A zone with its defaults. `environment` is that of `parseTopology(…, { forDeployment: true })`; throws an Error for a zone without a
 * domain, which that refuses.
 */
export function deploymentOf(
  environment: { readonly name: string; readonly zones: readonly Zone[] },
  zone: Zone,
): ZoneDeployment {
  if (zone.domain === undefined) throw new Error(`zone ${zone.name} has no domain, so it can't be deployed`);
  const known = new Set([zone.name, ...(zone.knownZones ?? [])]);
  return {
    environment: environment.name,
    name: zone.name,
    hostname: zone.hostname,
    account: zone.account,
    residency: zone.residency,
    origin: zone.origin,
    regions: [zone.origin, ...zone.replicas.toSorted()].map((region) => ({
      region,
      addressRange: zone.addressRanges?.[region] ?? defaultAddressRange(region),
      availabilityZones: zone.availabilityZones?.[region] ?? defaultAvailabilityZones(region),
      size: sizeOf(zone, region),
    })),
    maxStalenessMs: zone.maxStalenessMs ?? DEFAULT_MAX_STALENESS_MS,
    stalenessMode: zone.stalenessMode ?? DEFAULT_STALENESS_MODE,
    knownZones: environment.zones
      .filter(({ name }) => known.has(name))
      .map(({ name, hostname }) => ({ name, hostname }))
      // Names are unique in an environment, and compared by code unit so that no machine's language changes a template.
      .toSorted((one, other) => (one.name < other.name ? -1 : 1)),
    domain: zone.domain,
    image: zone.image ?? null,
    events: sinkOf(zone),
    firewall: zone.firewall ?? null,
    alarms: zone.alarms ?? null,
    budget: zone.budget ?? null,
    retention: { ...DEFAULT_RETENTION, ...zone.retention },
    deletionProtection: zone.deletionProtection ?? true,
  };
}

/** The order in which a topology lists the ranges changes nothing. */
function sinkOf({ events = { kind: 'firehose' } }: Zone): FirehoseSink | ClickHouseSink {
  return events.kind === 'clickhouse'
    ? { ...events, addressRanges: events.addressRanges.toSorted() }
    : events;
}
