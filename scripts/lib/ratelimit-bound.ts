/** A counter that is asked is told again after this time, or after an exchange where that takes longer. */
const PERIOD_MS = 100;
/** Calls begin at least so far apart, so a counter may wait so long until the next one. */
const BETWEEN_CALLS_MS = PERIOD_MS / 8;

/**
 * How long tasks that are asked all the time may not know of what the others have counted, in ms, where an exchange takes so many ms at
 * most: what docs/RATE-LIMITS.md calls 2 × (P + D).
 */
export function unawareMs(exchangeMs: number): number {
  const periodMs = Math.max(PERIOD_MS, exchangeMs) + BETWEEN_CALLS_MS;
  return 2 * (periodMs + exchangeMs);
}

export interface BoundOptions {
  readonly tasks: number;
  readonly limit: number;
  /** Epoch or monotonic ms of every unit that was asked, in any order; of an answer as well, so that what was held up and came at once counts. */
  readonly askedAtMs: readonly number[];
  /** The longest that an exchange took; null: tasks count alone, because they share no counters or didn't reach them. */
  readonly exchangeMs: number | null;
}

/**
 * How many units above the limit tasks that tell each other of their counts may let through in one window: no more than each of the others
 * can, and no more than were asked while they didn't know of each other (docs/RATE-LIMITS.md, "How far it can overshoot").
 */
export function overshootBound({ tasks, limit, askedAtMs, exchangeMs }: BoundOptions): number {
  const alone = (tasks - 1) * limit;
  if (exchangeMs === null) return alone;
  return Math.min(alone, mostWithin(askedAtMs, unawareMs(exchangeMs)));
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
