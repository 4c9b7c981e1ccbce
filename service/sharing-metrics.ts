import type { CountExchange } from './limits/count-exchange.ts';
import type { CreditLeases } from './limits/credit-leases.ts';
import type { SharedRateLimiter } from './limits/exact-rate-limiter.ts';
import type { MemoryRateLimiter } from './limits/memory-rate-limiter.ts';
import type { MetricSource } from './metrics.ts';
import type { PostgresCreditLedger } from './store/credit-ledger.ts';
import type { ValkeyConnection } from './valkey/connection.ts';

export interface SharingMeasured {
  readonly limiter: Pick<MemoryRateLimiter, 'size' | 'counters'>;
  readonly exactLimiter: Pick<SharedRateLimiter, 'isExact' | 'counters'>;
  readonly exchange: Pick<
    CountExchange,
    'isShared' | 'viewAgeMs' | 'lastExchangeMs' | 'maxExchangeMs' | 'counters'
  >;
  readonly valkey: Pick<ValkeyConnection, 'state' | 'tries'> | null;
  readonly ledger: Pick<PostgresCreditLedger, 'counters' | 'outstanding'>;
  readonly leases: Pick<CreditLeases, 'ageMs' | 'leases' | 'leasedCredits' | 'unsettled' | 'counters'>;
}

type Source = (name: string, help: string, read: MetricSource['read']) => MetricSource;

/** Home that hasn't heard of spent credits for so long isn't reached. Reports go out every five seconds. */
const UNTOLD_MS_MAX = 30_000;

/** How far limits and credits hold beyond this task, and what that took. What has outcomes is counted under exactly one of them. */
export function sharingMetrics(
  { limiter, exactLimiter, exchange, valkey, ledger, leases }: SharingMeasured,
  { counter, gauge, byOutcome }: MetricMakers,
): readonly MetricSource[] {
  let passed = 0;
  const ofKind = (kind: string, value: number) => ({ labels: { kind }, value });
  return [
    gauge(
      'limit_exact',
      'By kind of limit: 1 while it holds as promised. Rate limits: counts are exchanged with the region’s tasks; exact ones: the shared counters are asked; credits: home hears what is spent.',
      () => [
        ofKind('rateLimit', exchange.isShared ? 1 : 0),
        ofKind('exactRateLimit', exactLimiter.isExact ? 1 : 0),
        ofKind('credits', leases.ageMs < UNTOLD_MS_MAX ? 1 : 0),
      ],
    ),
    gauge(
      'limit_view_age_ms',
      'By kind of limit: age of the oldest thing counted here that the others may not know of, in ms.',
      () => [ofKind('rateLimit', exchange.viewAgeMs), ofKind('credits', leases.ageMs)],
    ),
    gauge('rate_limit_counters', 'Counters of rate limits held.', () => limiter.size),
    counter(
      'rate_limit_counters_evicted',
      'Counters that left before they had expired: their callers got a new window early.',
      () => limiter.counters.evicted,
    ),
    counter('rate_limit_exchanges', 'Exchanges of counts with the region’s tasks, by outcome.', () =>
      byOutcome({
        answered: exchange.counters.exchanges - exchange.counters.failures,
        failed: exchange.counters.failures,
      }),
    ),
    counter('rate_limit_counts_told', 'Counts told in exchanges, by outcome.', () =>
      byOutcome({ answered: exchange.counters.told, unanswered: exchange.counters.unanswered }),
    ),
    gauge(
      'rate_limit_exchange_ms',
      'Duration of the last answered exchange, in ms.',
      () => exchange.lastExchangeMs,
    ),
    gauge(
      'rate_limit_exchange_max_ms',
      'Duration of the longest answered exchange of the last 30 to 60 s, in ms.',
      () => exchange.maxExchangeMs,
    ),
    counter(
      'exact_rate_limits',
      'Asks of exact limits, by outcome. passed: not refused by this limit; denied: there was no answer.',
      () => {
        const { asked, refused, decidedLocally, denied } = exactLimiter.counters;
        // What is under way is taken to pass; a counter may be late, but never goes back.
        passed = Math.max(passed, asked - refused - decidedLocally - denied);
        return byOutcome({
          passed,
          refused,
          decidedLocally,
          denied,
        });
      },
    ),
    counter(
      'exact_rate_limit_releases',
      'Reservations of exact limits that were released, because another limit refused or they came too late.',
      () => exactLimiter.counters.compensations,
    ),
    counter(
      'exact_rate_limit_failures',
      'Reservations and releases of exact limits that had no answer in time.',
      () => exactLimiter.counters.failures,
    ),
    gauge('valkey_nodes', 'Nodes of the region’s Valkey.', () => valkey?.state.nodes ?? 0),
    gauge('valkey_nodes_up', 'Of these, those that answer.', () => valkey?.state.nodesUp ?? 0),
    counter('valkey_connects', 'Times that connections to all nodes were begun.', () => valkey?.tries ?? 0),
    counter('credit_spends', 'Takings of credits, by outcome.', () => {
      const { spentLocally, spentAfterWaiting, spentAtHome, refused, refusedHere, failed } = leases.counters;
      return byOutcome({ spentLocally, spentAfterWaiting, spentAtHome, refused, refusedHere, failed });
    }),
    counter(
      'credit_ledger_ms',
      'Time that verifications waited for the ledger, in ms.',
      () => leases.counters.waitingMs,
    ),
    counter('credit_draws', 'Draws that this task began.', () => leases.counters.draws),
    counter('credit_draw_retries', 'Tries of draws besides the first.', () => leases.counters.retries),
    counter(
      'credit_draws_cancelled',
      'Draws that this task called off, because their answer did not come in time.',
      () => leases.counters.cancelled,
    ),
    counter('credit_leases_ended', 'Leases that this task gave back before they were spent, by reason.', () =>
      byOutcome({ recalled: leases.counters.recalled, returned: leases.counters.returned }),
    ),
    counter(
      'credit_settlements',
      'Settlements of this task that home acknowledged.',
      () => leases.counters.settlements,
    ),
    counter(
      'credit_settlement_failures',
      'Failed tries to tell home.',
      () => leases.counters.settlementFailures,
    ),
    gauge('credit_leases', 'Leases of credits that this task holds.', () => leases.leases),
    gauge('credits_held', 'Credits in them that are not spent.', () => leases.leasedCredits),
    gauge('credit_unsettled', 'Things that home has to be told of credits.', () => leases.unsettled),
    counter(
      'credit_ledger_draws',
      'Draws that this task answered while it was at home, by outcome. empty: no lease was to be had, and nothing else was asked.',
      () => {
        const { draws, direct, granted, refused } = ledger.counters;
        return byOutcome({ direct, granted, refused, empty: draws - direct - granted - refused });
      },
    ),
    counter(
      'credit_ledger_settlements',
      'Settlements that this task took while it was at home.',
      () => ledger.counters.settlements,
    ),
    counter(
      'credit_ledger_cancelled',
      'Of these, those that called a draw off.',
      () => ledger.counters.cancelled,
    ),
    counter(
      'credit_ledger_recalls',
      'Times that this task asked the leases of an account back.',
      () => ledger.counters.recalls,
    ),
    counter(
      'credit_ledger_failures',
      'Draws and settlements that this task could not answer.',
      () => ledger.counters.failed,
    ),
    gauge(
      'credits_out',
      'Credits of the whole zone that are leased, or lost, as home’s database had it lately: each task at home says the same, the others 0.',
      () => {
        const { leased, lost } = ledger.outstanding;
        return [
          { labels: { state: 'leased' }, value: leased },
          { labels: { state: 'lost' }, value: lost },
        ];
      },
    ),
    gauge(
      'credit_leases_out',
      'Leases that tasks of the zone hold, by the same look at home’s database.',
      () => ledger.outstanding.leases,
    ),
    counter(
      'credits_lost',
      'Credits in leases that were given up: not returned when they were asked back, or not heard of for long. Most likely their holders crashed.',
      () => ledger.counters.lost,
    ),
    counter(
      'credits_overspent',
      'Credits that were spent twice after a failover that lost commits.',
      () => ledger.counters.overspent,
    ),
    counter(
      'credits_low',
      'Times that an account came to have few credits left.',
      () => ledger.counters.lowBalance,
    ),
  ];
}

/** How metrics are made. */
export interface MetricMakers {
  readonly counter: Source;
  readonly gauge: Source;
  readonly byOutcome: (
    counters: Readonly<Record<string, number>>,
  ) => readonly { readonly labels: Readonly<Record<string, string>>; readonly value: number }[];
}
