import type { Distribution } from './emf-document.ts';

/** Faster than this is all the same. */
const MIN_MS = 0.005;
const STEPS_PER_DOUBLING = 4;
const DOUBLINGS = 24;
/** One for what is faster than the first step; the last one also takes what is slower than all: 0.005 ms × 2^24 is 84 s. */
const BUCKETS = 1 + STEPS_PER_DOUBLING * DOUBLINGS;
/** The middle of each bucket on a scale of ratios: off by at most 9 %. */
const VALUES: readonly number[] = Array.from({ length: BUCKETS }, (_, bucket) =>
  bucket === 0 ? MIN_MS : Number((MIN_MS * 2 ** ((bucket - 0.5) / STEPS_PER_DOUBLING)).toPrecision(4)),
);

/**
 * Counts how long something took, in 97 buckets of equal ratio: fewer than the 100 values that a line may hold for a metric. To count
 * one allocates nothing and costs two looks at the clock and a logarithm, about 0.1 µs. Counts only grow; who wants those of an
 * interval keeps the counts of its beginning.
 */
export class LatencyHistogram {
  readonly #monotonicMs: () => number;
  readonly #counts = new Float64Array(BUCKETS);

  constructor(monotonicMs: () => number) {
    this.#monotonicMs = monotonicMs;
  }

  /** What `stop` has to be given. */
  start(): number {
    return this.#monotonicMs();
  }

  stop(startedMs: number): void {
    const tookMs = this.#monotonicMs() - startedMs;
    const step = Math.floor(Math.log2(tookMs / MIN_MS) * STEPS_PER_DOUBLING);
    // Also where no time has passed, whose logarithm is no number that could be an index.
    const bucket = tookMs <= MIN_MS ? 0 : Math.min(BUCKETS - 1, step + 1);
    this.#counts[bucket] = (this.#counts[bucket] ?? 0) + 1;
  }

  /** The counts as they are now. */
  counts(): Float64Array {
    return this.#counts.slice();
  }
}

/** What was counted from `before` to `after`, in ms; null where nothing was. */
export function between(before: Float64Array, after: Float64Array): Distribution | null {
  const buckets = VALUES.map((value, bucket) => ({
    value,
    count: (after[bucket] ?? 0) - (before[bucket] ?? 0),
  })).filter(({ count }) => count > 0);
  return buckets.length === 0
    ? null
    : { values: buckets.map(({ value }) => value), counts: buckets.map(({ count }) => count) };
}
