import { expect, test } from 'vitest';
import { limitsMore } from './rate-limits.ts';

const LIMIT = { name: 'requests', limit: 10, duration: 60_000, autoApply: false };

test.each([
  ['the same', [LIMIT], [LIMIT], false],
  ['a new one', [], [LIMIT], true],
  ['one fewer', [LIMIT], [], false],
  ['another in its place', [LIMIT], [{ ...LIMIT, name: 'tokens' }], true],
  ['fewer units', [LIMIT], [{ ...LIMIT, limit: 9 }], true],
  ['more units', [LIMIT], [{ ...LIMIT, limit: 11 }], false],
  ['a longer window', [LIMIT], [{ ...LIMIT, duration: 60_001 }], true],
  ['a shorter window', [LIMIT], [{ ...LIMIT, duration: 59_999 }], false],
  ['now applied by itself', [LIMIT], [{ ...LIMIT, autoApply: true }], true],
  ['no longer applied by itself', [{ ...LIMIT, autoApply: true }], [LIMIT], false],
])('limits may let less through with %s: %#', (_what, before, after, expected) => {
  expect(limitsMore(before, after)).toBe(expected);
});
