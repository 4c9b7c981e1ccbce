/** Draws `length` random bytes; `node:crypto`'s `randomBytes` in production. */
export type RandomBytes = (length: number) => Uint8Array;

const BASE58 = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz';
const BASE36 = '0123456789abcdefghijklmnopqrstuvwxyz';

/** 22 characters of base58 hold 128 bits. */
const ID_LENGTH = 22;
const RANDOM = new RegExp(`^[${BASE58}]+$`);

/** What an id names; the prefix tells people and logs what they look at. */
export type IdPrefix =
  | 'ws'
  | 'api'
  | 'key'
  | 'rootkey'
  | 'id'
  | 'role'
  | 'perm'
  | 'rl'
  | 'rlns'
  | 'rlor'
  | 'credits'
  | 'audit'
  | 'task';

/** A new id, e.g. `key_4vT…`: prefix and 22 characters of base58, 128 random bits. */
export function newId(prefix: IdPrefix, randomBytes: RandomBytes): string {
  return `${prefix}_${randomText(BASE58, ID_LENGTH, randomBytes)}`;
}

/** True for a text that has the form of an id, whether or not there is such a thing. */
export function isIdOf(prefix: IdPrefix, text: string): boolean {
  const start = `${prefix}_`;
  return (
    text.length === start.length + ID_LENGTH &&
    text.startsWith(start) &&
    RANDOM.test(text.slice(start.length))
  );
}

/** The random part of a new epoch: 8 characters, [0-9a-z]. */
export function newEpochId(randomBytes: RandomBytes): string {
  return randomText(BASE36, 8, randomBytes);
}

/** Bytes that would favour the first letters of the alphabet are thrown away. */
function randomText(alphabet: string, length: number, randomBytes: RandomBytes): string {
  const fair = 256 - (256 % alphabet.length);
  let text = '';
  while (text.length < length) {
    for (const byte of randomBytes(length - text.length)) {
      if (byte < fair) text += alphabet.charAt(byte % alphabet.length);
    }
  }
  return text;
}
