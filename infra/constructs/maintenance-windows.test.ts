import { expect, test } from 'vitest';
import { AWS_REGION_CODES } from '../../topology/aws-regions.ts';
import { instanceWindowOf, windowsOf } from './maintenance-windows.ts';

const DAYS = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'];
const MINUTES_PER_DAY = 24 * 60;

function minutesOf(time: string): number {
  const [hours, minutes] = time.split(':').map(Number) as [number, number];
  return hours * 60 + minutes;
}

test('windows have RDS’s form, last half an hour, and maintenance doesn’t meet the backup', () => {
  for (const region of AWS_REGION_CODES) {
    const { backup, maintenance } = windowsOf(region);
    const [backupFrom, backupTo] = backup.split('-').map(minutesOf) as [number, number];
    expect((backupTo - backupFrom + MINUTES_PER_DAY) % MINUTES_PER_DAY).toBe(30);
    const found = /^(\w{3}):(\d\d:\d\d)-(\w{3}):(\d\d:\d\d)$/.exec(maintenance);
    const [, fromDay = '', from = '', toDay = '', to = ''] = found ?? [];
    const start = DAYS.indexOf(fromDay) * MINUTES_PER_DAY + minutesOf(from);
    const end = DAYS.indexOf(toDay) * MINUTES_PER_DAY + minutesOf(to);
    expect((end - start + 7 * MINUTES_PER_DAY) % (7 * MINUTES_PER_DAY)).toBe(30);
    const afterBackup = (minutesOf(from) - backupFrom + MINUTES_PER_DAY) % MINUTES_PER_DAY;
    expect(afterBackup).toBeGreaterThan(30);
    expect(afterBackup).toBeLessThan(MINUTES_PER_DAY - 30);
  }
});

test('no two regions have the same window', () => {
  const windows = AWS_REGION_CODES.map(windowsOf);
  expect(new Set(windows.map(({ backup }) => backup)).size).toBe(windows.length);
  expect(new Set(windows.map(({ maintenance }) => maintenance.slice(4, 9))).size).toBe(windows.length);
});

test('a region’s windows never change', () => {
  expect(windowsOf('eu-central-1')).toEqual({ backup: '09:00-09:30', maintenance: 'fri:10:30-fri:11:00' });
  // Its maintenance ends with the day.
  expect(AWS_REGION_CODES.map((region) => windowsOf(region).maintenance)).toContainEqual(
    expect.stringMatching(/:23:30-\w{3}:00:00$/),
  );
});

test('the first six instances and the cluster have seven days, at the time of day that is their region’s own', () => {
  for (const region of AWS_REGION_CODES) {
    const windows = [
      windowsOf(region).maintenance,
      ...[0, 1, 2, 3, 4, 5].map((index) => instanceWindowOf(region, index)),
    ];
    expect(new Set(windows.map((window) => window.slice(0, 3))).size).toBe(DAYS.length);
    const times = windows.map((window) => [window.slice(4, 9), window.slice(14)].join());
    expect(new Set(times).size).toBe(1);
  }
  expect(instanceWindowOf('eu-central-1', 6)).toBe(instanceWindowOf('eu-central-1', 0));
});
