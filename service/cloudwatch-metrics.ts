import type { Logger } from 'pino';
import { EmfEmitter, type EmfSources } from './cloudwatch/emf-emitter.ts';
import type { EventLoopDelay } from './cloudwatch/event-loop-delay.ts';
import type { LatencyHistogram } from './cloudwatch/latency-histogram.ts';
import { type EmfDimension, type EmfVerdict, VERDICT_METRICS } from './cloudwatch/metric-table.ts';
import { sharingSourcesOf } from './cloudwatch/sharing-sources.ts';
import type { VerdictCode } from './domain/decide.ts';
import type { MeasuredParts } from './metrics.ts';
import type { Clock } from './verify/ports.ts';
import type { Verifier } from './verify/verifier.ts';

const MB = 1024 * 1024;

interface CloudwatchOptions {
  /** 0: nothing is measured or written. */
  readonly intervalMs: number;
  readonly parts: MeasuredParts;
  readonly verifyMs: LatencyHistogram;
  readonly eventLoopDelay: EventLoopDelay;
  readonly dimensions: Readonly<Record<EmfDimension, string>>;
  readonly taskId: string;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Something that runs as long as the task does. */
export interface Runs {
  start(): void;
  /** Afterwards nothing of it is left to do. */
  stop(): void;
}

/**
 * A task's metrics for CloudWatch, on the log's own stream: it writes each line whole and in order, so that no line ends inside
 * another. At a level of their own, since the least level that is logged says nothing about metrics.
 */
export function cloudwatchMetrics(options: CloudwatchOptions): Runs {
  const { intervalMs, parts, verifyMs, eventLoopDelay, dimensions, taskId, clock, log } = options;
  if (intervalMs === 0) return { start: () => {}, stop: () => {} };
  const lines = log.child({}, { level: 'info' });
  const emitter = new EmfEmitter({
    intervalMs,
    sources: {
      ...sourcesOf(parts, eventLoopDelay),
      verifyMs,
      stalenessMs: () => parts.feed.stalenessMs(),
    },
    dimensions,
    taskId,
    nowMs: () => clock.nowMs(),
    every: (ms, step) => {
      const timer = setInterval(step, ms).unref();
      return () => clearInterval(timer);
    },
    write: (document) => lines.info(document),
  });
  return {
    start: () => {
      eventLoopDelay.start();
      emitter.start();
    },
    stop: () => {
      emitter.stop();
      eventLoopDelay.stop();
    },
  };
}

function sourcesOf(
  parts: MeasuredParts,
  eventLoopDelay: EventLoopDelay,
): Pick<EmfSources, 'counters' | 'gauges'> {
  const { cache, feed, finder, verifier, home, heartbeat, writer, reporter, source, taskStatus } = parts;
  const sharing = sharingSourcesOf(parts);
  return {
    counters: {
      ...verdictCounters(verifier),
      Verifications: () => [...verifier.counters.values()].reduce((total, count) => total + count, 0),
      HotHits: () => cache.counters.hits,
      HotMisses: () => cache.counters.misses,
      ServedStale: () => finder.counters.servedStale,
      RefusedStale: () => finder.counters.refusedStale,
      RecordReadsFailed: () => cache.loader.counters.failed,
      RecordReadsElsewhere: () => source.counters.fallbacks,
      RecordReadsRefused: () => cache.loader.counters.refused,
      FeedPollsFailed: () => feed.counters.failedPolls,
      FeedDistrusts: () => feed.counters.distrusts,
      HomeTakeovers: () => home.counters.takeovers,
      HeartbeatsFailed: () => heartbeat.counters.failures,
      Writes: () => writer.counters.committed,
      WritesUnknown: () => writer.counters.unknownOutcomes,
      RevisionWaitsTimedOut: () => taskStatus.counters.timedOutWaits,
      ReportsFailed: () => reporter.counters.failures,
      ...sharing.counters,
    },
    gauges: {
      HotKeys: () => cache.sizes.keys,
      HomeKnown: () => (home.current().at === 'unknown' ? 0 : 1),
      EventLoopDelayMsP99: () => eventLoopDelay.takeMsP99(),
      ...sharing.gauges,
      HeapUsedMb: () => inMb(process.memoryUsage().heapUsed),
      RssMb: () => inMb(process.memoryUsage.rss()),
    },
  };
}

function verdictCounters(verifier: Verifier): Record<EmfVerdict, () => number> {
  const entries = Object.entries(VERDICT_METRICS).map(([code, metric]) => [
    metric,
    // The table has a verdict's code for each key; Object.entries forgets that.
    () => verifier.counters.get(code as VerdictCode) ?? 0,
  ]);
  // Each verdict of the table has its metric, which is what the type says.
  return Object.fromEntries(entries) as Record<EmfVerdict, () => number>;
}

function inMb(bytes: number): number {
  return Math.round((bytes / MB) * 10) / 10;
}
