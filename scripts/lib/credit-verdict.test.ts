import { expect, test } from 'vitest';
import type { CreditBooks } from './credit-books.ts';
import { judge } from './credit-verdict.ts';
import { outcomeOf } from './spend-outcome.ts';

const books: CreditBooks = {
  granted: 200,
  free: 0,
  leased: 0,
  spent: 200,
  openLeases: 0,
  lostLeases: 0,
  lostInLeases: 0,
};
const whole = {
  creditsPerKey: 100,
  keys: 2,
  admittedOf: new Map([
    ['one', 100],
    ['two', 100],
  ]),
  unknown: 0,
  books,
};

test('everything granted was admitted: nothing lost, nothing overspent', () => {
  expect(judge(whole)).toEqual({
    granted: 200,
    admitted: 200,
    overspent: 0,
    lost: 0,
    lossBound: 0,
    held: true,
  });
});

test('a key that was admitted more often than it was given is found, though another was less often', () => {
  const admittedOf = new Map([
    ['one', 101],
    ['two', 99],
  ]);
  expect(judge({ ...whole, admittedOf })).toMatchObject({ overspent: 1, lost: 0, held: false });
});

test('what is lost may be what leases hold and what nobody was answered for, and no more', () => {
  const admittedOf = new Map([
    ['one', 90],
    ['two', 95],
  ]);
  const leases = { ...books, leased: 12, spent: 188, lostLeases: 2, lostInLeases: 12 };
  expect(judge({ ...whole, admittedOf, unknown: 3, books: leases })).toMatchObject({
    lost: 15,
    lossBound: 15,
    held: true,
  });
  expect(judge({ ...whole, admittedOf, unknown: 2, books: leases })).toMatchObject({
    lossBound: 14,
    held: false,
  });
});

test('a ledger that has more or less than was granted is not right', () => {
  expect(judge({ ...whole, books: { ...books, granted: 201, free: 1 } }).held).toBe(false);
  expect(judge({ ...whole, books: { ...books, free: 1, spent: 199 } })).toMatchObject({
    lost: -1,
    held: false,
  });
});

test('only what an answer says was or was not taken is known', () => {
  const answer = (status: number, data = {}): unknown => ({ status, data, headers: {}, text: '' });
  expect(outcomeOf(answer(200, { valid: true, code: 'VALID' }))).toBe('admitted');
  expect(outcomeOf(answer(200, { valid: false, code: 'USAGE_EXCEEDED' }))).toBe('exceeded');
  expect(outcomeOf(answer(200, { valid: false, code: 'NOT_FOUND' }))).toBe('notTaken');
  expect([503, 401, 500, 504].map((status) => outcomeOf(answer(status)))).toEqual([
    'notTaken',
    'notTaken',
    'unknown',
    'unknown',
  ]);
  const failed = (code: string): Error => Object.assign(new Error(code), { code });
  expect(outcomeOf(failed('ECONNREFUSED'))).toBe('unreached');
  expect(outcomeOf(failed('ECONNRESET'))).toBe('unknown');
  expect(outcomeOf(failed('UND_ERR_HEADERS_TIMEOUT'))).toBe('unknown');
});
