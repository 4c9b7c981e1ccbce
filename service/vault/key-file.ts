import { createSecretKey, type KeyObject } from 'node:crypto';
import { closeSync, fstatSync, openSync, readFileSync } from 'node:fs';

/** The keys of a key file, by id; one of them encrypts, all of them decrypt. */
export interface KeyFile {
  readonly current: string;
  readonly keys: ReadonlyMap<string, KeyObject>;
}

/** What lies in the file, as JSON: each key is 32 bytes in Base64. */
export interface KeyFileText {
  readonly current: string;
  readonly keys: Readonly<Record<string, string>>;
}

export const KEY_BYTES = 32;
/** One byte of a ciphertext holds its length. */
const KEY_ID = /^[A-Za-z0-9_-]{1,64}$/;
/** Thousands of keys: more is another kind of file. */
const FILE_BYTES_MAX = 1024 * 1024;
/** What others may do with the file, and what its group may do beyond reading: an orchestrator gives a mounted secret to a group. */
const FORBIDDEN_MODE = 0o027;

/**
 * Reads and checks a key file. Throws an Error whose sentence names the file and what to do; what is in the file never shows.
 */
export function readKeyFile(path: string): KeyFile {
  const content = parseKeyFile(path, contentOf(path));
  const keys = new Map(
    Object.entries(content.keys).map(([id, text]) => [id, createSecretKey(Buffer.from(text, 'base64'))]),
  );
  return { current: content.current, keys };
}

/** The file's text, as it is kept in it. Throws like `readKeyFile`. */
export function readKeyFileText(path: string): KeyFileText {
  return parseKeyFile(path, contentOf(path));
}

function contentOf(path: string): string {
  let file: number;
  try {
    file = openSync(path, 'r');
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'an unknown error';
    throw wrong(path, `can't be read (${code}); \`vault-key.ts ${path}\` makes one where there is none`);
  }
  try {
    // Of the open file, so that what is checked is what is read.
    const { mode, size } = fstatSync(file);
    if ((mode & FORBIDDEN_MODE) !== 0) {
      const shown = (mode & 0o777).toString(8).padStart(4, '0');
      throw wrong(path, `has mode ${shown}, so others can get at its keys: \`chmod 600 ${path}\``);
    }
    if (size > FILE_BYTES_MAX) throw wrong(path, `has ${size} bytes, of at most ${FILE_BYTES_MAX}`);
    return readFileSync(file, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error)
      throw wrong(path, `can't be read (${String(error.code)}); give the path of a file`);
    throw error;
  } finally {
    closeSync(file);
  }
}

function parseKeyFile(path: string, text: string): KeyFileText {
  let content: unknown;
  try {
    content = JSON.parse(text);
  } catch {
    // What the parser says would quote the file.
    throw wrong(path, `is no JSON: ${SHAPE}`);
  }
  if (!isObject(content) || !isObject(content['keys'])) throw wrong(path, `has another form: ${SHAPE}`);
  const { current, keys } = content;
  const others = Object.keys(content).filter((name) => name !== 'current' && name !== 'keys');
  if (others.length > 0) throw wrong(path, `has fields that mean nothing: ${SHAPE}`);
  const checked: Record<string, string> = {};
  for (const [id, key] of Object.entries(keys)) {
    if (!KEY_ID.test(id))
      throw wrong(path, 'has a key whose id is not 1 to 64 letters, digits, - or _: rename it');
    if (typeof key !== 'string' || !isKey(key)) {
      throw wrong(
        path,
        `has no ${KEY_BYTES} bytes in Base64 as its key ${id}: put them back, or take the key out`,
      );
    }
    checked[id] = key;
  }
  if (typeof current !== 'string' || !Object.hasOwn(checked, current))
    throw wrong(path, 'has no key of the id that "current" names: name one of those under "keys"');
  return { current, keys: checked };
}

const SHAPE = 'it must be { "current": "<id>", "keys": { "<id>": "<32 bytes in Base64>" } }';

function isKey(text: string): boolean {
  const bytes = Buffer.from(text, 'base64');
  // Node passes over what isn't Base64; only what comes back the same was all of it.
  return bytes.length === KEY_BYTES && bytes.toString('base64') === text;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function wrong(path: string, what: string): Error {
  return new Error(`the vault's key file ${path} ${what}`);
}
