import { expect, test } from 'vitest';
import type { Need } from './needs.ts';
import { type Quota, QUOTAS } from './quota-table.ts';
import { isWorthSaying, useOf } from './quota-use.ts';

const quota: Quota = {
  id: 'things',
  name: 'Things',
  service: 'things',
  code: null,
  value: 10,
  adjustable: true,
  scope: 'region',
  meetsNewAccounts: false,
  source: 'https://docs.aws.amazon.com/',
  note: null,
};

const need = (count: number, rest: Partial<Quota> = {}): Need => ({
  quota: { ...quota, ...rest },
  account: '222222222222',
  region: 'eu-west-1',
  need: count,
});

test('more than half of a quota is worth saying, and more than all of it too low', () => {
  const levels = [5, 6, 10, 11].map((count) => useOf(need(count), null));
  expect(levels.map(({ level }) => level)).toEqual(['fine', 'near', 'near', 'over']);
  expect(levels.map(isWorthSaying)).toEqual([false, true, true, true]);
});

test('what AWS allows the account counts, not the default', () => {
  expect(useOf(need(11), 100)).toMatchObject({ allowed: 100, isApplied: true, level: 'fine' });
  expect(useOf(need(1), null)).toMatchObject({ allowed: 10, isApplied: false });
});

test('what stops new accounts is always said', () => {
  expect(isWorthSaying(useOf(need(1, { meetsNewAccounts: true }), null))).toBe(true);
});

test('each quota of the table says where its default is from, and goes by one code', () => {
  const codes = QUOTAS.flatMap(({ service, code }) => (code === null ? [] : [`${service} ${code}`]));
  expect(new Set(codes).size).toBe(codes.length);
  for (const { id, source, code, value } of QUOTAS) {
    expect([id, source]).toEqual([id, expect.stringMatching(/^https:\/\/docs\.aws\.amazon\.com\//)]);
    expect([id, code]).toEqual([id, code === null ? null : expect.stringMatching(/^L-[0-9A-F]{8}$/)]);
    expect([id, value > 0]).toEqual([id, true]);
  }
});
