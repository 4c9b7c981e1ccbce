import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { PROBLEMS, type ProblemCode } from '../domain/problem.ts';
import { problemAnchor, problemUrl } from './answers.ts';

const page = readFileSync(new URL('../../docs/ERRORS.md', import.meta.url), 'utf8');
const codes = Object.keys(PROBLEMS) as ProblemCode[];
const rows = page
  .split('\n')
  .filter((line) => line.startsWith('| <a '))
  .map((line) =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );

test('docs/ERRORS.md lists every problem, in the order of the table, and no other', () => {
  const expected = codes.map((code) => {
    const { type, status, title } = PROBLEMS[code];
    return [`<a id="${problemAnchor(code)}"></a>\`${type}\``, String(status), title];
  });
  expect(rows.map((row) => row.slice(0, 3))).toEqual(expected);
});

test('each row says its cause and the fix', () => {
  for (const row of rows) {
    expect(row).toHaveLength(5);
    expect(row[3]).toMatch(/^[A-Z].*\.$/);
    expect(row[4]).toMatch(/^[A-Z].*\.$/);
  }
});

test('types are unique, of the form <category>/<specific>, and their URLs end in <system>/<category>/<specific>', () => {
  expect(new Set(codes.map((code) => PROBLEMS[code].type)).size).toBe(codes.length);
  for (const code of codes) {
    expect(PROBLEMS[code].type).toMatch(/^[a-z]+\/[a-z_]+$/);
    expect(new URL(problemUrl(code)).href.endsWith(`keyhearth/${PROBLEMS[code].type}`)).toBe(true);
  }
});
