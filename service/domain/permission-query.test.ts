import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  evaluatePermissionQuery,
  MAX_QUERY_DEPTH,
  MAX_QUERY_LENGTH,
  parsePermissionQuery,
  type PermissionQuery,
} from './permission-query.ts';
import { Problem } from './problem.ts';

function allows(query: string, ...held: string[]): boolean {
  const set = new Set(held);
  return evaluatePermissionQuery(parsePermissionQuery(query), (slug) => set.has(slug));
}

function refusal(query: string): Problem {
  try {
    parsePermissionQuery(query);
  } catch (error) {
    if (error instanceof Problem) return error;
    throw error;
  }
  throw new Error(`"${query}" was parsed`);
}

test('a single name needs that permission, exactly and case-sensitively', () => {
  expect(allows('documents.read', 'documents.read')).toBe(true);
  expect(allows('documents.read', 'documents.Read')).toBe(false);
  expect(allows('documents.read')).toBe(false);
});

test('AND binds tighter than OR, parentheses first', () => {
  expect(allows('a OR b AND c', 'a')).toBe(true);
  expect(allows('a OR b AND c', 'b')).toBe(false);
  expect(allows('(a OR b) AND c', 'a')).toBe(false);
  expect(allows('(a OR b) AND c', 'a', 'c')).toBe(true);
});

test('operators in any case, only as whole words', () => {
  expect(allows('a and b', 'a', 'b')).toBe(true);
  expect(allows('a Or b', 'b')).toBe(true);
  expect(allows('order.android', 'order.android')).toBe(true);
  expect(allows('or.and', 'or.and')).toBe(true);
  expect(allows('a\tAND\n(b)', 'a', 'b')).toBe(true);
  expect(allows('a AND(b)', 'a', 'b')).toBe(true);
});

test('a star is a character like any other', () => {
  expect(allows('api.*.read', 'api.*.read')).toBe(true);
  expect(allows('api.*.read', 'api.x.read')).toBe(false);
  expect(allows('*', 'anything')).toBe(false);
});

test.each([
  ['', 0, 'the query ended'],
  ['   ', 3, 'the query ended'],
  ['a AND', 5, 'the query ended'],
  ['AND a', 0, '"AND" was found'],
  ['a b', 2, '"b" was found'],
  ['(a OR b', 7, 'match the "(" at position 0'],
  ['a)', 1, '")" was found'],
  ['()', 1, '")" was found'],
  ['a OR OR b', 5, '"OR" was found'],
  ['a & b', 2, '"&" is not allowed'],
  ['a OR "b"', 5, 'is not allowed'],
  ['ä', 0, '"ä" is not allowed'],
  ['a 😀', 2, '"😀" is not allowed'],
  ['a \ud800', 2, 'is not allowed'],
])('%j is refused at position %i', (query, position, message) => {
  const problem = refusal(query);
  expect(problem.code).toBe('permissions_query_syntax_error');
  expect(problem.message).toContain(`at position ${position}:`);
  expect(problem.message).toContain(message);
  expect(problem.errors[0]).toMatchObject({ location: 'body.permissions', fix: expect.stringMatching(/./) });
  expect(problem.message.isWellFormed()).toBe(true);
});

function nested(depth: number): string {
  return `${'('.repeat(depth)}a${')'.repeat(depth)}`;
}

test('length and depth are bounded', () => {
  expect(allows('a'.repeat(MAX_QUERY_LENGTH), 'a'.repeat(MAX_QUERY_LENGTH))).toBe(true);
  expect(refusal('a'.repeat(MAX_QUERY_LENGTH + 1)).message).toContain('position 1000');
  expect(allows(nested(MAX_QUERY_DEPTH), 'a')).toBe(true);
  expect(refusal(nested(MAX_QUERY_DEPTH + 1)).message).toContain(`at position ${MAX_QUERY_DEPTH}:`);
});

const name = fc.stringMatching(/^[A-Za-z0-9_.:*/-]{1,12}$/).filter((text) => !/^(and|or)$/i.test(text));
const tree = fc.letrec<{ query: PermissionQuery }>((tie) => ({
  query: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    name.map((slug) => ({ kind: 'name' as const, slug })),
    fc.record({
      kind: fc.constantFrom('all' as const, 'any' as const),
      of: fc.array(tie('query'), { minLength: 2, maxLength: 3 }),
    }),
  ),
})).query;

function write(query: PermissionQuery): string {
  if (query.kind === 'name') return query.slug;
  const joined = query.of.map(write).join(query.kind === 'all' ? ' AND ' : ' oR ');
  return `(${joined})`;
}

function names(query: PermissionQuery): string[] {
  return query.kind === 'name' ? [query.slug] : query.of.flatMap(names);
}

test('a written tree reads back as itself and decides as its operators do', () => {
  fc.assert(
    fc.property(tree, fc.infiniteStream(fc.boolean()), (query, coins) => {
      const text = write(query);
      fc.pre(text.length <= MAX_QUERY_LENGTH);
      expect(parsePermissionQuery(text)).toEqual(query);
      const held = new Map(names(query).map((slug) => [slug, coins.next().value === true]));
      const expected = (part: PermissionQuery): boolean =>
        part.kind === 'name'
          ? held.get(part.slug) === true
          : part.kind === 'all'
            ? part.of.map(expected).reduce((a, b) => a && b)
            : part.of.map(expected).reduce((a, b) => a || b);
      expect(evaluatePermissionQuery(query, (slug) => held.get(slug) === true)).toBe(expected(query));
    }),
  );
});

test('any text is either parsed or refused with a position inside it', () => {
  const symbols = fc.constantFrom('a', 'b.c', 'AND', 'or', '(', ')', ' ', '  ', '&', 'é');
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.array(symbols).map((all) => all.join(' ')),
      ),
      (text) => {
        fc.pre(text.length <= MAX_QUERY_LENGTH);
        let position = 0;
        try {
          parsePermissionQuery(text);
        } catch (error) {
          if (!(error instanceof Problem)) throw error;
          position = Number(/at position (\d+):/.exec(error.message)?.[1]);
        }
        expect(position).toBeLessThanOrEqual(text.length);
      },
    ),
  );
});
