import type { CountExchange } from './limits/count-exchange.ts';
import type { CreditLeases } from './limits/credit-leases.ts';
import type { SharedRateLimiter } from './limits/exact-rate-limiter.ts';
import type { MemoryRateLimiter } from './limits/memory-rate-limiter.ts';
import type { MetricSource } from './metrics.ts';
import type { PostgresCreditLedger } from './store/credit-ledger.ts';
import type { ValkeyConnection } from './valkey/connection.ts';

export interface SharingMeasured {
  readonly limiter: MemoryRateLimiter;
  readonly exactLimiter: SharedRateLimiter;
  readonly exchange: CountExchange;
  readonly valkey: ValkeyConnection | null;
  readonly ledger: PostgresCreditLedger;
  readonly leases: CreditLeases;
}

type Source = (name: string, help: string, read: MetricSource['read']) => MetricSource;

/** Home that hasn't heard of spent credits for so long isn't reached. Reports go out every five seconds. */
const UNTOLD_MS_MAX = 30_000;

/** How far limits and credits hold beyond this task, and what that took. */
export function sharingMetrics(
  { limiter, exactLimiter, exchange, valkey, ledger, leases }: SharingMeasured,
  { counter, gauge, byOutcome }: SharingSources,
): readonly MetricSource[] {
  const ofKind = (kind: string, value: number) => ({ labels: { kind }, value });
  const pick = <T extends object>(counters: T, names: readonly (keyof T & string)[]) =>
    byOutcome(Object.fromEntries(names.map((name) => [name, Number(counters[name])])));
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
    gauge('rate_limit_exchange_ms', 'Duration of the last exchange, in ms.', () => exchange.lastExchangeMs),
    gauge(
      'rate_limit_exchange_max_ms',
      'Duration of the longest exchange since the start, in ms.',
      () => exchange.maxExchangeMs,
    ),
    counter('exact_rate_limits', 'Asks of exact limits, and what became of them.', () =>
      byOutcome(exactLimiter.counters),
    ),
    gauge('valkey_nodes', 'Nodes of the region’s Valkey.', () => valkey?.state.nodes ?? 0),
    gauge('valkey_nodes_up', 'Of these, those that answer.', () => valkey?.state.nodesUp ?? 0),
    counter('valkey_connects', 'Times that connections to all nodes were begun.', () => valkey?.tries ?? 0),
    counter('credit_spends', 'Takings of credits, by outcome.', () =>
      pick(leases.counters, [
        'spentLocally',
        'spentAfterWaiting',
        'spentAtHome',
        'refused',
        'refusedHere',
        'failed',
      ]),
    ),
    counter(
      'credit_ledger_ms',
      'Time that verifications waited for the ledger, in ms.',
      () => leases.counters.waitingMs,
    ),
    counter('credit_draws', 'What this task drew of the ledger, and told it.', () =>
      pick(leases.counters, [
        'draws',
        'retries',
        'cancelled',
        'recalled',
        'returned',
        'settlements',
        'settlementFailures',
      ]),
    ),
    gauge('credit_leases', 'Leases of credits that this task holds.', () => leases.leases),
    gauge('credit_leased', 'Credits in them that are not spent.', () => leases.leasedCredits),
    gauge('credit_unsettled', 'Things that home has to be told of credits.', () => leases.unsettled),
    counter('credit_ledger', 'What the ledger did in this task, while it was at home.', () =>
      pick(ledger.counters, [
        'draws',
        'direct',
        'granted',
        'refused',
        'settlements',
        'recalls',
        'cancelled',
        'failed',
      ]),
    ),
    counter(
      'credits_lost',
      'Credits in leases that were not returned in time; most likely their holders crashed.',
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
export interface SharingSources {
  readonly counter: Source;
  readonly gauge: Source;
  readonly byOutcome: (
    counters: Readonly<Record<string, number>>,
  ) => readonly { readonly labels: Readonly<Record<string, string>>; readonly value: number }[];
}
