import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createMetrics, type MetricSource } from './metrics.ts';
import { type SharingMeasured, sharingMetrics } from './sharing-metrics.ts';

const LABELS = { zone: 'global', region: 'us-east-1' };

/** Lines of the text that are about this metric, without those that only help. */
function linesOf(text: string, name: string): readonly string[] {
  return text.split('\n').filter((line) => line.includes(name) && !line.startsWith('# HELP'));
}

test('what is counted is declared as a counter, whose value is what is there by then', async () => {
  let hits = 0;
  const read = (): number => hits;
  const registry = createMetrics([{ name: 'hits_total', help: 'Hits.', kind: 'counter', read }], LABELS);
  const lines = async (): Promise<readonly string[]> => linesOf(await registry.metrics(), 'hits_total');
  const type = '# TYPE hits_total counter';
  expect(await lines()).toEqual([type, 'hits_total{zone="global",region="us-east-1"} 0']);
  hits = 7;
  expect(await lines()).toEqual([type, 'hits_total{zone="global",region="us-east-1"} 7']);
  // Asked again, it doesn't add up.
  expect(await lines()).toEqual([type, 'hits_total{zone="global",region="us-east-1"} 7']);
});

test('a counter has a line for each of its labels, those that came later too', async () => {
  const verdicts = new Map<string, number>();
  const read = () => [...verdicts].map(([code, value]) => ({ labels: { code }, value }));
  const registry = createMetrics([{ name: 'verdicts_total', help: 'Verdicts.', kind: 'counter', read }], {});
  expect(linesOf(await registry.metrics(), 'verdicts_total')).toEqual(['# TYPE verdicts_total counter']);
  verdicts.set('VALID', 3).set('NOT_FOUND', 0);
  expect(linesOf(await registry.metrics(), 'verdicts_total')).toEqual([
    '# TYPE verdicts_total counter',
    'verdicts_total{code="VALID"} 3',
    'verdicts_total{code="NOT_FOUND"} 0',
  ]);
});

test('a gauge goes up and down, and may be infinite', async () => {
  let ageMs = Number.POSITIVE_INFINITY;
  const read = (): number => ageMs;
  const registry = createMetrics([{ name: 'age_ms', help: 'Age.', kind: 'gauge', read }], {});
  expect(linesOf(await registry.metrics(), 'age_ms')).toEqual(['# TYPE age_ms gauge', 'age_ms +Inf']);
  ageMs = -1;
  expect(linesOf(await registry.metrics(), 'age_ms')).toEqual(['# TYPE age_ms gauge', 'age_ms -1']);
});

test('a value that makes no sense for a counter takes nothing else away from who reads', async () => {
  const wrong = [Number.NaN, -1, Number.POSITIVE_INFINITY];
  const sources = wrong.map((value, at) => ({
    name: `wrong_${at}_total`,
    help: 'Wrong.',
    kind: 'counter' as const,
    read: () => value,
  }));
  const text = await createMetrics(sources, {}).metrics();
  for (const at of wrong.keys()) expect(text).toContain(`wrong_${at}_total 0`);
});

test('each metric of limits and credits is explained in docs/OPERATIONS.md', () => {
  const page = readFileSync(join(import.meta.dirname, '../docs/OPERATIONS.md'), 'utf8');
  const named = (kind: MetricSource['kind']) => (name: string, help: string, read: MetricSource['read']) => ({
    name: `keyhearth_${name}${kind === 'counter' ? '_total' : ''}`,
    help,
    kind,
    read,
  });
  // Nothing is read of what is measured.
  const sources = sharingMetrics({} as SharingMeasured, {
    counter: named('counter'),
    gauge: named('gauge'),
    byOutcome: () => [],
  });
  expect(sources.length).toBeGreaterThan(20);
  // With its labels, or without any.
  const missing = sources.filter(({ name }) => !new RegExp(`\`${name}(\\{\\w+\\})?\``).test(page));
  expect(missing.map(({ name }) => name)).toEqual([]);
});
