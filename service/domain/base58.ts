/** The Bitcoin alphabet: digits and letters without 0, O, I and l, which people mix up. In ASCII order. */
const ALPHABET = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz';
const BASE = 58;

/** Base58 of bytes as Bitcoin writes it: one big number, and a `1` for each leading zero byte, so that no byte is lost. */
export function encodeBase58(bytes: Uint8Array): string {
  let zeros = 0;
  while (zeros < bytes.length && bytes[zeros] === 0) zeros += 1;
  // Little-endian digits; schoolbook conversion, since keys have 255 bytes at most.
  const digits: number[] = [];
  for (const byte of bytes.subarray(zeros)) {
    let carry = byte;
    for (const [place, digit] of digits.entries()) {
      carry += digit * 256;
      digits[place] = carry % BASE;
      carry = Math.floor(carry / BASE);
    }
    while (carry > 0) {
      digits.push(carry % BASE);
      carry = Math.floor(carry / BASE);
    }
  }
  let text = '1'.repeat(zeros);
  for (const digit of digits.toReversed()) text += ALPHABET.charAt(digit);
  return text;
}

/**
 * A non-negative integer below `58 ** length` as exactly `length` base58 characters, padded with `1` on the left.
 * Throws RangeError for any other number.
 */
export function base58OfNumber(value: number, length: number): string {
  if (!Number.isSafeInteger(value) || value < 0 || value >= BASE ** length) {
    throw new RangeError(`a number below 58^${length} was expected`);
  }
  let text = '';
  let rest = value;
  for (let place = 0; place < length; place += 1) {
    text = ALPHABET.charAt(rest % BASE) + text;
    rest = Math.floor(rest / BASE);
  }
  return text;
}
