import fc from 'fast-check';
import { expect, test } from 'vitest';
import { base58OfNumber, encodeBase58 } from './base58.ts';

const ALPHABET = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz';

/** The textbook reading of base58, written against BigInt so that it shares nothing with the code under test. */
function decode(text: string): Uint8Array {
  let zeros = 0;
  while (zeros < text.length && text.charAt(zeros) === '1') zeros += 1;
  let value = 0n;
  for (const character of text) value = value * 58n + BigInt(ALPHABET.indexOf(character));
  const bytes: number[] = [];
  for (; value > 0n; value >>= 8n) bytes.unshift(Number(value & 255n));
  return Uint8Array.from([...Array.from({ length: zeros }, () => 0), ...bytes]);
}

test('known vectors', () => {
  expect(encodeBase58(new TextEncoder().encode('Hello World!'))).toBe('2NEpo7TZRRrLZSi2U');
  expect(encodeBase58(Uint8Array.from([0, 0, 0x28, 0x7f, 0xb4, 0xcd]))).toBe('11233QC4');
  expect(encodeBase58(new Uint8Array(0))).toBe('');
});

test('any bytes come back from their text', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 255 }), (bytes) => {
      expect(decode(encodeBase58(bytes))).toEqual(bytes);
    }),
  );
});

test('numbers are padded to their length and keep their order', () => {
  expect(base58OfNumber(0, 6)).toBe('111111');
  expect(base58OfNumber(57, 2)).toBe('1z');
  expect(base58OfNumber(58, 2)).toBe('21');
  const number = fc.integer({ min: 0, max: 58 ** 4 - 1 });
  fc.assert(
    fc.property(number, number, (a, b) => {
      const [textA, textB] = [base58OfNumber(a, 4), base58OfNumber(b, 4)];
      expect(textA).toHaveLength(4);
      expect(textA < textB).toBe(a < b);
    }),
  );
});

test('a number that does not fit is refused', () => {
  expect(() => base58OfNumber(58, 1)).toThrow(RangeError);
  expect(() => base58OfNumber(-1, 4)).toThrow(RangeError);
  expect(() => base58OfNumber(1.5, 4)).toThrow(RangeError);
});
