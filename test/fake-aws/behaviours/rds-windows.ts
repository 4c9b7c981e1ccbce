import { Refusal } from '../refusal.ts';
import { type Properties, textAt } from '../values.ts';

const MINUTES_MIN = 30;
const DAY_MINUTES = 24 * 60;
const WEEK_MINUTES = 7 * DAY_MINUTES;
const DAYS = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'];

/** Minutes since Monday, in UTC. */
interface Window {
  readonly start: number;
  readonly minutes: number;
}

/**
 * "PreferredBackupWindow" and "PreferredMaintenanceWindow", CreateDBCluster, Amazon RDS API Reference: their form, half an hour at least,
 * and no moment that belongs to both.
 */
export function checkWindows(properties: Properties): void {
  const backup = textAt(properties, 'PreferredBackupWindow');
  const maintenance = textAt(properties, 'PreferredMaintenanceWindow');
  const daily = backup === undefined ? undefined : dailyWindow(backup);
  const weekly = maintenance === undefined ? undefined : weeklyWindow(maintenance);
  if (daily === undefined || weekly === undefined) return;
  if (daily.some((window) => overlap(window, weekly))) {
    throw new Refusal('InvalidParameterValue', 'The backup window and maintenance window must not overlap.');
  }
}

function dailyWindow(text: string): readonly Window[] {
  const [, from = '', to = ''] = /^(\d\d:\d\d)-(\d\d:\d\d)$/u.exec(text) ?? [];
  const start = minutesOf(from);
  const end = minutesOf(to);
  if (start === undefined || end === undefined) throw invalid('backup', text);
  const minutes = (end - start + DAY_MINUTES) % DAY_MINUTES;
  if (minutes < MINUTES_MIN) throw invalid('backup', text);
  return DAYS.map((_, day) => ({ start: day * DAY_MINUTES + start, minutes }));
}

function weeklyWindow(text: string): Window {
  const [, fromDay = '', from = '', toDay = '', to = ''] =
    /^([a-z]{3}):(\d\d:\d\d)-([a-z]{3}):(\d\d:\d\d)$/u.exec(text.toLowerCase()) ?? [];
  const start = minutesOf(from);
  const end = minutesOf(to);
  const days = [DAYS.indexOf(fromDay), DAYS.indexOf(toDay)];
  if (start === undefined || end === undefined || days.includes(-1)) throw invalid('maintenance', text);
  const first = (days[0] ?? 0) * DAY_MINUTES + start;
  const minutes = ((days[1] ?? 0) * DAY_MINUTES + end - first + WEEK_MINUTES) % WEEK_MINUTES;
  if (minutes < MINUTES_MIN || minutes >= DAY_MINUTES) throw invalid('maintenance', text);
  return { start: first, minutes };
}

function minutesOf(time: string): number | undefined {
  const [hours = '', minutes = ''] = time.split(':');
  const total = Number(hours) * 60 + Number(minutes);
  return time !== '' && Number(minutes) < 60 && total < DAY_MINUTES ? total : undefined;
}

/** Either begins within the other, the week being a circle. */
function overlap(one: Window, other: Window): boolean {
  const after = (from: Window, to: Window): number => (to.start - from.start + WEEK_MINUTES) % WEEK_MINUTES;
  return after(one, other) < one.minutes || after(other, one) < other.minutes;
}

function invalid(kind: string, text: string): Refusal {
  return new Refusal('InvalidParameterValue', `Invalid ${kind} window format: ${text}`);
}
