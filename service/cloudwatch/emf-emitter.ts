import { between, type LatencyHistogram } from './latency-histogram.ts';
import { type Distribution, emfDocument } from './emf-document.ts';
import {
  EMF_METRIC_NAMES,
  EMF_METRICS,
  type EmfCounter,
  type EmfDimension,
  type EmfGauge,
  type EmfMetric,
} from './metric-table.ts';

/** Where the numbers come from. Read when a line is made; the parts of a task count in plain fields, which costs the hot path nothing. */
export interface EmfSources {
  /** What was counted since the task began. */
  readonly counters: Readonly<Record<EmfCounter, () => number>>;
  readonly gauges: Readonly<Record<EmfGauge, () => number>>;
  readonly verifyMs: Pick<LatencyHistogram, 'counts'>;
  /** Infinite where the task has never seen a heartbeat. */
  readonly stalenessMs: () => number;
}

export interface EmfEmitterOptions {
  /** Between two lines. */
  readonly intervalMs: number;
  readonly sources: EmfSources;
  readonly dimensions: Readonly<Record<EmfDimension, string>>;
  readonly taskId: string;
  readonly nowMs: () => number;
  /** Runs `step` every `ms` until the returned function is called. */
  readonly every: (ms: number, step: () => void) => () => void;
  /** Writes one line, whole. */
  readonly write: (document: object) => void;
}

/** Staleness is looked at so many times between two lines; a line may hold 100 values. */
const SAMPLES = 60;

/**
 * Writes the task's metrics for CloudWatch as one log line per interval, and a last one when it is stopped. Its owner starts and stops
 * it. A line that can't be written changes nothing: what it would have said is part of the next one.
 */
export class EmfEmitter {
  readonly counters = { lines: 0, failures: 0 };
  readonly #options: EmfEmitterOptions;
  #said = new Map<EmfCounter, number>();
  #saidVerifyMs: Float64Array = new Float64Array(0);
  #staleness: number[] = [];
  #ticks = 0;
  #cancel: (() => void) | null = null;

  constructor(options: EmfEmitterOptions) {
    this.#options = options;
  }

  start(): void {
    this.#cancel ??= this.#options.every(this.#options.intervalMs / SAMPLES, () => this.#tick());
  }

  stop(): void {
    if (this.#cancel === null) return;
    this.#cancel();
    this.#cancel = null;
    this.#sample();
    this.#emit();
  }

  #tick(): void {
    this.#sample();
    this.#ticks += 1;
    if (this.#ticks % SAMPLES === 0) this.#emit();
  }

  #sample(): void {
    const stalenessMs = this.#options.sources.stalenessMs();
    if (Number.isFinite(stalenessMs)) this.#staleness.push(Math.round(stalenessMs));
    // Lines that can't be written must not make it grow for ever; what is newest is kept.
    if (this.#staleness.length > SAMPLES) this.#staleness.shift();
  }

  #emit(): void {
    const { sources, dimensions, taskId, nowMs, write } = this.#options;
    const said = new Map<EmfCounter, number>();
    const values: Partial<Record<EmfMetric, number | Distribution>> = {};
    for (const name of EMF_METRIC_NAMES) {
      if (isCounter(name)) {
        const total = sources.counters[name]();
        const since = total - (this.#said.get(name) ?? 0);
        said.set(name, total);
        if (since !== 0 || EMF_METRICS[name].kind === 'counter') values[name] = since;
      } else if (isGauge(name)) values[name] = sources.gauges[name]();
    }
    const verifyMs = sources.verifyMs.counts();
    const took = between(this.#saidVerifyMs, verifyMs);
    if (took !== null) values.VerifyMs = took;
    const lastStalenessMs = this.#staleness.at(-1);
    if (lastStalenessMs !== undefined) values.StalenessMs = distributionOf(this.#staleness);
    const properties = {
      TaskId: taskId,
      ...(lastStalenessMs === undefined ? {} : { LastStalenessMs: lastStalenessMs }),
    };
    try {
      write(emfDocument({ timestampMs: nowMs(), dimensions, properties, values }));
    } catch {
      // Nobody can be told: the log is the same stream.
      this.counters.failures += 1;
      return;
    }
    this.counters.lines += 1;
    this.#said = said;
    this.#saidVerifyMs = verifyMs;
    this.#staleness = [];
  }
}

function isCounter(name: EmfMetric): name is EmfCounter {
  const { kind } = EMF_METRICS[name];
  return kind === 'counter' || kind === 'verdict';
}

function isGauge(name: EmfMetric): name is EmfGauge {
  return EMF_METRICS[name].kind === 'gauge';
}

function distributionOf(samples: readonly number[]): Distribution {
  const counts = new Map<number, number>();
  for (const sample of samples) counts.set(sample, (counts.get(sample) ?? 0) + 1);
  return { values: [...counts.keys()], counts: [...counts.values()] };
}
