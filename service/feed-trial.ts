import { parseArgs } from 'node:util';
import { systemClock } from './clock.ts';
import { accessFrom } from './database-access.ts';
import { readSettings } from './env.ts';
import { sentenceOf } from './sentence.ts';
import { SETTINGS } from './settings.ts';
import { PostgresFeedReader } from './store/feed-reader.ts';
import { runFeedTrial } from './store/feed-trial.ts';
import { createPool } from './store/pool.ts';

/**
 * One-off task: the feed's trial on a live zone. Environment: KEYHEARTH_WRITER_URL, and KEYHEARTH_READER_URLS as
 * `name=postgres://…` pairs, separated by commas. Prints one line of JSON; exit code 1 where rows were missed, doubled or made up.
 */
const MAX_SECONDS = 300;

async function main(): Promise<number> {
  const { values } = parseArgs({ options: { seconds: { type: 'string', default: '10' } } });
  const seconds = Number(values.seconds);
  if (!Number.isInteger(seconds) || seconds < 1 || seconds > MAX_SECONDS) {
    throw new Error(`--seconds must be a whole number from 1 to ${MAX_SECONDS}`);
  }
  const { writerUrl } = readSettings({ writerUrl: SETTINGS.writerUrl }, process.env);
  const access = accessFrom(process.env);
  const onIdleError = (): void => {};
  // The transaction that is held open must not meet the limits that protect the feed from such transactions.
  const writer = createPool({
    url: writerUrl,
    access,
    applicationName: 'keyhearth feed trial',
    connections: 9,
    transactionTimeoutMs: 60_000,
    idleInTransactionTimeoutMs: 60_000,
    onIdleError,
  });
  const pools = readerUrls().map(([name, url]) => {
    const pool = createPool({
      url,
      access,
      applicationName: 'keyhearth feed trial',
      connections: 1,
      onIdleError,
    });
    return { name, pool };
  });
  try {
    const result = await runFeedTrial({
      writer,
      readers: pools.map(({ name, pool }) => new PostgresFeedReader({ name, pool, recordsPool: pool })),
      clock: systemClock,
      writers: 8,
      durationMs: seconds * 1000,
      openTransactionMs: Math.min(5000, seconds * 1000),
      pollMs: 50,
    });
    process.stdout.write(`${JSON.stringify(result)}\n`);
    return result.readers.every((one) => one.missed + one.doubled + one.phantom === 0) ? 0 : 1;
  } finally {
    await Promise.all([writer.end(), ...pools.map(async ({ pool }) => await pool.end())]);
  }
}

function readerUrls(): [name: string, url: string][] {
  const text = process.env['KEYHEARTH_READER_URLS'] ?? '';
  return text.split(',').map((pair) => {
    const at = pair.indexOf('=postgres');
    if (at < 1) throw new Error('KEYHEARTH_READER_URLS must be name=postgres://… pairs, separated by commas');
    return [pair.slice(0, at), pair.slice(at + 1)];
  });
}

try {
  process.exitCode = await main();
} catch (error) {
  process.stderr.write(`feed trial: ${sentenceOf(error)}\n`);
  process.exitCode = 1;
}
