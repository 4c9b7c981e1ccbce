import fc from 'fast-check';
import { expect, test } from 'vitest';
import { compileOverrides } from './override-match.ts';

function find(identifier: string, ...patterns: readonly string[]): string | null {
  const overrides = patterns.map((pattern) => ({
    id: pattern,
    identifier: pattern,
    limit: 1,
    durationMs: 1000,
  }));
  return compileOverrides(overrides)(identifier)?.id ?? null;
}

test('an exact identifier wins over every pattern', () => {
  expect(find('user_1', '*', 'user_*', 'user_1')).toBe('user_1');
});

test('of several patterns the most specific one wins, in whatever order they are stored', () => {
  expect(find('premium_7', '*', 'premium_*', 'p*')).toBe('premium_*');
  expect(find('premium_7', 'premium_*', 'p*', '*')).toBe('premium_*');
  expect(find('ab', 'b*', '*b', 'a*')).toBe('*b');
  expect(find('ab', 'a*', '*b')).toBe('*b');
});

test('an identifier that nothing fits has no override', () => {
  expect(find('user_1', 'user_2', 'team_*', '*x')).toBeNull();
});

test('parts may not overlap', () => {
  expect(find('aba', 'ab*ba')).toBeNull();
  expect(find('abba', 'ab*ba')).toBe('ab*ba');
  expect(find('aXbXc', 'a*X*X*c')).toBe('a*X*X*c');
  expect(find('aXc', 'a*X*X*c')).toBeNull();
});

test('a pattern means the same as the regular expression that it stands for', () => {
  const short = fc.string({ unit: fc.constantFrom('a', 'b', '.'), maxLength: 8 });
  const pattern = fc
    .array(fc.string({ unit: fc.constantFrom('a', 'b', '.'), maxLength: 3 }), { minLength: 2, maxLength: 4 })
    .map((parts) => parts.join('*'));
  fc.assert(
    fc.property(short, pattern, (identifier, wildcard) => {
      const source = wildcard.replaceAll('.', '\\.').replaceAll('*', '.*');
      expect(find(identifier, wildcard) !== null).toBe(new RegExp(`^${source}$`).test(identifier));
    }),
  );
});
