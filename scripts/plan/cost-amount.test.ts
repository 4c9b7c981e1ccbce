import { expect, test } from 'vitest';
import {
  count,
  dollars,
  largest,
  minus,
  named,
  over,
  plus,
  smallest,
  times,
  usdText,
  whole,
} from './cost-amount.ts';
import { evaluate } from './prices/test/evaluate.ts';

test('a product shows the numbers that it was computed from', () => {
  const amount = times(count(2, 'tasks'), count(1, 'vCPU'), count(730, 'h'), dollars(0.03238));
  expect(amount.text).toBe('2 tasks × 1 vCPU × 730 h × $0.03238');
  expect(amount.value).toBeCloseTo(47.2748, 10);
});

test('a sum stands in brackets as a factor, a product as a divisor', () => {
  const sum = plus(count(1, 'a'), count(2, 'b'));
  expect(times(sum, count(3)).text).toBe('(1 a + 2 b) × 3');
  expect(over(count(12), times(count(2), count(3))).text).toBe('12 ÷ (2 × 3)');
  expect(minus(count(5), sum).text).toBe('5 − (1 a + 2 b)');
});

test('a named result carries its formula along, and each formula once', () => {
  const rate = named('rate', over(count(10), count(4)), 'per second');
  const both = plus(times(rate, count(2)), rate);
  expect(rate.text).toBe('2.5 per second');
  expect(both.workings).toEqual(['rate = 10 ÷ 4 = 2.5 per second']);
  expect(named('again', rate)).toBe(rate);
});

test('a fraction is rounded before anything is computed from it, so that its text says all of it', () => {
  const third = named('third', over(count(10_000), count(3)));
  expect(third.text).toBe('3,333.33333');
  expect(third.value).toBe(3333.33333);
  expect(count(8_760_000_000).text).toBe('8,760,000,000');
});

test('prices keep all their digits, sums of USD cents, and less than a cent four digits', () => {
  expect(dollars(0.0000133334).text).toBe('$0.0000133334');
  expect(dollars(0.14, '†').text).toBe('$0.14†');
  expect(usdText(54_287.318)).toBe('$54,287.32');
  expect(usdText(0.001_234_56)).toBe('$0.001235');
  expect(usdText(0)).toBe('$0.00');
});

test('what a formula says can be computed from its text', () => {
  const amounts = [
    whole(over(count(3333.33333, 'per second'), count(1000, 'per second and task'))),
    smallest(count(12, 'at most'), largest(count(3, 'at least'), count(1.5))),
    times(plus(count(700, 'bytes'), count(600, 'bytes')), count(2_628_000, 's'), dollars(0.09, '*')),
    over(over(count(10), count(4)), plus(count(1), count(1))),
    minus(count(5), times(count(2), count(2))),
  ];
  for (const { text, value } of amounts) expect(evaluate(text)).toBeCloseTo(value, 6);
});

test.each(['2 tasks × ', 'max(3', '(1 + 2', '1 2'])('a text that is no formula has no value: %s', (text) => {
  expect(() => evaluate(text)).toThrow(/in |of /);
});
