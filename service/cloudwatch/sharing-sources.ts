import type { EmfSources } from './emf-emitter.ts';
import type { EmfCounter, EmfGauge } from './metric-table.ts';

/** What of a task counts together with others: rate limits with the tasks of its region, credits with all of the zone. */
export interface SharingCounted {
  readonly exchange: {
    readonly isShared: boolean;
    /** Of the oldest ask that others may not know of yet. */
    readonly viewAgeMs: number;
  };
  readonly exactLimiter: { readonly counters: { readonly decidedLocally: number; readonly denied: number } };
  readonly leases: {
    /** Held. */
    readonly leases: number;
    readonly counters: { readonly failed: number };
  };
  /** Of this task, which counts while it is at home. */
  readonly ledger: {
    readonly counters: { readonly lost: number; readonly overspent: number; readonly lowBalance: number };
  };
}

type SharingCounter = Extract<
  EmfCounter,
  'ExactLimitsAlone' | 'CreditsUnavailable' | 'CreditsLost' | 'CreditsOverspent' | 'CreditsLow'
>;
type SharingGauge = Extract<EmfGauge, 'RateLimitsAlone' | 'SharedCountsAgeMs' | 'CreditLeases'>;

interface SharingSources {
  readonly counters: Pick<EmfSources['counters'], SharingCounter>;
  readonly gauges: Pick<EmfSources['gauges'], SharingGauge>;
}

/** How exactly limits and credits hold, read when a line is made. */
export function sharingSourcesOf({ exchange, exactLimiter, leases, ledger }: SharingCounted): SharingSources {
  return {
    counters: {
      ExactLimitsAlone: () => exactLimiter.counters.decidedLocally + exactLimiter.counters.denied,
      CreditsUnavailable: () => leases.counters.failed,
      CreditsLost: () => ledger.counters.lost,
      CreditsOverspent: () => ledger.counters.overspent,
      CreditsLow: () => ledger.counters.lowBalance,
    },
    gauges: {
      RateLimitsAlone: () => (exchange.isShared ? 0 : 1),
      // A view that is of nobody has no age; what isn't finite isn't said.
      SharedCountsAgeMs: () => (exchange.isShared ? exchange.viewAgeMs : Number.NaN),
      CreditLeases: () => leases.leases,
    },
  };
}
