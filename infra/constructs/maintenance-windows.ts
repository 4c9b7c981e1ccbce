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
  const number = REGION_NUMBERS[region];
  const backup = (number * STRIDE) % WINDOWS_PER_DAY;
  const maintenance = (backup + MAINTENANCE_AFTER) % WINDOWS_PER_DAY;
  const endsNextDay = maintenance + 1 === WINDOWS_PER_DAY;
  const [from, to] = [dayOf(number), dayOf(endsNextDay ? number + 1 : number)];
  return {
    backup: `${timeOf(backup)}-${timeOf(backup + 1)}`,
    maintenance: `${from}:${timeOf(maintenance)}-${to}:${timeOf(maintenance + 1)}`,
  };
}

function dayOf(number: number): string {
  return DAYS[number % DAYS.length] ?? DAYS[0];
}

function timeOf(halfHours: number): string {
  const ofDay = halfHours % WINDOWS_PER_DAY;
  return `${String(Math.floor(ofDay / 2)).padStart(2, '0')}:${ofDay % 2 === 0 ? '00' : '30'}`;
}
