import type { RegionSize } from '../topology/types.ts';

/**
 * How much a region's cache may hold and do, so that its bill is bounded. Nothing fails beyond: tasks go on counting by themselves, and
 * alarms say so (observability/data-alarms.ts, observability/service-alarms.ts).
 */

/**
 * Of data. Each window of a counter is a hash, of which three at most are there at a time. On a Redis 7.0 such a hash took 260 bytes
 * with the counts of four tasks and 356 with those of eight, all that belongs to it included: so 1 GB holds 1.4 million counters of
 * four tasks, or a million of eight, that are asked all the time. At it ElastiCache drops those that were used least recently: tasks
 * tell what they have counted again, but what an exact limit had counted is forgotten.
 */
export const DATA_GB_MAX = 1;

/**
 * Of one call of the script that exchanges a counter, as it is supposed: ElastiCache bills a script by the time that it takes on the
 * processor, in units of a plain command's, and doesn't say how. An estimator that AWS publishes takes 3 µs for a unit; on a Redis 7.0
 * the script took 8, 11 and 17 µs with 1, 4 and 8 tasks. A cache's metric `EvalBasedCmdsECPUs` tells what it is.
 */
export const PROCESSING_UNITS_PER_EXCHANGE = 6;

/** The smallest and the largest number a second that ElastiCache takes. */
const PROCESSING_UNITS_RANGE = [1000, 15_000_000] as const;

/**
 * Processing units in a second. Each ask of a rate limit is exchanged at most once, so these are enough for all that the region's tasks
 * carry at `requestsPerTask` where each request asks for one limit: 48,000 for 8,000 exchanges, with the default size. What is asked
 * often takes less, for each task exchanges a counter ten times a second at most, however much is asked of it.
 */
export function processingUnitsOf({
  maxTasks,
  requestsPerTask,
}: Pick<Required<RegionSize>, 'maxTasks' | 'requestsPerTask'>): number {
  const [least, most] = PROCESSING_UNITS_RANGE;
  return Math.min(most, Math.max(least, maxTasks * requestsPerTask * PROCESSING_UNITS_PER_EXCHANGE));
}
