import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { stacksOf, templateOf } from '../test/zones.ts';
import type { Zone } from '../../topology/types.ts';

interface FoundAlarm {
  readonly name: string;
  readonly properties: Readonly<Record<string, unknown>>;
}

function alarmsOf(zone: Partial<Zone> = {}): readonly FoundAlarm[] {
  const { regions } = stacksOf(zone);
  return [...regions.values()]
    .flatMap(({ base, data, service }) => [base, data, service])
    .flatMap((stack) => Object.values(templateOf(stack).findResources('AWS::CloudWatch::Alarm')))
    .map(({ Properties }) => {
      // A template's own structure.
      const properties = Properties as Record<string, unknown>;
      return { name: String(properties['AlarmName']), properties };
    });
}

/** Zones that between them have every alarm there is. */
const EVERY_KIND = [{}, { sizes: { default: { databaseInstanceClass: 'r8g.large' } } }] as const;
const idOf = ({ name }: FoundAlarm): string => name.slice(name.lastIndexOf('-') + 1);
const everyId = (): readonly string[] =>
  [...new Set(EVERY_KIND.flatMap((zone) => alarmsOf(zone).map(idOf)))].toSorted();

test('each alarm has a section in docs/OPERATIONS.md that says what to do, and each section an alarm', () => {
  const text = readFileSync(join(import.meta.dirname, '../../docs/OPERATIONS.md'), 'utf8');
  const sections = [...text.matchAll(/^### Alarm (\w+)\n\n\S/gm)].map(([, id = '']) => id);
  expect(sections.toSorted()).toEqual(everyId());
});

test('an alarm’s description names its section', () => {
  for (const alarm of EVERY_KIND.flatMap((zone) => alarmsOf(zone))) {
    expect(alarm.properties['AlarmDescription']).toContain(`docs/OPERATIONS.md, "Alarm ${idOf(alarm)}"`);
  }
});

/** Those that ECS looks at while it deploys, and that nobody is told of. */
const forDeployments = (alarm: FoundAlarm): boolean => idOf(alarm).startsWith('Deployment');

test('each region of a zone has the same alarms, and each tells its own region’s topic, when it rings and when it is over', () => {
  const alarms = alarmsOf();
  for (const id of new Set(alarms.map(idOf)))
    expect(alarms.filter((alarm) => idOf(alarm) === id)).toHaveLength(2);
  for (const { name, properties } of alarms.filter((alarm) => !forDeployments(alarm))) {
    const region = name.includes('eu-west-3') ? 'eu-west-3' : 'eu-central-1';
    for (const list of ['AlarmActions', 'OKActions']) {
      expect(`${name} ${list}: ${JSON.stringify(properties[list])}`).toContain(`base-${region}`);
    }
  }
});

test('replication between regions is watched in every region, and not at all in a zone of one region', () => {
  const watched = (zone: Partial<Zone>): number =>
    alarmsOf(zone).filter((alarm) => idOf(alarm) === 'RegionBehind').length;
  expect(watched({})).toBe(2);
  expect(watched({ replicas: [] })).toBe(0);
});

test('staleness rings at the zone’s own limit', () => {
  const thresholds = alarmsOf({ maxStalenessMs: 4321 })
    .filter((alarm) => idOf(alarm) === 'ViewStale')
    .map(({ properties }) => properties['Threshold']);
  expect(thresholds).toEqual([4321, 4321]);
});

test('a region’s cache rings at three quarters of what it may use, which follows from the size of its region', () => {
  const sizes = { default: { maxTasks: 20 }, 'eu-west-3': { requestsPerTask: 500 } };
  const thresholds = (id: string): readonly unknown[] =>
    alarmsOf({ sizes })
      .filter((alarm) => idOf(alarm) === id)
      .map(({ properties }) => properties['Threshold']);
  // 6 units for each of 20 × 1,000 requests a second, and half as many, in a minute.
  expect(thresholds('CacheBusy')).toEqual([0.75 * 120_000 * 60, 0.75 * 60_000 * 60]);
  expect(thresholds('CacheFull')).toEqual([0.75 * 2 ** 30, 0.75 * 2 ** 30]);
});
