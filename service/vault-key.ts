import { randomBytes } from 'node:crypto';
import { chmodSync, linkSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { sentenceOf } from './sentence.ts';
import { KEY_BYTES, type KeyFileText, readKeyFileText } from './vault/key-file.ts';

/**
 * One-off entry, for a terminal: makes the key file that `KEYHEARTH_VAULT=file:<path>` names, or, with `--rotate`, gives one a new current
 * key beside those that it has. Prints one JSON line without any key in it; a failure is one sentence on stderr and exit code 1.
 */
const USE =
  'use: vault-key.ts <file>, or vault-key.ts --rotate <file> (in a clone: node scripts/pinned-node.mjs node service/vault-key.ts …)';

function main(): void {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { rotate: { type: 'boolean' } },
  });
  const [given, ...more] = positionals;
  if (given === undefined || more.length > 0) throw new Error(USE);
  const path = resolve(given);
  const made = values.rotate === true ? rotate(path) : make(path);
  process.stdout.write(
    `${JSON.stringify({ file: path, current: made.current, keys: Object.keys(made.keys) })}\n`,
  );
}

/** A file that is there is never overwritten: without its keys nothing that they encrypted can be read again. */
function make(path: string): KeyFileText {
  const made = withNewKey({});
  try {
    // Whole or not at all; and it fails where there is one.
    written(path, made, 0o600, linkSync);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') {
      throw new Error(`${path} is there already; --rotate gives it a new key and keeps the old ones`, {
        cause: error,
      });
    }
    throw error;
  }
  return made;
}

function rotate(path: string): KeyFileText {
  const made = withNewKey(readKeyFileText(path).keys);
  // As open as it was: its group may be the tasks'. Whoever reads it meanwhile sees the old file or the new one.
  written(path, made, statSync(path).mode & 0o777, renameSync);
  return made;
}

function written(
  path: string,
  content: KeyFileText,
  mode: number,
  put: (unfinished: string, path: string) => void,
): void {
  const unfinished = `${path}.${process.pid}`;
  try {
    writeFileSync(unfinished, `${JSON.stringify(content, null, 2)}\n`, { mode: 0o600, flag: 'wx' });
    // Not masked by umask, as the mode of a new file is.
    chmodSync(unfinished, mode);
    put(unfinished, path);
  } finally {
    rmSync(unfinished, { force: true });
  }
}

function withNewKey(keys: KeyFileText['keys']): KeyFileText {
  const current = `vk_${randomBytes(6).toString('hex')}`;
  return { current, keys: { ...keys, [current]: randomBytes(KEY_BYTES).toString('base64') } };
}

try {
  main();
} catch (error) {
  process.stderr.write(`No vault key was made: ${sentenceOf(error)}\n`);
  process.exitCode = 1;
}
