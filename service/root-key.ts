import { randomBytes } from 'node:crypto';
import { parseArgs } from 'node:util';
import { newRootKey } from './domain/root-key.ts';
import { readSettings } from './env.ts';
import { sentenceOf } from './sentence.ts';
import { SETTINGS } from './settings.ts';

/**
 * One-off entry, for a terminal: makes the text of a root key, which goes nowhere else, and what `bootstrap` is to be told of it.
 * Prints one JSON line; a failure is one sentence on stderr and exit code 1.
 */
try {
  const { values } = parseArgs({ options: { zone: { type: 'string' } } });
  if (values.zone === undefined)
    throw new Error('use: node scripts/pinned-node.mjs node service/root-key.ts --zone <name of the zone>.');
  const { zone } = readSettings({ zone: SETTINGS.zone }, { [SETTINGS.zone.variable]: values.zone });
  const { text, hash, start } = newRootKey(zone, randomBytes);
  process.stdout.write(`${JSON.stringify({ rootKey: text, hash, start })}\n`);
} catch (error) {
  process.stderr.write(`No root key was made: ${sentenceOf(error)}\n`);
  process.exitCode = 1;
}
