import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { isIdOf, newEpochId, newId } from './ids.ts';

test('an id is its prefix and 22 characters of base58, and no two are the same', () => {
  const ids = Array.from({ length: 2000 }, () => newId('key', randomBytes));
  for (const id of ids) expect(id).toMatch(/^key_[1-9A-HJ-NP-Za-km-z]{22}$/);
  expect(new Set(ids).size).toBe(ids.length);
});

test('what has the form of an id is told from other texts', () => {
  const id = newId('perm', randomBytes);
  expect(isIdOf('perm', id)).toBe(true);
  for (const text of [id.slice(1), id.slice(0, -1), `${id}1`, id.replace(/.$/, '0'), 'perm_', 'docs.read']) {
    expect(isIdOf('perm', text)).toBe(false);
  }
  expect(isIdOf('role', id)).toBe(false);
});

test('an epoch id is 8 characters of 0-9 and a-z', () => {
  for (let count = 0; count < 500; count += 1) expect(newEpochId(randomBytes)).toMatch(/^[0-9a-z]{8}$/);
});

test('bytes that would favour some characters are thrown away', () => {
  const bytes = [255, 232, 0, 57, 58, 231];
  const draw = (length: number): Uint8Array => {
    const drawn = bytes.splice(0, length);
    return Uint8Array.from([...drawn, ...Array.from({ length: length - drawn.length }, () => 0)]);
  };
  expect(newId('ws', draw)).toBe(`ws_1z1z${'1'.repeat(18)}`);
});
