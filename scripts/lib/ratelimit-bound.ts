export interface BoundOptions {
  readonly tasks: number;
  readonly limit: number;
  /** Epoch or monotonic ms of every unit that was asked, in any order; of an answer as well, so that what was held up and came at once counts. */
  readonly askedAtMs: readonly number[];
  /** Least time between two exchanges of one counter. */
  readonly periodMs: number;
  /** The longest that an exchange took; null: the tasks share no counters, and each counts alone. */
  readonly exchangeMs: number | null;
}

/**
 * How many units above the limit tasks that tell each other of their counts may let through in one window: no more than each of the others
 * can, and no more than were asked while they didn't know of each other, which is at most twice a period and an exchange.
 */
export function overshootBound(options: BoundOptions): number {
  const { tasks, limit, askedAtMs, periodMs, exchangeMs } = options;
  const alone = (tasks - 1) * limit;
  if (exchangeMs === null) return alone;
  return Math.min(alone, mostWithin(askedAtMs, 2 * (periodMs + exchangeMs)));
}

/** The most of these moments that fall into any span of so many ms. */
export function mostWithin(momentsMs: readonly number[], spanMs: number): number {
  const sorted = momentsMs.toSorted((a, b) => a - b);
  let [from, most] = [0, 0];
  for (const [at, moment] of sorted.entries()) {
    while (moment - (sorted[from] ?? moment) > spanMs) from += 1;
    most = Math.max(most, at - from + 1);
  }
  return most;
}
