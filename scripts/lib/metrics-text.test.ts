import { expect, test } from 'vitest';
import { samplesOf } from './metrics-text.ts';
import { localShare } from './spend-counters.ts';

const TEXT = [
  '# HELP keyhearth_credit_spends_total Spends.',
  '# TYPE keyhearth_credit_spends_total counter',
  'keyhearth_credit_spends_total{outcome="spentLocally",zone="eu",region="eu-west-3"} 990',
  'keyhearth_credit_spends_total{outcome="spentAtHome",zone="eu",region="eu-west-3"} 10',
  'keyhearth_credit_spends_total_other 7',
  'keyhearth_up 1e3',
].join('\n');

test('the samples of one metric are read, with their labels', () => {
  expect(samplesOf(TEXT, 'keyhearth_credit_spends_total')).toEqual([
    { labels: { outcome: 'spentLocally', zone: 'eu', region: 'eu-west-3' }, value: 990 },
    { labels: { outcome: 'spentAtHome', zone: 'eu', region: 'eu-west-3' }, value: 10 },
  ]);
  expect(samplesOf(TEXT, 'keyhearth_up')).toEqual([{ labels: {}, value: 1_000 }]);
  expect(samplesOf(TEXT, 'keyhearth_down')).toEqual([]);
});

test('the share of local spends is of all that took credits', () => {
  expect(localShare({ spentLocally: 990, spentAtHome: 10, refusedHere: 5_000 })).toBe(0.99);
  expect(localShare({ refusedHere: 5_000 })).toBeNull();
});
