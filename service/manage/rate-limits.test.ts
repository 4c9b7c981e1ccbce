import { expect, test } from 'vitest';
import { limitsMore } from './rate-limits.ts';
import type { RateLimitInput } from './types.ts';

const LIMIT = { name: 'requests', limit: 10, duration: 60_000, autoApply: false };
const EXACT = { ...LIMIT, exact: true, onUnavailable: 'local' } as const;

test.each<[string, readonly RateLimitInput[], readonly RateLimitInput[], boolean]>([
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
  ['the same, said otherwise', [EXACT], [{ ...LIMIT, exact: true }], false],
  ['now exact', [LIMIT], [EXACT], true],
  ['no longer exact', [EXACT], [{ ...LIMIT, exact: false }], false],
  ['now refusing without the shared counter', [EXACT], [{ ...EXACT, onUnavailable: 'deny' }], true],
  ['no longer refusing without it', [{ ...EXACT, onUnavailable: 'deny' }], [EXACT], false],
])('limits may let less through with %s: %#', (_what, before, after, expected) => {
  expect(limitsMore(before, after)).toBe(expected);
});
