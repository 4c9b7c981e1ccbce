import type { KeyHash } from './brands.ts';
import { generateKeyText, hashKey } from './key-text.ts';

const PREFIX = 'kh_root';
const BYTES = 24;

/** What is kept of a root key, and its text, where that is known here. */
export interface RootKey {
  readonly text: string | null;
  /** SHA-256 of the text, 64 hex digits. */
  readonly hash: KeyHash;
  /** Prefix and four characters, by which people tell keys apart. */
  readonly start: string;
}

/** What a root key's `start` looks like. */
export const ROOT_KEY_START = /^kh_root_[1-9A-HJ-NP-Za-km-z]{4}$/;

/** A new root key of a zone; `randomBytes` must be a cryptographic source. */
export function newRootKey(
  zone: string,
  randomBytes: (size: number) => Uint8Array,
): RootKey & { text: string } {
  const text = generateKeyText({ prefix: PREFIX, bytes: randomBytes(BYTES), zone });
  return { text, hash: hashKey(text), start: text.slice(0, PREFIX.length + 5) };
}
