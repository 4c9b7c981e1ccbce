import type { AwsRegion } from '../../topology/aws-regions.ts';
import type { RegionDeployment, ZoneDeployment } from '../../topology/deployment.ts';
import { type Amount, count, largest, named, over, smallest, times, whole } from './cost-amount.ts';
import type { AssumptionName, Assumptions } from './prices/assumptions.ts';
import { ASSUMPTIONS } from './prices/assumptions.ts';

/** AWS counts a month as so many hours. */
export const HOURS: Amount = count(730, 'h');
export const SECONDS: Amount = count(730 * 3600, 's');
export const MINUTES: Amount = count(730 * 60, 'minutes');
/** AWS bills bytes by the power of two. */
export const GB: Amount = count(2 ** 30, 'bytes');
export const MILLION: Amount = count(1_000_000);
/** What is kept for days, of what comes in a month. */
export const DAYS: Amount = count(30, 'days');

/** One region of a zone at a rate. */
export interface Load {
  readonly zone: ZoneDeployment;
  readonly here: RegionDeployment;
  readonly region: AwsRegion;
  readonly isOrigin: boolean;
  /** Verifications of the region per second. */
  readonly rate: Amount;
  /** In a month. */
  readonly verifications: Amount;
  /** That run. */
  readonly tasks: Amount;
  readonly assumed: (name: AssumptionName) => Amount;
}

/** Every region of a zone gets the same share of `rate`, in verifications per second. */
export function loadsOf(zone: ZoneDeployment, rate: number, assumptions: Assumptions): readonly Load[] {
  const assumed = (name: AssumptionName): Amount => count(assumptions[name], ASSUMPTIONS[name].unit);
  const [total, regions] = [count(rate, 'per second'), count(zone.regions.length, 'regions')];
  const isShared = zone.regions.length > 1;
  const perRegion = isShared ? named('rate of a region', over(total, regions), 'per second') : total;
  const month = isShared ? over(times(total, SECONDS), regions) : times(total, SECONDS);
  return zone.regions.map((here) => ({
    zone,
    here,
    region: here.region,
    isOrigin: here.region === zone.origin,
    rate: perRegion,
    verifications: named('verifications', month, 'verifications'),
    tasks: tasksAt(here, perRegion),
    assumed,
  }));
}

/** What scaling by requests comes to. Scaling by processor use may run more. */
function tasksAt({ size }: RegionDeployment, rate: Amount): Amount {
  const { minTasks, maxTasks, requestsPerTask } = size;
  const wanted = whole(over(rate, count(requestsPerTask, 'per second and task')));
  const atLeast = largest(count(minTasks, 'at least'), wanted);
  return named('tasks', smallest(count(maxTasks, 'at most'), atLeast), 'tasks');
}

/** Verifications per second that the zone's regions carry together when each gets the same share. */
export function capacityOf({ regions }: ZoneDeployment): number {
  return regions.length * Math.min(...regions.map(({ size }) => size.maxTasks * size.requestsPerTask));
}

/** Verifications of keys that have a limit, which both sides count, of so many. */
export function limited(verifications: Amount, { assumed }: Load): Amount {
  return times(verifications, assumed('limitedShare'));
}

/** GB of so many bytes for each verification, in a month. */
export function gbOf(name: string, { verifications }: Load, ...bytes: readonly Amount[]): Amount {
  return named(name, over(times(verifications, ...bytes), GB), 'GB');
}
