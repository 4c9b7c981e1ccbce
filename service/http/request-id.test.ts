import { expect, test } from 'vitest';
import { createRequestIds } from './request-id.ts';

test('ids are unique, sort in the order in which they were given, and differ between processes', () => {
  const next = createRequestIds();
  const ids = Array.from({ length: 5000 }, next);
  expect(new Set(ids).size).toBe(5000);
  expect(ids.toSorted()).toEqual(ids);
  expect(ids[0]).toMatch(/^req_[1-9A-HJ-NP-Za-km-z]{14,17}0{7}1$/);
  expect(createRequestIds()()).not.toBe(ids[0]);
});
