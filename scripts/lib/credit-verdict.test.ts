import { expect, test } from 'vitest';
import type { CreditBooks } from './credit-books.ts';
import { judge, mostInLeases } from './credit-verdict.ts';
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
  kills: 0,
  books,
};

test('everything granted was admitted: nothing lost, nothing overspent', () => {
  expect(judge(whole)).toEqual({
    granted: 200,
    admitted: 200,
    overspent: 0,
    lost: 0,
    out: 0,
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

const short = new Map([
  ['one', 90],
  ['two', 95],
]);
const lostLeases = { ...books, leased: 12, spent: 188, lostLeases: 2, lostInLeases: 12 };

test('what is lost may be what leases hold and what nobody was answered for, and no more', () => {
  const found = judge({ ...whole, admittedOf: short, unknown: 3, kills: 1, books: lostLeases });
  expect(found).toMatchObject({ lost: 15, out: 15, held: true });
  expect(judge({ ...whole, admittedOf: short, unknown: 2, kills: 1, books: lostLeases })).toMatchObject({
    lost: 15,
    out: 14,
    held: false,
  });
});

test('what the ledger says is lost may be two leases of each account for each task that was killed, and no more', () => {
  // Of 100 free a sixteenth is 6, of the 94 that are left 5, and so on.
  expect([0, 1, 2].map((kills) => mostInLeases(100, kills))).toEqual([0, 11, 21]);
  expect(mostInLeases(100, 1_000)).toBe(85);
  const unknown = 3;
  for (const [kills, lossBound] of [
    [0, 3],
    [1, 25],
  ] as const) {
    const found = judge({ ...whole, admittedOf: short, unknown, kills, books: lostLeases });
    expect(found).toMatchObject({ lossBound, held: kills > 0 });
  }
  const much = { ...books, leased: 23, spent: 177, lostLeases: 4, lostInLeases: 23 };
  expect(judge({ ...whole, admittedOf: short, unknown, kills: 1, books: much }).held).toBe(false);
});

test('leases that are open when it is ended early are not lost', () => {
  const open = { ...books, leased: 30, spent: 170, openLeases: 5 };
  expect(judge({ ...whole, admittedOf: short, books: open })).toMatchObject({
    lost: 15,
    out: 30,
    lossBound: 30,
    held: true,
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
