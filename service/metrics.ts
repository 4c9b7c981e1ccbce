import type { FallbackSource } from './cache/fallback-source.ts';
import type { HotCache } from './cache/hot-cache.ts';
import type { Reverification } from './cache/reverification.ts';
import type { HeartbeatWriter } from './home/heartbeat-writer.ts';
import type { HomeWatch } from './home/home-watch.ts';
import type { Pruner } from './home/pruner.ts';
import type { Refiller } from './home/refiller.ts';
import type { TaskReporter } from './home/task-reporter.ts';
import type { TaskStatusStore } from './home/task-status-store.ts';
import type { ChangeFeed } from './store/change-feed.ts';
import type { EpochWriter } from './store/epoch-writer.ts';
import type { RecordFinder } from './verify/finder.ts';
import type { NamespaceLimits } from './verify/namespace-limits.ts';
import type { Verifier } from './verify/verifier.ts';
import type { WorkspaceLimit } from './verify/workspace-limit.ts';
import { type SharingMeasured, sharingMetrics } from './sharing-metrics.ts';
import { collectDefaultMetrics, Counter, Gauge, Registry } from 'prom-client';

/** A number that is read when the metrics are asked for. Labels: name → value. */
export interface MetricSource {
  readonly name: string;
  readonly help: string;
  readonly kind: 'counter' | 'gauge';
  readonly read: () =>
    | number
    | readonly { readonly labels: Readonly<Record<string, string>>; readonly value: number }[];
}

/**
 * The metrics of a task in Prometheus' text format. The parts of a task count in plain fields, which costs the hot path nothing;
 * this reads them when it is asked.
 */
export function createMetrics(
  sources: readonly MetricSource[],
  labels: Readonly<Record<string, string>>,
): Registry {
  const registry = new Registry();
  registry.setDefaultLabels(labels);
  collectDefaultMetrics({ register: registry });
  for (const source of sources) register(registry, source);
  return registry;
}

function register(registry: Registry, source: MetricSource): void {
  const first = source.read();
  const labelNames = typeof first === 'number' ? [] : Object.keys(first[0]?.labels ?? { code: '' });
  const config = { name: source.name, help: source.help, labelNames, registers: [registry] };
  if (source.kind === 'gauge') {
    const gauge = new Gauge({
      ...config,
      collect: () => {
        for (const { labels, value } of valuesOf(source)) gauge.set(labels, Number.isNaN(value) ? 0 : value);
      },
    });
    return;
  }
  const counter = new Counter({
    ...config,
    collect: () => {
      // It can only be raised by a difference; from nothing, that is the value as it stands.
      counter.reset();
      for (const { labels, value } of valuesOf(source)) counter.inc(labels, countOf(value));
    },
  });
}

function valuesOf({ read }: MetricSource): Exclude<ReturnType<MetricSource['read']>, number> {
  const value = read();
  return typeof value === 'number' ? [{ labels: {}, value }] : value;
}

/** prom-client throws where a counter is raised by anything else, and with it all other metrics would be gone. */
function countOf(value: number): number {
  return Number.isFinite(value) && value > 0 ? value : 0;
}

export interface MeasuredParts extends SharingMeasured {
  readonly cache: HotCache;
  readonly feed: ChangeFeed;
  readonly finder: RecordFinder;
  readonly verifier: Verifier;
  readonly home: HomeWatch;
  readonly heartbeat: HeartbeatWriter;
  readonly writer: EpochWriter;
  readonly reporter: TaskReporter;
  readonly reverification: Reverification;
  readonly source: FallbackSource;
  readonly pruner: Pruner;
  readonly refiller: Refiller;
  readonly taskStatus: TaskStatusStore;
  readonly namespaceLimits: NamespaceLimits;
  readonly workspaceLimit: WorkspaceLimit;
  /** How many other regions this task asks and reaches. */
  readonly regions: () => number;
  /** This task would be at home, but listens for a later home first. */
  readonly listening: () => boolean;
}

function byOutcome(counters: Readonly<Record<string, number>>) {
  return Object.entries(counters).map(([outcome, value]) => ({ labels: { outcome }, value }));
}

/** The metrics of a task, with its zone and region as labels of each. */
export function taskMetrics(
  parts: MeasuredParts,
  labels: { readonly zone: string; readonly region: string },
): Registry {
  const {
    cache,
    feed,
    finder,
    verifier,
    home,
    heartbeat,
    writer,
    reporter,
    reverification,
    source,
    pruner,
    refiller,
    taskStatus,
    namespaceLimits,
    workspaceLimit,
    regions,
    listening,
  } = parts;
  const counter = (name: string, help: string, read: MetricSource['read']): MetricSource => ({
    name: `keyhearth_${name}_total`,
    help,
    kind: 'counter',
    read,
  });
  const gauge = (name: string, help: string, read: MetricSource['read']): MetricSource => ({
    name: `keyhearth_${name}`,
    help,
    kind: 'gauge',
    read,
  });
  return createMetrics(
    [
      counter('verifications', 'Verifications by verdict.', () =>
        [...verifier.counters].map(([code, value]) => ({ labels: { code }, value })),
      ),
      counter('hot_hits', 'Records found in memory.', () => cache.counters.hits),
      counter('hot_misses', 'Records that had to be read first.', () => cache.counters.misses),
      counter('hot_evictions', 'Hot keys that left memory for others.', () => cache.counters.evicted),
      gauge('hot_keys', 'Hot keys held.', () => cache.sizes.keys),
      gauge(
        'hot_key_bytes',
        'Estimated heap of the hot keys and what they refer to.',
        () => cache.sizes.bytes,
      ),
      gauge('hot_root_keys', 'Root keys held.', () => cache.sizes.rootKeys),
      gauge('absent_hashes', 'Hashes remembered as nobody’s.', () => cache.sizes.absent),
      gauge(
        'shared_objects',
        'Workspaces, APIs, identities, roles and permissions held.',
        () => cache.sizes.shared,
      ),
      counter('record_reads', 'Statements that read records.', () => cache.loader.counters.reads),
      counter(
        'record_reads_discarded',
        'Reads thrown away because a change overtook them.',
        () => cache.loader.counters.discarded,
      ),
      counter(
        'record_reads_failed',
        'Statements that failed on the reader and at home.',
        () => cache.loader.counters.failed,
      ),
      counter(
        'record_reads_refused',
        'Look-ups refused because too many were waiting.',
        () => cache.loader.counters.refused,
      ),
      counter(
        'record_reads_elsewhere',
        'Reads that one source failed and another was asked for.',
        () => source.counters.fallbacks,
      ),
      gauge('staleness_ms', 'How far this task’s view is behind the home database.', () =>
        feed.stalenessMs(),
      ),
      counter('feed_polls', 'Polls of the change feed.', () => feed.counters.polls),
      counter('feed_polls_failed', 'Polls without an answer.', () => feed.counters.failedPolls),
      counter('feed_changes', 'Change rows applied.', () => feed.counters.appliedChanges),
      counter('feed_epochs', 'Times that another writer took over.', () => feed.counters.epochChanges),
      counter(
        'feed_distrusts',
        'Times that the feed could not vouch for its delivery. More than 0 is an alarm.',
        () => feed.counters.distrusts,
      ),
      counter(
        'feed_reader_switches',
        'Times that feed and refills moved to another reader.',
        () => feed.counters.readerSwitches,
      ),
      counter(
        'served_stale',
        'Look-ups answered from memory beyond the allowed staleness.',
        () => finder.counters.servedStale,
      ),
      counter(
        'served_unverified',
        'Look-ups answered by a record of an earlier writer.',
        () => finder.counters.servedUnverified,
      ),
      counter('confirmed_at_home', 'Look-ups that asked home.', () => finder.counters.confirmed),
      counter(
        'refused_stale',
        'Look-ups refused beyond the allowed staleness.',
        () => finder.counters.refusedStale,
      ),
      counter(
        'reverified_records',
        'Records read again after another writer took over.',
        () => reverification.counters.records,
      ),
      ...sharingMetrics(parts, { counter, gauge, byOutcome }),
      counter('namespace_limits', 'What ratelimit.limit was asked for, by outcome.', () =>
        byOutcome(namespaceLimits.counters),
      ),
      counter(
        'workspace_limit_refusals',
        'Calls refused because their workspace made too many.',
        () => workspaceLimit.counters.refused,
      ),
      gauge('home', '1 while this task is at home.', () => (home.epoch() === null ? 0 : 1)),
      gauge('other_regions', 'Other regions of the zone that this task asks and reaches.', () => regions()),
      gauge('home_listening', '1 while this task would be at home, but listens for a later home first.', () =>
        listening() ? 1 : 0,
      ),
      gauge(
        'home_epoch',
        'Counter of the epoch in which this task is at home; 0 elsewhere.',
        () => home.epoch()?.counter ?? 0,
      ),
      counter(
        'home_takeovers',
        'Times that this task made its region the home.',
        () => home.counters.takeovers,
      ),
      counter('heartbeats', 'Heartbeats written by this task.', () => heartbeat.counters.beats),
      counter(
        'heartbeats_failed',
        'Heartbeats that could not be written.',
        () => heartbeat.counters.failures,
      ),
      counter('writes', 'Management writes committed by this task.', () => writer.counters.committed),
      counter(
        'writes_unknown',
        'Management writes whose outcome stayed unknown.',
        () => writer.counters.unknownOutcomes,
      ),
      counter('pruned_changes', 'Change rows pruned by this task.', () => pruner.counters.changes),
      counter(
        'pruned_texts',
        'Texts of keys of deleted APIs that this task took away.',
        () => pruner.counters.texts,
      ),
      counter(
        'pruned_credit_draws',
        'Settled draws of credits that this task took away.',
        () => pruner.counters.draws,
      ),
      counter(
        'silent_credit_leases',
        'Leases of credits that this task gave up, because their holders were silent for too long.',
        () => pruner.counters.silentLeases,
      ),
      counter('prunes_failed', 'Prunings that failed.', () => pruner.counters.failures),
      counter(
        'credits_refilled',
        'Accounts of credits that this task refilled.',
        () => refiller.counters.refilled,
      ),
      counter('refills_failed', 'Rounds of refilling that failed.', () => refiller.counters.failures),
      counter(
        'revision_waits',
        'Waits for other regions to apply a revision.',
        () => taskStatus.counters.waits,
      ),
      counter(
        'revision_waits_timed_out',
        'Of these, those that were not answered in time.',
        () => taskStatus.counters.timedOutWaits,
      ),
      counter('reports', 'Reports to home of how far this task is.', () => reporter.counters.reports),
      counter('reports_failed', 'Reports that home did not get.', () => reporter.counters.failures),
    ],
    labels,
  );
}
