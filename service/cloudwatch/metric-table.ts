import type { VerdictCode } from '../domain/decide.ts';

/** CloudWatch's own names; a unit outside its list makes the whole line invalid. */
type Unit = 'Count' | 'Megabytes' | 'Milliseconds' | 'None';

/**
 * counter: what was counted since the line before, 0 included, so that an alarm sees data. verdict: the same, but left out while it is
 * 0, since a metric costs something for each hour in which it appears. gauge: the value at that moment. distribution: many values,
 * from which CloudWatch computes percentiles.
 */
type Kind = 'counter' | 'verdict' | 'gauge' | 'distribution';

/**
 * Every metric that a task gives CloudWatch. The `Sum` of a counter over tasks and minutes is right; of a gauge use `Average` or
 * `Maximum`. Each name is one custom metric per region of a zone (about $0.30 a month).
 */
export const EMF_METRICS = {
  Verifications: { unit: 'Count', kind: 'counter' },
  VerdictValid: { unit: 'Count', kind: 'verdict' },
  VerdictNotFound: { unit: 'Count', kind: 'verdict' },
  VerdictForbidden: { unit: 'Count', kind: 'verdict' },
  VerdictInsufficientPermissions: { unit: 'Count', kind: 'verdict' },
  VerdictUsageExceeded: { unit: 'Count', kind: 'verdict' },
  VerdictRateLimited: { unit: 'Count', kind: 'verdict' },
  VerdictDisabled: { unit: 'Count', kind: 'verdict' },
  VerdictExpired: { unit: 'Count', kind: 'verdict' },
  /** From the parsed request to the answer handed to the connection, for each verification that got a verdict. */
  VerifyMs: { unit: 'Milliseconds', kind: 'distribution' },
  HotHits: { unit: 'Count', kind: 'counter' },
  HotMisses: { unit: 'Count', kind: 'counter' },
  HotKeys: { unit: 'Count', kind: 'gauge' },
  /** Looked at many times between two lines; absent while the task has never seen a heartbeat. */
  StalenessMs: { unit: 'Milliseconds', kind: 'distribution' },
  ServedStale: { unit: 'Count', kind: 'counter' },
  RefusedStale: { unit: 'Count', kind: 'counter' },
  RecordReadsFailed: { unit: 'Count', kind: 'counter' },
  RecordReadsElsewhere: { unit: 'Count', kind: 'counter' },
  RecordReadsRefused: { unit: 'Count', kind: 'counter' },
  FeedPollsFailed: { unit: 'Count', kind: 'counter' },
  FeedDistrusts: { unit: 'Count', kind: 'counter' },
  /** 1 while the task knows where home is, else 0. */
  HomeKnown: { unit: 'None', kind: 'gauge' },
  HomeTakeovers: { unit: 'Count', kind: 'counter' },
  HeartbeatsFailed: { unit: 'Count', kind: 'counter' },
  Writes: { unit: 'Count', kind: 'counter' },
  WritesUnknown: { unit: 'Count', kind: 'counter' },
  RevisionWaitsTimedOut: { unit: 'Count', kind: 'counter' },
  ReportsFailed: { unit: 'Count', kind: 'counter' },
  /** 1 while this task exchanges counts with the region's others for no counter, or not for all; else 0. */
  RateLimitsAlone: { unit: 'None', kind: 'gauge' },
  /** How long ago the oldest ask was that the others may not know of yet; absent while the task counts alone. */
  SharedCountsAgeMs: { unit: 'Milliseconds', kind: 'gauge' },
  /** Exact limits that were decided without the region's shared counter, or refused for want of it. */
  ExactLimitsAlone: { unit: 'Count', kind: 'counter' },
  /** Spends that were answered with `credits_unavailable`. */
  CreditsUnavailable: { unit: 'Count', kind: 'counter' },
  CreditLeases: { unit: 'Count', kind: 'gauge' },
  /** Credits of leases that weren't returned when home wanted them back. Free again should they be returned after all. */
  CreditsLost: { unit: 'Count', kind: 'counter' },
  /** Credits that were spent twice: of leases that a home granted whose commits were lost. */
  CreditsOverspent: { unit: 'Count', kind: 'counter' },
  /** Times that an account came to have few credits left. */
  CreditsLow: { unit: 'Count', kind: 'counter' },
  EventLoopDelayMsP99: { unit: 'Milliseconds', kind: 'gauge' },
  HeapUsedMb: { unit: 'Megabytes', kind: 'gauge' },
  RssMb: { unit: 'Megabytes', kind: 'gauge' },
} as const satisfies Readonly<Record<string, { readonly unit: Unit; readonly kind: Kind }>>;

/** Names of all metrics. What draws or watches them takes this type, so that a name that isn't sent doesn't compile. */
export type EmfMetric = keyof typeof EMF_METRICS;
/** The namespace of all of them. */
export type EmfNamespace = 'Keyhearth';
/** All tasks of a region share their metrics; a task's own name is in the line, but no dimension. */
export type EmfDimension = 'Environment' | 'Zone' | 'Region';

type OfKind<K extends Kind> = {
  [M in EmfMetric]: (typeof EMF_METRICS)[M]['kind'] extends K ? M : never;
}[EmfMetric];

export type EmfVerdict = OfKind<'verdict'>;
export type EmfCounter = OfKind<'counter'> | EmfVerdict;
export type EmfGauge = OfKind<'gauge'>;

/** The metric that counts a verdict. */
export const VERDICT_METRICS: Readonly<Record<VerdictCode, EmfVerdict>> = {
  VALID: 'VerdictValid',
  NOT_FOUND: 'VerdictNotFound',
  FORBIDDEN: 'VerdictForbidden',
  INSUFFICIENT_PERMISSIONS: 'VerdictInsufficientPermissions',
  USAGE_EXCEEDED: 'VerdictUsageExceeded',
  RATE_LIMITED: 'VerdictRateLimited',
  DISABLED: 'VerdictDisabled',
  EXPIRED: 'VerdictExpired',
};

/** All names, in the table's order. */
export const EMF_METRIC_NAMES: readonly EmfMetric[] = namesOf(EMF_METRICS);

function namesOf<K extends string>(table: Readonly<Record<K, unknown>>): readonly K[] {
  // Object.keys forgets what the keys of an object literal are.
  return Object.keys(table) as K[];
}
