import type { AwsRegion } from '../../topology/aws-regions.ts';
import { REGION_NUMBERS } from '../../topology/region-defaults.ts';

/** In UTC, as RDS writes them. */
export interface Windows {
  /** Daily, `hh:mm-hh:mm`. */
  readonly backup: string;
  /** Weekly, `ddd:hh:mm-ddd:hh:mm`. */
  readonly maintenance: string;
}

const DAYS = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const;
/** RDS wants 30 minutes at least, so a day has 48 windows: more than there are regions. */
const WINDOWS_PER_DAY = 48;
/** Has no factor in common with 48, so different numbers get different windows. */
const STRIDE = 17;
/** From the start of the backup to the start of maintenance: the two may not touch. */
const MAINTENANCE_AFTER = 3;

/**
 * Half an hour of its own for each region, so that a zone never has two of its databases under maintenance at once. That counts for
 * more than the night: a region serves on while its database restarts.
 */
export function windowsOf(region: AwsRegion): Windows {
  const backup = backupOf(region);
  return {
    backup: `${timeOf(backup)}-${timeOf(backup + 1)}`,
    maintenance: maintenanceOf(region, REGION_NUMBERS[region]),
  };
}

/**
 * When an instance of the region is maintained: at the same time of day as the cluster, on another day than it and than the five
 * instances before and after. Instances count from 0. Left out, RDS would draw one, which may be another region's.
 */
export function instanceWindowOf(region: AwsRegion, index: number): string {
  return maintenanceOf(region, REGION_NUMBERS[region] + 1 + (index % (DAYS.length - 1)));
}

/** In half hours from midnight. */
function backupOf(region: AwsRegion): number {
  return (REGION_NUMBERS[region] * STRIDE) % WINDOWS_PER_DAY;
}

function maintenanceOf(region: AwsRegion, day: number): string {
  const start = (backupOf(region) + MAINTENANCE_AFTER) % WINDOWS_PER_DAY;
  const endsNextDay = start + 1 === WINDOWS_PER_DAY;
  return `${dayOf(day)}:${timeOf(start)}-${dayOf(endsNextDay ? day + 1 : day)}:${timeOf(start + 1)}`;
}

function dayOf(number: number): string {
  return DAYS[number % DAYS.length] ?? DAYS[0];
}

function timeOf(halfHours: number): string {
  const ofDay = halfHours % WINDOWS_PER_DAY;
  return `${String(Math.floor(ofDay / 2)).padStart(2, '0')}:${ofDay % 2 === 0 ? '00' : '30'}`;
}
