import { expect, test } from 'vitest';
import { stacksOf, templateOf } from '../test/zones.ts';
import type { Zone } from '../../topology/types.ts';

/** The dashboard's widgets; what only a deployment knows stands as `?`. */
function widgetsOf(
  zone: Partial<Zone> = {},
): readonly { type: string; properties: Record<string, unknown> }[] {
  const found = Object.values(templateOf(stacksOf(zone).edge).findResources('AWS::CloudWatch::Dashboard'));
  // A template's own structure: text, or a join of texts and references.
  const body = (found[0] as { Properties: { DashboardBody: string | { 'Fn::Join': [string, unknown[]] } } })
    .Properties.DashboardBody;
  const text =
    typeof body === 'string'
      ? body
      : body['Fn::Join'][1].map((part) => (typeof part === 'string' ? part : '?')).join('');
  return (JSON.parse(text) as { widgets: { type: string; properties: Record<string, unknown> }[] }).widgets;
}

const titles = (zone: Partial<Zone> = {}): readonly unknown[] =>
  widgetsOf(zone).flatMap(({ type, properties }) => (type === 'metric' ? [properties['title']] : []));

test('the zone’s dashboard shows what callers see, what it stands on, and what it costs', () => {
  expect(titles()).toEqual(
    expect.arrayContaining([
      'Requests',
      'Answer time at the load balancer, p50',
      'Answer time at the load balancer, p99',
      'Verdicts, all regions',
      'Keys found in memory',
      'Staleness, worst task',
      'Replication lag behind home',
      'Out of credits or over the rate limit',
      'Rate limits counted alone',
      'Credits lost or overspent',
      'Accounts that came to have few credits left',
      'Commands that the cache refused',
      'Events refused by the stream',
      'Database capacity',
      'Load balancer capacity',
    ]),
  );
});

test('every picture has a line for each region of the zone, from that region’s own metrics', () => {
  for (const { type, properties } of widgetsOf()) {
    if (type !== 'metric') continue;
    const text = JSON.stringify(properties['metrics']);
    for (const region of ['eu-central-1', 'eu-west-3']) {
      expect(`${String(properties['title'])}: ${text}`).toMatch(
        new RegExp(`${region}|${region.replaceAll('-', '_')}`),
      );
    }
  }
});

test('a zone that sends its events to ClickHouse has no pictures of a stream', () => {
  const events = {
    kind: 'clickhouse',
    secretName: 'clickhouse',
    addressRanges: ['192.0.2.0/24'],
    port: 8443,
  } as const;
  expect(titles({ events }).filter((title) => /event/i.test(String(title)))).toEqual([
    'Event loop held up, worst task',
  ]);
});
