import fc from 'fast-check';
import { expect, test } from 'vitest';
import { nextRefill, readCreditsOperation } from './credit-rules.ts';

const DAY_MS = 86_400_000;
const ms = (text: string): number => Date.parse(text);

test.each([
  ['2026-03-01T00:00:00.000Z', '2026-03-02T00:00:00.000Z'],
  ['2026-03-01T23:59:59.999Z', '2026-03-02T00:00:00.000Z'],
  ['2026-12-31T12:00:00.000Z', '2027-01-01T00:00:00.000Z'],
  ['2028-02-28T12:00:00.000Z', '2028-02-29T00:00:00.000Z'],
])('a daily refill after %s is due at %s', (after, due) => {
  expect(nextRefill({ interval: 'daily' }, ms(after))).toBe(ms(due));
});

test.each([
  [15, '2026-03-14T23:59:59.999Z', '2026-03-15T00:00:00.000Z'],
  [15, '2026-03-15T00:00:00.000Z', '2026-04-15T00:00:00.000Z'],
  [1, '2026-12-01T00:00:00.001Z', '2027-01-01T00:00:00.000Z'],
  [31, '2026-02-10T00:00:00.000Z', '2026-02-28T00:00:00.000Z'],
  [31, '2026-02-28T00:00:00.000Z', '2026-03-31T00:00:00.000Z'],
  [30, '2028-02-10T00:00:00.000Z', '2028-02-29T00:00:00.000Z'],
  [29, '2026-01-29T00:00:00.000Z', '2026-02-28T00:00:00.000Z'],
  [31, '2026-12-31T00:00:00.000Z', '2027-01-31T00:00:00.000Z'],
])('a monthly refill on day %i after %s is due at %s', (refillDay, after, due) => {
  expect(nextRefill({ interval: 'monthly', refillDay }, ms(after))).toBe(ms(due));
});

const moment = fc.integer({ min: ms('2020-01-01T00:00:00Z'), max: ms('2100-01-01T00:00:00Z') });

test('the next daily refill is the only midnight within the day that follows', () => {
  fc.assert(
    fc.property(moment, (after) => {
      const due = nextRefill({ interval: 'daily' }, after);
      expect(due % DAY_MS).toBe(0);
      expect(due).toBeGreaterThan(after);
      expect(due - after).toBeLessThanOrEqual(DAY_MS);
    }),
  );
});

test('a monthly refill is due once a calendar month, on its day or on the last one of a shorter month', () => {
  fc.assert(
    fc.property(moment, fc.integer({ min: 1, max: 31 }), (after, refillDay) => {
      const schedule = { interval: 'monthly', refillDay } as const;
      const due = nextRefill(schedule, after);
      expect(due % DAY_MS).toBe(0);
      expect(due).toBeGreaterThan(after);
      const day = new Date(due).getUTCDate();
      const lastOfMonth = new Date(due + DAY_MS).getUTCDate() === 1;
      expect(day === refillDay || (lastOfMonth && day < refillDay)).toBe(true);
      // No other one lies between: the one that follows is in the next month.
      const following = new Date(nextRefill(schedule, due));
      const months = (at: Date): number => at.getUTCFullYear() * 12 + at.getUTCMonth();
      expect(months(following) - months(new Date(due))).toBe(1);
      expect(nextRefill(schedule, due - 1)).toBe(due);
    }),
  );
});

test('an operation without a value is refused by its name; only "set" takes null', () => {
  expect(readCreditsOperation({ operation: 'set', value: null })).toEqual({ operation: 'unlimited' });
  expect(readCreditsOperation({ operation: 'set', value: 0 })).toEqual({ operation: 'set', value: 0 });
  expect(readCreditsOperation({ operation: 'decrement', value: 3 })).toEqual({
    operation: 'decrement',
    value: 3,
  });
  for (const request of [
    { operation: 'set' },
    { operation: 'increment' },
    { operation: 'increment', value: null },
    { operation: 'decrement' },
    { operation: 'decrement', value: null },
  ] as const) {
    expect(() => readCreditsOperation(request)).toThrow(
      expect.objectContaining({
        code: 'invalid_input',
        errors: [expect.objectContaining({ location: 'body.value' })],
      }),
    );
  }
});
